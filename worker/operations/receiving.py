"""What a seller said of an order, recorded in one transaction with all that follows from it (P4, P7, M9).

    placed       the order is the seller's, and looked up at growing intervals
    fulfilled    a lot is made, and whoever waits is served
    refused      the order failed, and nothing is bought for the company until a person has looked
    otherwise    more seats than were ordered, none, or seats that ended already: held, and nothing is changed (Z2)

Told again, nothing happens again: an order that is over stays as it is.
"""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.base import Receipt, Refusal
from policies.license_keys import BadKey, LicenseKey
from store.directories import CompanyRow
from store.lots import day_after, start_of
from store.order_rows import FULFILLED, PLACED, WANTED, Order
from store.orders import SYSTEM
from store.outbox import Outgoing
from store.times import instant, micros
from worker.operations.delivered_keys import unfit
from worker.operations.policies import InForce
from worker.operations.pools import bought_for, concerned, serve_pool
from worker.operations.terms import estimate_of, terms_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

log = logging.getLogger(__name__)

SECOND = 1_000_000
FIRST, LONGEST = 30 * SECOND, 3_600 * SECOND
"""The first delay after an attempt that brought nothing, doubled from one to the next, and the longest."""
SOONEST = 60 * SECOND
"""Between two looks at a placed order, which come further apart as it grows older."""


@dataclass(frozen=True, slots=True)
class Errand:
    """An order under way, as it stood when it was claimed."""

    entry: Outgoing
    order: Order
    company: CompanyRow
    in_force: InForce | None


def record(app: "App", errand: Errand, said: Receipt | Refusal, key: LicenseKey | BadKey | None = None) -> None:
    """Write down what the seller said, unless somebody was quicker. `key` is the license key that came with it."""
    now = micros(app.clock())
    with app.store.begin() as tx:
        order = _locked(tx, errand, said, now)
        if order.state not in (WANTED, PLACED):
            log.info("order %s is %s already", order.id, order.state)
        elif isinstance(said, Receipt):
            _received(app, tx, errand, order, said, key, now)
        elif order.state == WANTED:
            tx.orders.failed(order.id, said.why, now)
            log.warning("order %s of %s was refused: %s", order.id, errand.company.id, said.why)


def later(app: "App", errand: Errand, after: float | None = None) -> int:
    """When to ask again: further apart each time, a little by chance, and not before the seller wants to be asked."""
    now, order = micros(app.clock()), errand.order
    if order.state == PLACED:
        delay = max(SOONEST, min(LONGEST, (now - order.changed_at) // 2))
    else:
        delay = min(LONGEST, FIRST << min(errand.entry.attempts - 1, 12))
    delay = max(delay, int((after or 0.0) * SECOND))
    return now + delay + int(delay * 0.1 * app.random())


def _locked(tx: "Transaction", errand: Errand, said: Receipt | Refusal, now: int) -> Order:
    """The order, which nobody else changes until the transaction ends: directories are locked before pools, and pools
    before chains, as in every run."""
    order = errand.order
    brings = isinstance(said, Receipt) and said.state == FULFILLED
    if brings:  # what is short all the same is looked at by the next run (P1)
        for key in sorted(row.key for row in tx.directories.all(order.company)):
            tx.directories.plan_some(key)
    tx.lots.lock_pool(order.pool)
    if brings:
        tx.audit.open([order.pool, order.company, *concerned(tx, order.pool, now)])
    return tx.orders.by_id(order.id)


def _received(
    app: "App",
    tx: "Transaction",
    errand: Errand,
    order: Order,
    said: Receipt,
    key: LicenseKey | BadKey | None,
    now: int,
) -> None:
    day = None if said.expires is None else said.expires.isoformat()
    usable = max(now, terms_of(app, tx, order.company).begins(tx, order, now))
    not_his = unfit(tx, order, errand.company.id, said, key, usable)
    why = _unbelievable(order, said, usable) or not_his
    believer = None if why is None else tx.plans.delivery_approved(order, said.seats, day, key=not_his)
    if why is not None and believer is None:
        hash = tx.plans.hold_delivery(order, said.seats, day, f"{order.id}: {why}", now, key=not_his)
        tx.outbox.postpone(errand.entry, later(app, errand), f"{why}; look: `seatkeeper plan show {hash}`")
        log.warning("order %s of %s is held: %s", order.id, errand.company.id, why)
        return
    if why is None:
        tx.plans.withdraw_delivery(order, now)
    placed = tx.orders.placed(order.id, said.ref, now)
    if said.state == PLACED:
        tx.outbox.postpone(errand.entry, later(app, Errand(errand.entry, placed, errand.company, errand.in_force)))
        return
    if said.seats:
        fits = key if isinstance(key, LicenseKey) and not_his is None else None
        _deliver(app, tx, placed, said, believer, fits, now)
    else:
        tx.orders.ended_empty(order.id, believer or SYSTEM, why or "", now)


def _deliver(
    app: "App",
    tx: "Transaction",
    order: Order,
    said: Receipt,
    believer: str | None,
    key: LicenseKey | None,
    now: int,
) -> None:
    """Make the lot, unless its key was activated by hand already, and serve whoever waits (P4, M6)."""
    terms = terms_of(app, tx, order.company)
    begins = terms.begins(tx, order, now)
    term, starts_at, ends = order.term, begins, said.expires
    if key is not None:
        term, ends = key.term, key.expires or (None if key.term == "perpetual" else said.expires)
        starts_at = begins if key.starts is None else start_of(key.starts)
    starts = instant(starts_at).date()
    ends = ends or terms.last_day(tx, order.pool, term, starts, now)
    there = None if key is None else tx.license_keys.lot_of(key.id)
    lot = tx.orders.fulfill(
        order.id,
        believer or SYSTEM,
        now,
        starts_at=starts_at,
        expires_at=None if ends is None else day_after(ends),
        seats=said.seats,
        ref=said.ref,
        more=believer is not None,
        estimate=estimate_of(terms, order, said.seats, starts, ends),
        term=term,
        lot=there,
    )
    if key is not None and there is None:
        tx.license_keys.use_up(key.id, lot, SYSTEM, now)
    tally = serve_pool(app, tx, order.pool, now, bought_for=bought_for(order))
    log.info("order %s brought %d seats; %d changes followed", order.id, said.seats, tally.total)


def _unbelievable(order: Order, said: Receipt, usable: int) -> str | None:
    """What is wrong with an answer, in numbers; None where nothing is (accident 25). `usable` is from when on its seats
    could be used: an answer after that is of seats that ended already."""
    if said.seats > order.seats:
        return f"the seller answers {said.seats:,} seats, and {order.seats:,} were ordered"
    if said.seats < 1:
        return f"the seller answers no seats, and {order.seats:,} were ordered"
    if said.expires is not None and day_after(said.expires) <= usable:
        return f"the seller answers {said.seats:,} seats that end on {said.expires}, before they begin"
    return None
