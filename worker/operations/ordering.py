"""What people decide about orders, and what follows at once: a fulfilled one brings seats, and these serve (P3, P4)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from policies.document import Buying
from policies.judging import Recent, Verdict
from policies.model import License, Limited
from store.directories import ACTIVE, RETIRED
from store.errors import Conflict
from store.lots import Listed, day_after
from store.orders import Order
from store.plans import HeldPlan
from store.times import instant, micros
from worker.operations.buying import awaits_approval, shortage
from worker.operations.ending import last_day_of
from worker.operations.lots import lot_of
from worker.operations.policies import in_force
from worker.operations.pools import bought_for, concerned, serve_pool
from worker.operations.serving import NO_BATCH, Service, Tally, stock_of
from worker.operations.terms import PROVIDER, estimate_of, kind_of, terms_in, terms_of

if TYPE_CHECKING:
    from store.orders import Orders
    from store.transaction import Transaction
    from worker.bootstrap import App


@dataclass(frozen=True, slots=True)
class Delivered:
    """The lot that a fulfilled order brought, as it stands after the waiting were served."""

    lot: Listed
    tally: Tally
    estimate: str | None = None
    """What the order was estimated to cost (P5)."""
    delivered_estimate: str | None = None
    """What came of it is estimated to cost, by its seats and its days."""


def want_order(app: "App", license: str, seats: int, who: str, *, company: str | None = None) -> Order:
    """Order seats that a person wants, for a company at its seller, or for the global pool by hand: of any license that
    the provider sells (M7). A large order, or one beyond the safety limit, waits for approval all the same (P3, Z1).

    Raises NotFound, Usage for a license that is not sold, and Conflict for a company that cannot buy (P6).
    """
    now = micros(app.clock())
    with app.store.begin() as tx:
        sold = kind_of(app, tx, license)
        row = tx.directories.company_by_key(PROVIDER) if company is None else tx.directories.company(company)
        tx.lots.lock_pool(row.pool)
        terms = terms_of(app, tx, row.key)
        terms = replace(terms, catalog={**terms.catalog, license: sold})
        if row.state == RETIRED or terms.licenses.trial:
            raise Conflict(f"{row.id} is {'retired' if row.state == RETIRED else 'on trial'}, and cannot buy")
        term = terms.term(license)
        price = terms.estimate(tx, row.pool, license, seats, term, instant(now).date(), now)
        recent = Recent(tx.orders.ordered_in_a_day(row.key, now), 0)
        within = Verdict(Limited.PURCHASE, seats, recent, terms.safety.purchase)
        return tx.orders.want(
            company=row.key,
            pool=row.pool,
            license=license,
            seats=seats,
            term=term,
            seller=terms.seller,
            estimate=None if price is None else str(price),
            because=f"asked for by {who}" + ("" if within.passes else f"; {within.why}"),
            shortage=0,
            awaits_approval=not within.passes or awaits_approval(terms.buying(license), seats, price),
            now=now,
            wanted_by=who,
        )


def approve_order(app: "App", id: str, who: str) -> Order:
    """Let an order that waits for a person go ahead: sent, or placed with the manual seller (P3)."""
    return _decide(app, lambda orders, now: orders.approve(id, who, now))


def reject_order(app: "App", id: str, who: str) -> Order:
    """Refuse an order; it is not made again until the shortage exceeds this one's (P3)."""
    return _decide(app, lambda orders, now: orders.reject(id, who, now))


def cancel_order(app: "App", id: str, who: str) -> Order:
    """Take back an order that was not sent, or that a person was to fulfill."""
    return _decide(app, lambda orders, now: orders.cancel(id, who, now))


def reopen_order(app: "App", id: str, who: str) -> Order:
    """Let what was rejected, cancelled or refused be ordered again, from the next run on."""
    return _decide(app, lambda orders, now: orders.reopen(id, who, now))


def fulfill_order(
    app: "App", id: str, who: str, *, seats: int | None = None, expires: date | None = None, ref: str | None = None
) -> Delivered:
    """The seats of an order are there: make their lot and serve whoever waits, in one transaction (P4, M9).

    What is short all the same is looked at by the next run: fewer seats may come than were ordered, and a cap may have
    let fewer be ordered than were short (P1).
    """
    now = micros(app.clock())
    with app.store.begin() as tx:
        order = tx.orders.by_id(id)
        _look_again(tx, order.company)  # directories are locked before pools, as in every run
        tx.lots.lock_pool(order.pool)
        tx.audit.open([order.pool, order.company, *concerned(tx, order.pool, now)])
        terms = terms_of(app, tx, order.company)
        starts_at = terms.begins(tx, order, now)
        begins = instant(starts_at).date()
        if expires is None:
            ends = terms.last_day(tx, order.pool, order.term, begins, now)
        else:
            ends = last_day_of(order.term, begins, expires)
        cost = estimate_of(terms, order, order.seats if seats is None else seats, begins, ends)
        expires_at = None if ends is None else day_after(ends)
        lot = tx.orders.fulfill(
            id, who, now, starts_at=starts_at, expires_at=expires_at, seats=seats, ref=ref, estimate=cost
        )
        tally = serve_pool(app, tx, order.pool, now, bought_for=bought_for(order))
        return Delivered(lot_of(tx, lot.id, order.pool, now), tally, order.estimate, cost)


def order_held(app: "App", plan: HeldPlan, who: str) -> Order:
    """Order what a safety limit held, because a person approved it (P1, Z1).

    Raises Conflict where it would be too many by now: less is short, or the caps allow less.
    """
    now = micros(app.clock())
    with app.store.begin() as tx:
        company = tx.directories.company_by_key(plan.company)
        tx.lots.lock_pool(company.pool)
        policy = in_force(app, tx, company.id)
        if policy is None or plan.license is None:
            raise Conflict(f"{company.id} has no policy in force any more")
        buying: Buying = getattr(policy.policy.purchasing, License(plan.license).value)
        if company.state != ACTIVE or policy.policy.licenses.trial or not buying.auto:
            raise Conflict(f"nothing is bought for {company.id} by itself any more")
        stock = stock_of(tx, company.key, company.pool, policy, now)
        service = Service(tx, company.key, policy, NO_BATCH, now, stock)
        short = shortage(tx, service, company.pool, plan.license, buying)
        if short.need.seats < plan.total:
            would = (
                f"{short.need.seats} seats would be ordered now" if short.need.seats else "nothing is short any more"
            )
            raise Conflict(f"{would}: {plan.total} of {plan.license} would be too many")
        tx.plans.approve(plan, who, now)
        terms = terms_in(company.key, policy)
        price = terms.estimate(tx, company.pool, plan.license, plan.total, buying.term, instant(now).date(), now)
        return tx.orders.want(
            company=company.key,
            pool=company.pool,
            license=plan.license,
            seats=plan.total,
            term=buying.term,
            seller=policy.policy.purchasing.seller.kind,
            estimate=None if price is None else str(price),
            because=plan.why,
            shortage=short.missing,
            awaits_approval=False,
            now=now,
            approved_by=who,
        )


def _decide(app: "App", decision: "Callable[[Orders, int], Order]") -> Order:
    with app.store.begin() as tx:
        return decision(tx.orders, micros(app.clock()))


def _look_again(tx: "Transaction", company: int) -> None:
    for key in sorted(row.key for row in tx.directories.all(company)):
        tx.directories.plan_some(key)
