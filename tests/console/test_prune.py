"""`seatkeeper lots prune`: removing lots that ended (M5)."""

import pytest

from tests.console.conftest import Terminal
from tests.proves import proves

ENDED = ("--starts", "2024-01-01", "--expires", "2024-12-31")


@pytest.fixture
def stock(terminal: Terminal) -> Terminal:
    """A lot that renews and one that does not, both ended, and one that is valid."""
    for more in (("--ref", "renews", *ENDED), ("--ref", "ends", "--no-renew", *ENDED), ("--term", "perpetual")):
        assert terminal("lots", "add", "standard", "5", *more).code == 0
    return terminal


def refs(stock: Terminal) -> list[str | None]:
    return sorted((lot["ref"] for lot in stock("lots", "list", "--json").json), key=str)


@proves("M5")
def test_lots_that_ended_are_removed_and_others_are_not(stock: Terminal) -> None:
    said = stock("lots", "prune", "--expired", "--yes", "--json")
    assert said.code == 0
    assert sorted(lot["ref"] for lot in said.json["removed"]) == ["ends", "renews"]
    assert refs(stock) == [None]
    assert stock("lots", "prune", "--expired", "--json").json == {"removed": [], "dry_run": False}
    assert "lot.removed" in {entry["what"] for entry in stock("audit", "--json").json}


@proves("M5")
def test_only_those_that_were_to_be_renewed_can_be_removed(stock: Terminal) -> None:
    assert stock("lots", "prune", "--expired-renewing", "--yes").code == 0
    assert refs(stock) == [None, "ends"]


def test_a_dry_run_removes_nothing_and_needs_no_consent(stock: Terminal) -> None:
    said = stock("lots", "prune", "--expired-unheld", "--dry-run", "--json")
    assert (said.code, len(said.json["removed"]), said.json["dry_run"]) == (0, 2, True)
    assert stock("lots", "prune", "--expired", "--dry-run").out.startswith("Would remove 2 lots that ended.")
    assert len(refs(stock)) == 3


@proves("M5")
def test_nothing_is_removed_without_consent(stock: Terminal) -> None:
    said = stock("lots", "prune", "--expired", "--json")
    assert said.code == 2
    assert said.error["message"].startswith("Remove 2 lots that ended?")
    assert len(refs(stock)) == 3


def test_it_must_be_said_which(stock: Terminal) -> None:
    said = stock("lots", "prune", "--yes", "--json")
    assert said.code == 2
    assert said.error["message"] == "say which: --expired, --expired-renewing or --expired-unheld"
