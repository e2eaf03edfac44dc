"""What a provider bills from, against a recount from the record."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from store.errors import NotFound
from store.soundness import untrue
from store.usage import DAY, Measure, Usage
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.errors import Usage as WrongUsage
from worker.operations.endpoints import add_endpoint, assign_to
from worker.operations.linking import link
from worker.operations.pool_pass import pass_pools
from worker.operations.reporting import usage

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
RULES = """
- {name: shared, mailboxes: shared, license: standard}
- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}
"""
TRANSACTIONS = "SELECT audit_first, last - first FROM feed WHERE company = :company ORDER BY audit_first"
ENTRIES = "SELECT n, at, what, subject, after FROM audit WHERE company = :company ORDER BY n"


def levels(world: World, company: int) -> Iterator[tuple[int, dict[tuple[str, str], int]]]:
    """What a company held after every transaction, out of its part of the record alone."""
    ends = {first + more for first, more in world.rows(TRANSACTIONS, company=company)}
    holds: dict[str, tuple[str, str]] = {}
    for n, at, what, subject, after in world.rows(ENTRIES, company=company):
        told: dict[str, Any] = msgspec.json.decode(after or "{}")
        if what == "account.linked":
            holds.pop(subject, None)
        elif what.startswith("license."):
            holds.pop(subject, None)
            if told:
                holds[subject] = (told["license"], "expired" if "expired" in told else told["through"])
        if n in ends:
            yield at, {held: list(holds.values()).count(held) for held in holds.values()}


def recounted(world: World, company: int, first: date, last: date) -> dict[tuple[str, str], Measure]:
    moments = [(datetime.fromtimestamp(at / 1e6, UTC).date(), held) for at, held in levels(world, company)]
    found = {}
    for key in {key for _, held in moments for key in held}:
        peaks, day, level = [], first, 0
        while day <= last:
            before = [held.get(key, 0) for at, held in moments if at < day][-1:] or [0]
            within = [held.get(key, 0) for at, held in moments if at == day]
            peaks.append(max(before + within))
            level = (before + within)[-1]
            day += timedelta(days=1)
        found[key] = Measure(max(peaks), level, sum(peaks))
    return {key: measure for key, measure in found.items() if measure.peak}


def reported(world: World, month: date) -> dict[tuple[str, str], Measure]:
    found: dict[tuple[str, str], Measure] = {}
    for row in usage(world.app, month):
        seats = Measure(row.peak, row.last_day, row.seat_days)
        ways = {"seat": seats, "entitlement": row.entitlement, "expired": row.expired}
        found |= {(row.license, way): measure for way, measure in ways.items() if measure.peak}
    return found


def two_months(world: World, contoso: Customer) -> None:
    """Hires, a leaver, a deletion, a lot that ends, a mailbox that becomes a shared one, a return."""
    contoso.hire("Ada", "Ben", "Cy", "Dan")
    contoso.mailbox("Info")
    staff = contoso.group("Staff", "Ada", "Ben", "Cy", "Dan")
    world.add_lot("standard", 4, expires=date(2026, 11, 20), renews=False, term="yearly")
    world.add_lot("archived", 2)
    contoso.policy(RULES)
    for day in range(40):
        if day == 3:
            contoso.delete("Ada")
        if day == 9:
            contoso.tenant.remove_member(staff, contoso.people["Ben"])
        if day == 24:
            world.add_lot("standard", 1)
        if day == 30:
            contoso.hire("Ada")
            contoso.tenant.add_member(staff, contoso.people["Ada"])
            world.add_lot("standard", 5)
        world.later(hours=24)
        pass_pools(world.app)
        contoso.sync()
    old, new = world.rows("SELECT id, state FROM account WHERE name = 'Ada' ORDER BY state = 'active'")
    link(world.app, new[0], old[0], PERSON)


@proves("A1", "M4")
@pytest.mark.slow
def test_usage_is_what_the_record_says(world: World, contoso: Customer) -> None:
    two_months(world, contoso)
    company = world.one("SELECT key FROM company WHERE id = 'contoso'")
    november, december = reported(world, NOVEMBER), reported(world, DECEMBER)
    assert november == recounted(world, company, NOVEMBER, date(2026, 11, 30))
    assert december == recounted(world, company, DECEMBER, world.clock().date())
    assert set(november) == {
        ("standard", "seat"), ("standard", "entitlement"), ("standard", "expired"), ("archived", "seat"),
    }  # fmt: skip
    assert november["standard", "seat"].peak == 4
    with world.store.read() as tx:
        assert tx.usage.untrue() == []


def test_a_report_is_of_one_company_or_of_all(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.policy("- {name: all, everyone: true, license: standard}")
    world.add_lot("standard", 4)
    contoso.sync()
    fabrikam = world.customer("fabrikam")
    fabrikam.hire("Bob", "Eve")
    fabrikam.policy("- {name: all, everyone: true, license: standard}")
    fabrikam.sync()
    world.later(days=1)
    none = Measure()
    assert usage(world.app, NOVEMBER) == [
        Usage("2026-11", "contoso", "standard", 1, 1, 2, none, none),
        Usage("2026-11", "fabrikam", "standard", 2, 2, 4, none, none),
    ]
    assert [row.company for row in usage(world.app, NOVEMBER, "fabrikam")] == ["fabrikam"]
    assert usage(world.app, date(2026, 10, 1)) == []
    with pytest.raises(WrongUsage, match="2026-12 has not begun yet"):
        usage(world.app, DECEMBER)
    with pytest.raises(NotFound):
        usage(world.app, NOVEMBER, "nobody")


def test_what_endpoints_hold_is_reported_like_what_accounts_hold(world: World, contoso: Customer) -> None:
    (world.folder / "provider.yaml").write_text("catalog: {computer: {term: yearly, per: computer}}\n")
    contoso.policy(RULES)
    world.add_lot("computer", 3, term="perpetual")
    add_endpoint(world.app, "front-desk", PERSON, company="contoso")
    assign_to(world.app, ["front-desk"], "computer", PERSON)
    world.later(days=1)
    assert usage(world.app, NOVEMBER) == [Usage("2026-11", "contoso", "computer", 1, 1, 2, Measure(), Measure())]
    with world.store.read() as tx:
        assert list(untrue(tx)) == []


def test_seats_that_a_renewal_brings_back_to_life_are_seats_again(world: World, contoso: Customer) -> None:
    """The order of a renewal is placed a day after the lot's end, which takes it back (M3)."""
    contoso.hire("Ada")
    lot = world.add_lot("standard", 1, expires=date(2026, 11, 9), term="yearly")
    contoso.policy("- {name: all, everyone: true, license: standard}")
    contoso.sync()
    world.later(days=8)
    with world.store.begin() as tx:
        key = tx.execute("SELECT key FROM lot WHERE id = :id", {"id": lot}).scalar_one()
        tx.lots.lock_pool(0)
        tx.exchanges.tell(0, int(world.clock().timestamp() * 1e6))
    assert reported(world, NOVEMBER)["standard", "expired"] == Measure(1, 1, 1)
    with world.store.begin() as tx:
        now = int(world.clock().timestamp() * 1e6)
        tx.execute(
            "INSERT INTO orders (id, company, pool, license, seats, state, term, idempotency_key, seller, because,"
            " renews_lot, created_at, changed_at) VALUES ('order-1', 0, 0, 'standard', 1, 'placed', 'yearly', 'k',"
            " 'manual', '', :lot, :now, :now)",
            {"lot": key, "now": now},
        )
        tx.renewals.follow(0, now)
    world.later(microseconds=DAY)
    assert reported(world, NOVEMBER)["standard", "expired"] == Measure(1, 0, 1)
    with world.store.read() as tx:
        assert tx.usage.untrue() == []
