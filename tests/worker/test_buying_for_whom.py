"""For whom nothing is bought by itself: those who could not be given the seat (P1, M9)."""

from datetime import timedelta

import pytest

from connectors.simulators.microsoft365 import Tenant
from tests.proves import proves
from tests.worker.world import Customer, World
from worker.operations.pool_pass import pass_pools
from worker.operations.runs import RunResult
from worker.operations.syncing import Asked, sync

STAFF = "- {name: staff, groups: [Staff], license: standard}"
BUYS = "{standard: {auto: true}}"
OTHER = "contoso-other"


@pytest.fixture
def other(world: World, contoso: Customer) -> Tenant:
    """The tenant of contoso's second directory, where Ada and Ben wait; Zoe waits in the first. Nothing is bought."""
    tenant = world.simulator.add_tenant(domain="other.example")
    tenant.create_group("Staff", members=[tenant.hire("Ada"), tenant.hire("Ben")])
    contoso.hire("Zoe")
    contoso.group("Staff", "Zoe")
    named(world, contoso, tenant)
    contoso.sync()
    sync_other(world)
    assert waiting(world) == 3
    return tenant


def named(world: World, contoso: Customer, tenant: Tenant | None, rules: str = STAFF, **sections: str) -> None:
    """The policy file names both directories; without a tenant, the first alone."""
    contoso.policy(rules, **sections)
    text = contoso.file.read_text(encoding="utf-8")
    if tenant is not None:
        head, entry = text.partition("rules:")[0].split("directories:\n")
        second = entry.replace(contoso.directory, OTHER).replace(contoso.tenant.id, tenant.id)
        contoso.file.write_text(text.replace(entry, entry + second), encoding="utf-8")
        assert head in text and world.load() == ()


def sync_other(world: World) -> RunResult:
    return sync(world.app, OTHER, Asked())


def waiting(world: World) -> int:
    return int(world.one("SELECT count(*) FROM waiting WHERE reason = 'insufficient_licenses'"))


def ordered(world: World) -> list[int]:
    return [seats for _, _, seats, _ in world.orders()]


@proves("P1", "Z11")
def test_nothing_is_bought_for_those_of_a_frozen_directory_until_it_is_back(
    world: World, contoso: Customer, other: Tenant
) -> None:
    named(world, contoso, None, purchasing=BUYS)
    contoso.sync()
    assert (ordered(world), waiting(world)) == ([1], 3)
    world.later(minutes=1)
    named(world, contoso, other, purchasing=BUYS)
    sync_other(world)
    assert ordered(world) == [1, 2]


@proves("P1", "Z9")
def test_a_directory_that_fails_for_a_moment_holds_up_no_purchase(
    world: World, contoso: Customer, other: Tenant
) -> None:
    named(world, contoso, other, purchasing=BUYS)
    other.revoke("User.Read.All")
    assert sync_other(world).outcome == "failed"
    world.later(hours=23)
    contoso.sync()
    assert ordered(world) == [3]


@proves("P1", "Z9", "Z12")
def test_nothing_is_bought_for_those_of_a_directory_that_fails_for_a_day_until_the_run_that_finds_it_well(
    world: World, contoso: Customer, other: Tenant
) -> None:
    named(world, contoso, other, purchasing=BUYS)
    other.revoke("User.Read.All")
    assert sync_other(world).outcome == "failed"
    world.later(hours=24)
    contoso.sync()
    assert ordered(world) == [1]
    world.fulfill()
    other.grant("User.Read.All")
    world.later(hours=1)
    sync_other(world)
    assert ordered(world) == [1, 2]
    world.fulfill()
    assert waiting(world) == 0


@proves("P1", "G6")
def test_the_limit_of_a_rule_is_left_to_those_who_can_be_served(world: World, contoso: Customer, other: Tenant) -> None:
    few = STAFF.replace("}", ", limit: 2}")
    named(world, contoso, None, few, purchasing=BUYS)
    contoso.sync()
    assert ordered(world) == [1]


@proves("P1", "M4", "M9", "Z11")
def test_for_expired_holders_of_a_frozen_directory_is_bought_since_they_are_served_wherever_they_are(
    world: World, contoso: Customer, other: Tenant
) -> None:
    world.add_lot("standard", 3, expires=(world.clock() + timedelta(days=7)).date(), renews=False)
    named(world, contoso, None, purchasing=BUYS)
    world.later(days=8)
    pass_pools(world.app)
    assert ordered(world) == [3]
    world.fulfill()
    assert waiting(world) == 0
