"""A file as a directory: what makes a read void, when it is read again, and who it is."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from connectors.base import Page
from connectors.errors import CursorExpired, NeedsPerson, Transient
from connectors.file.directory import ExportedFile
from policies.model import UNKNOWN, AccountId, Sighting
from tests.proves import proves

HEADER = "User principal name,Display name,Object Id\n"
ADA = "ada@contoso.example,Ada Winter,6e7b768e-07e2-4810-8459-485f84f8f204\n"
BEN = "ben@contoso.example,Ben Okoro,0f1a2b3c-0000-4000-8000-0000000000aa\n"


@pytest.fixture
def file(tmp_path: Path) -> ExportedFile:
    return exported(tmp_path, HEADER + ADA + BEN)


def exported(folder: Path, text: str | bytes) -> ExportedFile:
    path = folder / "users.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ExportedFile(path)


def names(pages: Iterator[Page]) -> list[str | None]:
    return [seen.name for page in pages for seen in page.accounts]


def cursor_of(file: ExportedFile) -> str:
    *_, last = file.pull(None)
    assert last.cursor is not None
    return last.cursor


@pytest.mark.parametrize(
    "text, said",
    [
        (HEADER + ADA + 'ben@contoso.example,"Ben Ok', "line 3: the file ends inside a quoted field"),
        (HEADER + ADA + 'ben@contoso.example,"Ben"Okoro,\n', "line 3: it cannot be read as CSV"),
        (HEADER + ADA + "ben@contoso.example,Ben Okoro\n", "line 3: it has 2 fields where the header has 3"),
        (HEADER + ADA[:-1] + ",more\n", "line 2: it has 4 fields where the header has 3"),
        (HEADER + '"a\n\nb",Ada,\n' + "x\n", "line 5: it has 1 fields where the header has 3"),
        ("sep=,\n" + HEADER + "x\n", "line 3: it has 1 fields where the header has 3"),
        (HEADER + ",Nobody,\n", "line 2: it has neither an object id nor an address"),
        (HEADER + "ada@contoso.example,Ada,17\n", "line 2: '17' is no object id"),
        (ADA + BEN, "line 1: it does not begin with the column names of a user list"),
        ("", "line 1: it does not begin with the column names of a user list"),
        ("<html><body>Sign in</body></html>", "line 1: it does not begin with the column names"),
        ("Date,Amount\n1,2\n", "line 1: it does not begin with the column names of a user list"),
        ("Anzeigename,Benutzerprinzipalname\nAda,ada@x.example\n", "line 1: it does not begin with the column names"),
        (b"\xff\xfe" + (HEADER + ADA).encode("utf-16-le")[:-1], "it holds bytes that are no text"),
        (HEADER.encode() + b"z\x81\x8d,\xe9,\n", "it holds bytes that are no text"),
    ],
)
@proves("Z2")
def test_a_file_that_is_not_whole_is_not_read_and_the_place_is_named(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    pages: list[Page] = []

    with pytest.raises(NeedsPerson) as needed:
        pages.extend(exported(tmp_path, text).pull(None))

    assert said in str(needed.value) and str(needed.value).startswith(str(tmp_path / "users.csv"))
    assert "export the list again" in needed.value.remedy
    assert not any(page.cursor for page in pages)


@pytest.mark.parametrize("what", ["missing", "folder", "pipe"])
def test_what_is_no_file_needs_a_person(tmp_path: Path, what: str) -> None:
    path = tmp_path / "users.csv"
    if what == "folder":
        path.mkdir()
    if what == "pipe":
        os.mkfifo(path)

    with pytest.raises(NeedsPerson, match=r"users\.csv (cannot be read|is no file)"):
        list(ExportedFile(path).pull(None))


def test_an_unchanged_file_is_told_by_one_empty_page_with_its_cursor(file: ExportedFile) -> None:
    cursor = cursor_of(file)

    assert list(file.pull(cursor)) == [Page(cursor=cursor, tenant=str(file.path))]


def test_a_file_that_was_only_touched_is_unchanged(file: ExportedFile) -> None:
    cursor = cursor_of(file)
    os.utime(file.path, (1, 1))

    (page,) = file.pull(cursor)

    assert page.accounts == () and not page.full and page.cursor not in (None, cursor)


def test_a_changed_file_is_read_whole(file: ExportedFile) -> None:
    cursor = cursor_of(file)
    exported(file.path.parent, HEADER + BEN)

    pages = list(file.pull(cursor))

    assert names(iter(pages)) == ["Ben Okoro"]
    assert all(page.full for page in pages)


def test_a_file_that_changes_while_it_is_read_is_read_later(file: ExportedFile) -> None:
    pages = file.pull(None)
    next(pages)
    with file.path.open("a") as more:
        more.write("cy@contoso.example,Cy Lund,\n")

    with pytest.raises(Transient, match="changed while it was read"):
        list(pages)


def test_a_file_that_is_replaced_while_it_is_read_is_read_later(file: ExportedFile) -> None:
    pages = file.pull(None)
    next(pages)
    os.replace(exported_beside(file), file.path)

    with pytest.raises(Transient, match="changed while it was read"):
        list(pages)


def exported_beside(file: ExportedFile) -> Path:
    other = file.path.with_suffix(".new")
    other.write_text(HEADER + ADA + BEN)
    return other


def test_a_walk_that_is_taken_up_in_another_file_is_begun_anew(tmp_path: Path) -> None:
    rows = "".join(f"p{n}@contoso.example,P{n},\n" for n in range(2500))
    file = exported(tmp_path, HEADER + rows)
    first, second = islice(file.pull(None), 2)
    assert names(file.pull(None, second.resume))[0] == "P2000"

    exported(tmp_path, HEADER + rows + ADA)

    with pytest.raises(CursorExpired):
        list(file.pull(None, first.resume))


def test_a_list_that_lost_its_object_ids_is_not_taken_for_new_people(file: ExportedFile) -> None:
    cursor = cursor_of(file)
    exported(file.path.parent, "User principal name,Display name\nada@contoso.example,Ada Winter\n")

    with pytest.raises(NeedsPerson, match="everybody in it would be somebody new") as needed:
        list(file.pull(cursor))

    assert "sync --full" in needed.value.remedy
    assert names(file.pull(None)) == ["Ada Winter"]


@proves("Z11")
def test_a_file_is_known_by_its_path(file: ExportedFile, tmp_path: Path) -> None:
    cursor = cursor_of(file)
    other = ExportedFile(exported_beside(file))

    assert file.tenant() == str(tmp_path / "users.csv")
    with pytest.raises(CursorExpired):
        list(other.pull(cursor))


@proves("D4")
def test_absence_from_a_file_is_no_evidence(file: ExportedFile) -> None:
    assert not file.capabilities.absence_is_evidence
    assert list(file.look_up([AccountId("ada")])) == [Sighting(AccountId("ada"), UNKNOWN)]
    assert file.count() is None


def test_what_no_export_tells_is_not_told(file: ExportedFile) -> None:
    assert [found.groups for found in file.find_groups(["Backup Staff"])] == [()]
    assert list(file.mailboxes([AccountId("ada")])) == []
    assert list(file.read_group("x")) == []
    assert [page.edges for page in file.pull_groups(None, ["x"])] == [()]
