"""Buying what is short, in the transaction that found it short (P1, P2, P3, P6)."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from policies.document import Buying, Money
from policies.judging import Recent, Verdict
from policies.model import License, Limited, WaitReason
from policies.stock import Need, seats_to_buy
from store.directories import FROZEN
from store.limits import DAY
from store.times import instant, micros
from worker.operations.serving import Service
from worker.operations.terms import terms_in

if TYPE_CHECKING:
    from store.transaction import Transaction


def buy(tx: "Transaction", service: Service, pool: int) -> None:
    """Order what waiting accounts and `spare` need. Where the safety limit stops a purchase it is held, and nothing is
    ordered."""
    for license in License:
        buying: Buying = getattr(service.in_force.policy.purchasing, license.value)
        if not buying.auto or service.in_force.policy.licenses.trial:
            continue
        _buy(tx, service, pool, license.value, buying)


def _buy(tx: "Transaction", service: Service, pool: int, license: str, buying: Buying) -> None:
    company, now = service.company, service.now
    short = shortage(tx, service, pool, license, buying)
    if not short.need.seats or tx.orders.rejected_shortage(company, license) >= short.missing:
        tx.plans.withdraw_purchase(company, license, now)
        return
    seats = short.need.seats
    terms, today = terms_in(company, service.in_force), instant(now).date()
    price = terms.estimate(tx, pool, license, seats, buying.term, today, now)
    if _held(tx, service, license, seats, short.because, price):
        return
    tx.plans.withdraw_purchase(company, license, now)
    tx.orders.want(
        company=company,
        pool=pool,
        license=license,
        seats=seats,
        term=buying.term,
        seller=service.in_force.policy.purchasing.seller.kind,
        estimate=None if price is None else str(price),
        because=short.because,
        shortage=short.missing,
        awaits_approval=awaits_approval(buying, seats, price),
        now=now,
    )
    service.tally.add_order(license, f"{seats} seats: {short.because}", _at(price))


class Shortage(NamedTuple):
    """What is short for a company now."""

    missing: int
    """Seats, less those on order; 0 or below where nothing is."""
    need: Need
    """What of it may be ordered now, within the caps."""
    because: str


def shortage(tx: "Transaction", service: Service, pool: int, license: str, buying: Buying) -> Shortage:
    """What is short of a license now, and how much of it may be ordered (P1). The pool's row must be locked."""
    company, free, now = service.company, service.stock.free(license), service.now
    waiting = _waiting(tx, service, license)
    on_order = tx.orders.open_seats(pool, license, company=company)
    on_order += tx.orders.seats_renewing_ended(pool, license, company, now)
    need = seats_to_buy(
        waiting=waiting,
        spare=buying.spare,
        free=free,
        on_order=on_order,
        pack=buying.pack,
        most_per_order=buying.most_per_order,
        left_this_month=buying.most_per_month - tx.orders.bought_since(company, license, _month_start(now)),
        left_for_company=_left_for_company(tx, service, pool, license),
    )
    return Shortage(waiting + buying.spare - free - on_order, need, _because(waiting, buying.spare, free))


def _waiting(tx: "Transaction", service: Service, license: str) -> int:
    """How many wait for a seat and could be given it; of those whom a rule with a limit selects no more than it may
    still give (G6)."""
    reason = WaitReason.INSUFFICIENT_LICENSES.value
    waiting = tx.holdings.waiting_count(service.company, license, reason)
    away = _away(tx, service) if waiting else []
    if away:
        waiting -= tx.holdings.waiting_in(away, license, reason)
    limited = service.stock.rules_left
    if not waiting or not limited:
        return waiting
    by_source = tx.holdings.waiting_by_source(service.company, license, reason, sorted(limited), away)
    return waiting - sum(max(0, n - max(0, limited[source])) for source, n in by_source.items())


def _away(tx: "Transaction", service: Service) -> list[int]:
    """The company's directories whose accounts are given no seat for now, so that none is bought for them: those that
    are frozen, or have failed for a day. The run that finds one well again plans all of it (Z12), and buys."""
    return [
        row.key
        for row in tx.directories.all(service.company)
        if row.key != service.well
        and (row.state == FROZEN or (row.failing_since is not None and service.now - row.failing_since >= DAY))
    ]


def _left_for_company(tx: "Transaction", service: Service, pool: int, license: str) -> int | None:
    """More seats than the company may hold are not bought for it (M1). A seat for one of a lot that ended makes it hold
    no more than it does (M4)."""
    limit = service.in_force.policy.licenses.limit_of(license) if pool == 0 else None
    if limit is None:
        return None
    held = tx.holdings.held(service.company).get((license, "seat"), 0)
    held -= tx.exchanges.held_by(service.company, license, service.now)
    return max(0, limit - held - tx.orders.open_seats(pool, license, company=service.company))


def _held(tx: "Transaction", service: Service, license: str, seats: int, because: str, price: Money | None) -> bool:
    """Beyond the safety limit a purchase is held, unless a person rejected as much, and there is no order (P1, Z1)."""
    limit = service.in_force.policy.safety.purchase
    recent = Recent(tx.orders.ordered_in_a_day(service.company, service.now), 0)
    verdict = Verdict(Limited.PURCHASE, seats, recent, limit)
    if not verdict.passes:
        why = f"{verdict.why}: {because}{_at(price)}"
        tx.plans.hold_purchase(service.company, license, seats, why, service.now)
    return not verdict.passes


def awaits_approval(buying: Buying, seats: int, price: Money | None) -> bool:
    """P3: above so many seats, or so much money; money without a price always waits."""
    above = buying.approve_above
    if isinstance(above, Money):
        return price is None or price.amount > above.amount or price.currency != above.currency
    return seats > above


def _because(waiting: int, spare: int, free: int) -> str:
    parts = [f"{waiting} waiting"] if waiting else []
    if spare:
        parts.append(f"{spare} to spare")
    return f"{' and '.join(parts)}, {free} free"


def _at(price: Money | None) -> str:
    """The estimate, as a person is told of it before (P5)."""
    return "" if price is None else f", estimated at {price}"


def _month_start(now: int) -> int:
    at = instant(now)
    return micros(datetime(at.year, at.month, 1, tzinfo=UTC))
