"""A dry run shows what a real one would do, and writes nothing (Z3)."""

from collections.abc import Callable

import pytest

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, Fault
from tests.proves import proves
from tests.worker.world import Customer, World, actions

RULES = """
- {name: executives, groups: [Executives], license: standard}
- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}
- {name: shared, mailboxes: shared, license: standard}
"""
LEASE = ("fence", "lease_owner", "lease_until")


def prepared(world: World, contoso: Customer) -> None:
    contoso.crowd(8)
    contoso.group("Executives", "Person 007")
    contoso.mailbox("Careers")
    world.add_lot("standard", 7)
    world.add_lot("archived", 1)
    contoso.policy(RULES, purchasing="{standard: {auto: true}}")


def nothing(world: World, contoso: Customer) -> None:
    """The first read of all."""


def a_day(world: World, contoso: Customer) -> None:
    """Hires, leavers, deletions and a moved mailbox."""
    contoso.sync()
    contoso.settle()
    contoso.delete("Person 000", "Person 001")
    contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Person 002"])
    contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Zoe"])
    contoso.tenant.convert_mailbox(contoso.people["Person 003"], "shared")
    contoso.tenant.disable(contoso.people["Person 003"])


def a_quiet_day(world: World, contoso: Customer) -> None:
    contoso.sync()
    contoso.settle()


def a_mass_deletion(world: World, contoso: Customer) -> None:
    contoso.sync()
    contoso.settle()
    contoso.delete(*(f"Person {n:03}" for n in range(7)))


def an_edited_policy(world: World, contoso: Customer) -> None:
    contoso.sync()
    contoso.settle()
    contoso.policy(RULES.replace("groups: [Staff]", "groups: [Nobody]"))


@proves("Z3")
@pytest.mark.parametrize("story", [nothing, a_day, a_quiet_day, a_mass_deletion, an_edited_policy])
def test_a_dry_run_writes_nothing_and_shows_what_the_real_one_does_after_it(
    world: World, contoso: Customer, story: Callable[[World, Customer], None]
) -> None:
    """Accident 14: test mode wrote for real."""
    prepared(world, contoso)
    story(world, contoso)
    before = written(world)
    dry = contoso.sync(dry=True)
    assert dry.outcome == "dry_run"
    assert written(world) == before
    real = contoso.sync()
    assert actions(dry) == actions(real)
    assert (dry.plan_hash, dry.held) == (real.plan_hash, real.held)
    assert (dry.actions_total, dry.error) == (real.actions_total, real.error)


@proves("Z3")
def test_a_dry_run_does_not_tire_out_the_next_real_one(world: World, contoso: Customer) -> None:
    prepared(world, contoso)
    for _ in range(2):
        contoso.sync(dry=True)
    assert world.one("SELECT count(*) FROM stage") == world.one("SELECT count(*) FROM proposal") == 0
    assert contoso.sync().outcome == "applied"


@proves("Z3", "Z2")
def test_a_dry_run_over_a_listing_that_is_not_believed_holds_nothing(wire: World) -> None:
    contoso = wire.customer()
    prepared(wire, contoso)
    contoso.sync()
    contoso.settle()
    before = written(wire)
    wire.simulator.order(Fault("empty_list", "/users/delta"))
    result = contoso.sync(dry=True, full=True)
    assert result.error is not None
    assert written(wire) == before


@proves("Z3", "Z9")
def test_a_dry_run_over_a_directory_that_cannot_be_read_leaves_its_state_as_it_is(wire: World) -> None:
    contoso = wire.customer()
    prepared(wire, contoso)
    contoso.sync()
    contoso.settle()
    before = written(wire)
    contoso.tenant.withdraw_consent(SIMULATED_CLIENT_ID)
    wire.later(hours=2)
    result = contoso.sync(dry=True)
    assert (result.outcome, bool(result.error), bool(result.remedy)) == ("failed", True, True)
    assert written(wire) == before
    assert contoso.row().state == "healthy"
    assert contoso.sync().outcome == "failed"
    failing = written(wire)
    contoso.tenant.consent(SIMULATED_CLIENT_ID)
    wire.later(hours=2)
    assert contoso.sync(dry=True).outcome == "dry_run"
    assert written(wire) == failing, "nor does one make it well"


@proves("Z3")
def test_a_dry_run_takes_no_ones_wish_for_a_pass_away(wire: World) -> None:
    """Who waits for it is answered by the pass that was asked for."""
    contoso = wire.customer()
    prepared(wire, contoso)
    for _ in range(2):
        with wire.store.begin() as tx:
            tx.directories.ask(contoso.key, int(wire.clock().timestamp() * 1_000_000))
        wire.later(seconds=1)
        assert contoso.sync(dry=True).outcome == "dry_run"
        assert contoso.row().asked_at is not None
        contoso.settle()
        assert contoso.row().asked_at is None


def written(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Everything but the working set and who holds the lease."""
    dump = world.dump()
    with world.store.read() as tx:
        columns = list(tx.execute("SELECT * FROM directory").keys())
    dump["directory"] = [
        tuple(value for name, value in zip(columns, row, strict=True) if name not in LEASE) for row in dump["directory"]
    ]
    return dump
