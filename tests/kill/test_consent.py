"""A customer takes back what it allowed while its directory is read, and later allows it again (Z9, Z2)."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, Fault
from tests.kill.history import begin
from tests.kill.house import House, Ports, a_house
from tests.kill.test_outages import BEGUN, is_whole, licensed
from tests.proves import proves

pytestmark = pytest.mark.timeout(600)


class Withdrawal(NamedTuple):
    """How somebody takes it back, and allows it again; what is told of it."""

    withdraw: Callable[[House], None]
    allow: Callable[[House], None]
    told: str


def _without(permission: str) -> Withdrawal:
    """An administrator takes back one permission: the next token lacks it, and Graph answers 403."""
    return Withdrawal(
        lambda house: house.contoso.tenant.revoke(permission),
        lambda house: house.contoso.tenant.grant(permission),
        permission,
    )


WITHDRAWALS = {
    "users": _without("User.Read.All"),
    "application": Withdrawal(
        lambda house: house.contoso.tenant.withdraw_consent(SIMULATED_CLIENT_ID),
        lambda house: house.contoso.tenant.consent(SIMULATED_CLIENT_ID),
        "AADSTS700016",
    ),
    "in the middle of a walk": Withdrawal(
        lambda house: house.world.simulator.order(Fault("denied", "/users/delta", after=1, times=None)),
        lambda house: house.world.simulator.withdraw_faults(),
        "User.Read.All",
    ),
}


@proves("Z9", "Z2")
@pytest.mark.parametrize("how", WITHDRAWALS)
def test_consent_that_is_withdrawn_changes_nothing_and_all_goes_on_when_it_is_given_again(
    tmp_path: Path, fresh_postgres: str, redis_url: str, ports: Ports, how: str
) -> None:
    """People leave and come meanwhile, and a day goes by."""
    taken = WITHDRAWALS[how]
    with a_house(tmp_path / "house", fresh_postgres, redis_url, ports) as house:
        begin(house)
        house.start()
        licensed(house, BEGUN)
        before = stands(house)
        with house.between_passes():
            taken.withdraw(house)
            house.contoso.delete("Person 000", "Person 004")
            house.contoso.tenant.purge_user(house.contoso.people["Person 001"])
            joins(house, "Zoe", "Yan")
        house.world.later(hours=2)  # so that the token of before is over
        house.until(lambda: house.contoso.row().failures >= 2, house.contoso.row, in_real_time=True)
        assert stands(house) == before, "nothing was taken and nothing given"
        row = house.contoso.row()
        assert row.state == "failing"
        assert taken.told in f"{row.problem}; {row.remedy}" and "consent" in row.remedy
        for _ in range(12):
            failures = house.contoso.row().failures
            house.world.later(hours=2)
            house.until(lambda: house.contoso.row().failures > failures, house.contoso.row, in_real_time=True)  # noqa: B023
        assert stands(house) == before
        assert house.world.happened()["directory.failing"] == 1, "told once"
        taken.allow(house)
        house.world.later(hours=2)
        licensed(house, BEGUN + 2)
        house.until(lambda: list(house.contoso.licenses().values()).count("archived") == 3, house.contoso.licenses)
        assert (house.contoso.row().state, house.world.happened()["directory.recovered"]) == ("healthy", 1)
        is_whole(house)


@proves("G3", "Z9")
def test_groups_that_may_not_be_read_any_more_suspend_their_rules_until_they_may(
    tmp_path: Path, fresh_postgres: str, redis_url: str, ports: Ports
) -> None:
    """What users alone tell goes on: who is deleted is archived, and whose rule needs no group has a license."""
    with a_house(tmp_path / "house", fresh_postgres, redis_url, ports) as house:
        contoso, told = (
            house.contoso,
            "SELECT coalesce(groups_problem, '') || coalesce(groups_remedy, '') FROM directory",
        )
        begin(house)
        house.start()
        licensed(house, BEGUN)
        before = contoso.licenses()
        with house.between_passes():
            contoso.tenant.revoke("GroupMember.Read.All")
            contoso.delete("Person 000")
            contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Person 002"])
            joins(house, "Zoe")
            contoso.mailbox("Sales")
        house.world.later(hours=2)
        house.until(lambda: contoso.waiting() == {"Zoe": "rule_suspended"}, contoso.waiting, in_real_time=True)
        house.passes()
        assert contoso.licenses() == {**before, "Person 000": "archived", "Sales": "standard"}, "nobody left a group"
        assert "403" in house.world.one(told) and "GroupMember.Read.All" in house.world.one(told)
        contoso.tenant.grant("GroupMember.Read.All")
        house.world.later(hours=2)
        kept = {name: license for name, license in before.items() if name != "Person 002"}
        after = {**kept, "Person 000": "archived", "Sales": "standard", "Zoe": "standard"}
        house.until(lambda: contoso.licenses() == after, contoso.licenses)
        assert house.world.one(told) == ""
        is_whole(house)


def stands(house: House) -> object:
    """All that a customer has, and what is known of its directory: nothing of it may change."""
    found = house.world.outcome()
    return {what: rows for what, rows in found.items() if what != "record"}


def joins(house: House, *names: str) -> None:
    house.contoso.hire(*names)
    staff = house.contoso.tenant.find_group("Staff")
    house.contoso.tenant.add_members(staff, [house.contoso.people[name] for name in names])
