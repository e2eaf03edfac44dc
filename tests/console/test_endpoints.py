"""What people type about other license kinds and license keys: `endpoints`, `lots`, `orders` (M6, M7)."""

import pytest

from tests.console.conftest import Terminal
from tests.license_keys import Issuer
from tests.proves import proves

CATALOG = "catalog: {computer: {price: 12.00 USD, term: perpetual, per: computer}}\n"


@pytest.fixture
def selling(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """A provider that sells licenses per computer, signs license keys, and has no customer yet."""
    issuer = Issuer()
    secrets = terminal.folder / "secrets"
    secrets.mkdir()
    monkeypatch.setenv("SEATKEEPER_SECRETS_DIR", str(secrets))
    terminal.policy(CATALOG + issuer.publish(secrets), "provider.yaml")
    return issuer


@proves("M7")
def test_a_kind_of_the_catalog_is_added_assigned_and_shown(terminal: Terminal, selling: Issuer) -> None:
    said = terminal("lots", "add", "computer", "2", "--json")
    assert said.code == 0
    assert (said.json["license"], said.json["term"], said.json["expires"]) == ("computer", "perpetual", None)
    added = terminal("endpoints", "add", "front-desk", "--kind", "computer")
    assert (added.code, added.out) == (0, "Added front-desk (provider).\n")
    assert terminal("endpoints", "add", "lab").code == 0
    done = terminal("licenses", "assign", "--endpoint", "front-desk", "--license", "computer", "--json")
    assert done.code == 0
    assert {key: done.json[key] for key in ("wanted", "free", "short", "left_out")} == {
        "wanted": 1, "free": 2, "short": 0, "left_out": [],
    }  # fmt: skip
    assert [row["name"] for row in done.json["assigned"]] == ["front-desk"]
    [front, lab] = terminal("endpoints", "list", "--json").json
    assert (front["name"], front["company"], front["kind"], front["license"]) == (
        "front-desk", "provider", "computer", "computer",
    )  # fmt: skip
    assert (front["lot"], front["state"], lab["state"]) == (said.json["id"], "licensed", "unlicensed")
    pools = terminal("status", "--json").json["pools"]
    assert {"pool": "global", "company": None, "license": "computer", "seats": 2, "held": 1, "free": 1, "expired": 0,
            "on_order": 0} in pools  # fmt: skip
    assert [pool["license"] for pool in pools] == ["standard", "archived", "computer"]
    assert "computer" in terminal("lots", "list").out and "front-desk" in terminal("endpoints", "list").out
    assert [row["name"] for row in terminal("endpoints", "list", "--license", "computer", "--json").json] == [
        "front-desk"
    ]


@proves("M7", "L6")
def test_too_few_seats_for_endpoints_is_exit_4_and_taking_asks_first(terminal: Terminal, selling: Issuer) -> None:
    terminal("lots", "add", "computer", "1")
    for name in ("a", "b"):
        terminal("endpoints", "add", name)
    both = ("--endpoint", "b", "--endpoint", "a", "--license", "computer")
    refused = terminal("licenses", "assign", *both, "--json")
    assert refused.code == 4
    assert {key: refused.json[key] for key in ("wanted", "free", "short", "assigned")} == {
        "wanted": 2, "free": 1, "short": 1, "assigned": [],
    }  # fmt: skip
    assert refused.error["code"] == "insufficient_licenses"
    assert "2 computer wanted, 1 free, 1 short" in terminal("licenses", "assign", *both).err
    fits = terminal("licenses", "assign", *both, "--as-many-as-fit")
    assert (fits.code, fits.out) == (0, "Assigned computer to a.\nLeft out, 2 wanted and 1 free: b.\n")
    asked = terminal("licenses", "deactivate", "--endpoint", "a")
    assert asked.code == 2 and "repeat with --yes" in asked.err
    assert terminal("endpoints", "remove", "a", "--json").error["code"] == "conflict"
    assert terminal("licenses", "deactivate", "--endpoint", "a", "--yes").out == "Deactivated a.\n"
    assert terminal("endpoints", "remove", "a", "--json").json == {"removed": "a"}
    released = [event["type"] for event in terminal("feed", "--after", "0", "--json").json]
    assert released[-2:] == ["seatkeeper.endpoint.released", "seatkeeper.endpoint.removed"]


@proves("M7")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("licenses", "assign", "ada", "--endpoint", "a"), "name accounts, or endpoints: not both"),
        (("licenses", "assign", "ada", "--company", "contoso"), "--company says whose an --endpoint is"),
        (("licenses", "assign", "ada", "--license", "computer"), "'computer' is not one of 'standard', 'archived'"),
        (("licenses", "assign", "--endpoint", "a", "--license", "computer"), "there is no endpoint 'a'"),
        (("endpoints", "add", "a", "--kind", "toaster"), "'toaster' is not one of"),
        (("endpoints", "add", "a", "--company", "nobody"), "there is no company 'nobody'"),
        (("lots", "add", "gold", "1"), "'gold' is no license that the provider sells"),
        (("orders", "add", "gold", "1"), "'gold' is no license that the provider sells"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    terminal: Terminal, selling: Issuer, arguments: tuple[str, ...], complaint: str
) -> None:
    said = terminal(*arguments)
    assert said.code == 2 and complaint in said.err


