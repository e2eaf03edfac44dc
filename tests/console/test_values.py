"""The grammar of --where and the other values that people type."""

import click
import pytest

from console.cli.tables import Column, fitted, table
from console.cli.values import DATE, DURATION, parse_where


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("state=deleted", {"state": "deleted"}),
        ("state=deleted,license=none", {"state": "deleted", "license": "none"}),
        (' state = deleted , search = "Winter, Ada" ', {"state": "deleted", "search": "Winter, Ada"}),
        ('search="say ""hello"", Ada"', {"search": 'say "hello", Ada'}),
        ("rule=shared mailboxes,domain=contoso.example", {"rule": "shared mailboxes", "domain": "contoso.example"}),
    ],
)
def test_a_filter_is_read(text: str, filters: dict[str, str]) -> None:
    assert parse_where(text) == filters


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected key=value, several joined by commas, found ''"),
        ("state", "expected key=value, several joined by commas, found 'state'"),
        ("state=", "expected key=value, several joined by commas, found 'state='"),
        ("state=deleted,", "expected key=value, several joined by commas, found ''"),
        ('search="Ada', "expected key=value, several joined by commas, found 'search=\"Ada'"),
        ('search=A"d"a', "expected key=value, several joined by commas, found 'search=A\"d\"a'"),
        ("state=dead", "state: 'dead' is none of active, disabled, deleted, purged, unknown"),
        ("license=gold", "license: 'gold' is none of standard, archived, none"),
        ("state=active,state=deleted", "state is given twice"),
    ],
)
def test_a_filter_that_cannot_be_read_is_never_no_filter(text: str, message: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        parse_where(text)
    assert refused.value.message == message


def test_an_unknown_filter_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(click.BadParameter) as refused:
        parse_where("stat=deleted")
    assert refused.value.message.endswith("; did you mean 'state'?")


@pytest.mark.parametrize("text", ["10", "10 m", "-5m", "1w", "soon"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        DURATION.convert(text, None, None)


@pytest.mark.parametrize("text", ["2026-13-01", "01/04/2027", "tomorrow"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        DATE.convert(text, None, None)


COLUMNS = (Column("NAME", gives=1, least=6), Column("N", right=True), Column("WHY", gives=2, least=5, drops=1))


def test_a_table_is_narrowed_where_it_gives_and_then_leaves_out_what_drops() -> None:
    assert fitted(COLUMNS, [20, 3, 30], 100) == [20, 3, 30]
    assert fitted(COLUMNS, [20, 3, 30], 40) == [20, 3, 13]
    assert fitted(COLUMNS, [20, 3, 30], 20) == [8, 3, 5]
    assert fitted(COLUMNS, [20, 3, 30], 15) == [10, 3, None]


def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    rows = [("Ada Winter of Contoso", 12, "member of Backup Staff"), ("日本語の名前はとても長いです", 1, None)]
    lines = list(table(COLUMNS, rows))
    assert lines[0].startswith("NAME")
    assert all(len(line) <= 30 for line in lines)
    assert lines[1].endswith("…")


def test_what_a_directory_calls_somebody_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in "".join(table((Column("NAME"),), [("\x1b[2Jboo\nhoo",)]))
