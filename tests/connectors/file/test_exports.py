"""The exports of the vendors' admin centers, with their real column names, and what spreadsheets make of them."""

from pathlib import Path

import pytest

from connectors.base import Seen
from connectors.file.directory import ExportedFile
from connectors.file.mapping import accounts
from connectors.file.rows import print_of, table
from tests.proves import proves

EXPORTS = Path(__file__).parent / "exports"
ADELE = Seen(
    "6e7b768e-07e2-4810-8459-485f84f8f204",
    address="adele@contoso.example",
    name="Adele Vance",
    enabled=True,
    mailbox="user",
    department="Finance",
    job_title="Manager",
    office="18/2111",
    city="Seattle",
    state="WA",
    country="United States",
)


def read(path: Path) -> list[Seen]:
    return [seen for page in ExportedFile(path).pull(None) for seen in page.accounts]


@proves("S6")
def test_the_export_of_the_microsoft_365_admin_center() -> None:
    adele, former, deleted = read(EXPORTS / "microsoft365.csv")

    assert adele == ADELE
    assert (former.address, former.enabled, former.city) == ("former@contoso.example", False, "")
    assert deleted == Seen("25dc0000-959e-4ece-9973-e5d9b800e8cc", gone="deleted")


def test_the_older_export_of_the_microsoft_365_admin_center() -> None:
    assert read(EXPORTS / "microsoft365-older.csv") == [ADELE]


def test_the_export_of_the_entra_admin_center() -> None:
    adele, pat = read(EXPORTS / "entra.csv")

    assert adele == ADELE._replace(guest=False, company="Contoso")
    assert (pat.id, pat.guest, pat.mailbox) == ("0f1a2b3c-0000-4000-8000-0000000000aa", True, "user")
    assert pat.address == "pat_fabrikam.example#EXT#@contoso.onmicrosoft.com"


def test_the_older_export_of_the_entra_admin_center() -> None:
    assert read(EXPORTS / "entra-older.csv") == [ADELE._replace(guest=False, enabled=False)]


def test_the_export_of_the_google_admin_console() -> None:
    ada, ben = read(EXPORTS / "google.csv")

    assert ada == Seen(
        "ada.winter@contoso.example",
        address="Ada.Winter@contoso.example",
        name="Ada Winter",
        enabled=True,
        mailbox="user",
        org_unit="/Sales/North",
        department="Sales",
        job_title="Account Executive",
        employee_type="Employee",
        cost_center="CC-1200",
    )
    assert (ben.id, ben.enabled, ben.org_unit) == ("ben@contoso.example", False, "/")


# What spreadsheets make of it

LINES = 'userPrincipalName,displayName,department\r\nzoe@contoso.example,Zoë Müller-Łuczak,"R&D; ""Lab"""\r\n'
ZOE = Seen(
    "zoe@contoso.example",
    address="zoe@contoso.example",
    name="Zoë Müller-Łuczak",
    mailbox="user",
    department='R&D; "Lab"',
)


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "users.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_encoding_that_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    assert read(saved(tmp_path, LINES.encode(encoding))) == [ZOE]


def test_utf_16_of_the_other_order(tmp_path: Path) -> None:
    assert read(saved(tmp_path, b"\xfe\xff" + LINES.encode("utf-16-be"))) == [ZOE]


def test_the_code_page_of_western_windows(tmp_path: Path) -> None:
    assert read(saved(tmp_path, LINES.replace("Ł", "L").encode("cp1252")))[0].name == "Zoë Müller-Luczak"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_delimiter_and_line_end(tmp_path: Path, delimiter: str, end: str) -> None:
    rows = [["userPrincipalName", "displayName"], ["ada@contoso.example", "Ada Winter"]]
    text = end.join(delimiter.join(row) for row in rows)

    assert [seen.name for seen in read(saved(tmp_path, text.encode()))] == ["Ada Winter"]


def test_a_line_that_names_the_delimiter_is_no_row(tmp_path: Path) -> None:
    text = "sep=;\r\nuserPrincipalName;displayName\r\nada@contoso.example;Ada Winter\r\n"

    assert [seen.name for seen in read(saved(tmp_path, text.encode()))] == ["Ada Winter"]


def test_line_breaks_and_delimiters_in_quotes_are_text(tmp_path: Path) -> None:
    text = 'userPrincipalName,displayName,office\nada@contoso.example,"Winter,\nAda","a;b\tc"\n'

    (ada,) = read(saved(tmp_path, text.encode()))

    assert (ada.name, ada.office) == ("Winter,\nAda", "a;b\tc")


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    text = "userPrincipalName,displayName\n\nada@contoso.example,Ada\n,\n\n"

    assert [seen.name for seen in read(saved(tmp_path, text.encode()))] == ["Ada"]


@pytest.mark.parametrize(
    "column, word, enabled",
    [
        ("accountEnabled", "TRUE", True),
        ("accountEnabled", "FALSCH", False),
        ("Account enabled", "vrai", True),
        ("Block credential", "True", False),
        ("Block credential", "falso", True),
        ("Sign-in status", "Sign-in allowed", True),
        ("Sign-in status", "Blocked", False),
        ("Status [READ ONLY]", "Archived", False),
        ("Status [READ ONLY]", "Something new", None),
        ("accountEnabled", "", None),
    ],
)
def test_whether_somebody_may_sign_in_is_told_in_several_words(
    tmp_path: Path, column: str, word: str, enabled: bool | None
) -> None:
    text = f"User principal name,{column}\nada@contoso.example,{word}\n"

    assert read(saved(tmp_path, text.encode()))[0].enabled is enabled


def test_a_name_is_put_together_where_the_export_has_only_parts(tmp_path: Path) -> None:
    text = "Email Address [Required],Last Name [Required]\nada@contoso.example,Winter\n"

    assert read(saved(tmp_path, text.encode()))[0].name == "Winter"


def test_whoever_has_no_sign_in_name_is_known_by_mail(tmp_path: Path) -> None:
    text = "mail,displayName\nAda@Contoso.example,Ada\n"

    (ada,) = read(saved(tmp_path, text.encode()))

    assert (ada.id, ada.address) == ("ada@contoso.example", "Ada@Contoso.example")


def test_who_has_no_object_id_in_a_list_with_object_ids_is_known_by_address(tmp_path: Path) -> None:
    text = "Object Id,User principal name\n,ADA@contoso.example\n6E7B768E-07E2-4810-8459-485F84F8F204,ben@x.example\n"

    assert [seen.id for seen in read(saved(tmp_path, text.encode()))] == [
        "ada@contoso.example",
        "6e7b768e-07e2-4810-8459-485f84f8f204",
    ]


def test_a_million_rows_are_read_one_by_one(tmp_path: Path) -> None:
    """Not a million here, but a generator all the way: nothing of a row is kept when the next one is read."""
    path = saved(tmp_path, b"userPrincipalName,displayName\n" + b"".join(b"p%d@x.example,P\n" % n for n in range(5000)))
    with path.open("rb") as file, table(file, print_of(file).encoding, "users.csv") as rows:
        told = accounts(rows)
        assert next(told).id == "p0@x.example"
        assert rows.line == 2
        assert sum(1 for _ in told) == 4999