@proves("M7", "P5")
def test_a_person_orders_another_kind_and_marks_it_as_fulfilled(terminal: Terminal, selling: Issuer) -> None:
    said = terminal("orders", "add", "computer", "3", "--json").json
    assert (said["license"], said["seats"], said["state"], said["estimate"]) == ("computer", 3, "placed", "36.00 USD")
    [row] = terminal("orders", "list", "--json").json
    assert (row["license"], row["company"], row["estimate"]) == ("computer", "provider", "36.00 USD")
    assert terminal("status", "--json").json["pools"][2]["on_order"] == 3
    done = terminal("orders", "fulfill", said["id"], "--seats", "2")
    assert "What came is estimated at 24.00 USD; the order was estimated at 36.00 USD." in done.out
    assert terminal("status", "--json").json["pools"][2]["free"] == 2
    large = terminal("orders", "add", "computer", "60", "--json")
    assert (large.code, large.json["state"]) == (3, "awaiting_approval")
    assert terminal("orders", "approve", large.json["id"]).code == 0


@proves("M6")
def test_a_license_key_is_activated_once(terminal: Terminal, selling: Issuer) -> None:
    key = selling.key(seats=5, starts=None, expires=None)
    said = terminal("lots", "activate", key, "--json")
    assert said.code == 0
    assert (said.json["license"], said.json["seats"], said.json["ref"]) == ("standard", 5, "key-1")
    again = terminal("lots", "activate", key, "--json")
    assert again.code == 1 and again.error["code"] == "conflict" and said.json["id"] in again.error["message"]
    assert [lot["seats"] for lot in terminal("lots", "list", "--json").json] == [5]
    later = terminal("lots", "activate", selling.key(id="later", starts="2090-01-01", expires="2090-12-31"))
    assert "(yearly, from 2090-01-01, valid through 2090-12-31)" in later.out


@proves("M6")
def test_a_key_that_cannot_be_activated_says_why(terminal: Terminal, selling: Issuer) -> None:
    said = terminal("lots", "activate", "nonsense", "--json")
    assert (said.code, said.error["code"]) == (2, "usage") and "this is no license key" in said.error["message"]
    for key, why in (
        (Issuer().key(), "is not signed by this provider"),
        (selling.key(starts="2020-01-01", expires="2020-12-31"), "ended on 2020-12-31"),
    ):
        said = terminal("lots", "activate", key, "--json")
        assert (said.code, said.error["code"]) == (1, "license_key") and why in said.error["message"]
    said = terminal("lots", "activate", selling.key(company="contoso"), "--company", "fabrikam", "--json")
    assert (said.code, said.error["code"]) == (2, "usage")
    assert terminal("lots", "list", "--json").json == []
