"""Renewing lots: ordered ahead of their end, for what they had or for what is needed, and never capped (M3, P9)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.document import Buying, Licenses, Purchasing
from policies.pricing import estimate
from policies.renewing import is_due, reminder, seats_to_renew
from store.directories import RETIRED
from store.errors import Conflict, NotFound
from store.lots import last_day
from store.orders import MANUAL, Order
from store.renewals import Renewable
from store.times import instant, micros, span
from worker.operations.policies import in_force, parsed

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

PROVIDER = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """Who renews a lot, and how."""

    company: int
    licenses: Licenses
    purchasing: Purchasing

    def buying(self, license: str) -> Buying:
        found: Buying = getattr(self.purchasing, license)
        return found

    @property
    def seller(self) -> str:
        """What the provider bought by hand it renews by hand."""
        return MANUAL if self.company == PROVIDER else self.purchasing.seller.kind

    def is_due(self, lot: Renewable, now: int) -> bool:
        wanted = self.licenses.renew != "off" and not self.licenses.trial
        return wanted and is_due(lot.ends, span(self.licenses.renew_ahead), now)


def pools_to_renew(app: "App", tx: "Transaction", now: int) -> list[int]:
    """The pools in which a renewal is due or under way."""
    due = {lot.pool for lot in tx.renewals.wanted(now) if terms_of(app, tx, lot).is_due(lot, now)}
    return sorted(due.union(tx.renewals.pools()))


def renew_due(app: "App", tx: "Transaction", pool: int, now: int) -> None:
    """Order the renewals that are due, follow those under way, and remind people of open ones."""
    for lot in tx.renewals.wanted(now, pool):
        terms = terms_of(app, tx, lot)
        if terms.is_due(lot, now):
            _order(tx, lot, terms, terms.licenses.renew, now)
    tx.renewals.follow(pool, now)
    for lot in tx.renewals.open(pool):
        days = reminder(lot.ends, lot.reminded, now)
        if days is not None:
            tx.renewals.remind(lot, days, now)


def renew_lot(app: "App", id: str, who: str) -> Order:
    """Renew a lot now, whatever its policy says; for all of its seats, or for those in use where the policy wants that.

    Raises NotFound, and Conflict for a lot that never ends, or whose renewal is ordered already, or that nobody needs.
    """
    now = micros(app.clock())
    with app.store.begin() as tx:
        pool = tx.lots.by_id(id).pool
        tx.lots.lock_pool(pool)
        lot = tx.renewals.of(id)
        if lot is None:
            raise Conflict(f"{id} never ends; there is nothing to renew")
        if tx.renewals.is_ordered(lot.key):
            raise Conflict(f"the renewal of {id} is ordered already: seatkeeper orders list")
        terms = terms_of(app, tx, lot)
        mode = "as_needed" if terms.licenses.renew == "as_needed" else "all"
        order = _order(tx, lot, terms, mode, now, who)
        if order is None:
            raise Conflict(f"no seat of {id} is needed; there is nothing to renew")
        tx.renewals.follow(pool, now)
        return order


def _order(
    tx: "Transaction", lot: Renewable, terms: Terms, mode: str, now: int, who: str | None = None
) -> Order | None:
    buying = terms.buying(lot.license)
    seats = seats_to_renew(mode, seats=lot.seats, held=lot.held, spare=buying.spare)
    if seats <= 0:
        return None
    starts = instant(lot.ends).date()
    price = estimate(buying.price, seats, lot.term, starts, None)
    fewer = lot.seats - seats
    saved = estimate(buying.price, fewer, lot.term, starts, None) if fewer else None
    saving = "" if not fewer else f", {fewer} fewer than before" + ("" if saved is None else f", which saves {saved}")
    return tx.orders.want(
        company=terms.company,
        pool=lot.pool,
        license=lot.license,
        seats=seats,
        term=lot.term,
        seller=terms.seller,
        estimate=None if price is None else str(price),
        because=f"renewal of {lot.id}, which ends on {last_day(lot.ends)}{saving}",
        shortage=0,
        awaits_approval=False,
        now=now,
        renews_lot=lot.key,
        approved_by=who,
    )


def terms_of(app: "App", tx: "Transaction", lot: Renewable) -> Terms:
    """A company renews what is in its own pool and what was bought for it; the provider everything else."""
    company = lot.pool or _bought_by(tx, lot)
    if company != PROVIDER:
        row = tx.directories.company_by_key(company)
        policy = in_force(app, tx, row.id)
        if policy is not None and row.state != RETIRED:
            return Terms(company, policy.policy.licenses, policy.policy.purchasing)
        if lot.pool:
            return Terms(company, Licenses(renew="off"), Purchasing())
    versions = sorted(tx.versions.all_in_force(), key=lambda version: version.key)
    if not versions:
        return Terms(PROVIDER, Licenses(), Purchasing())
    defaults = parsed(versions[-1], app.kinds).provider.defaults
    return Terms(PROVIDER, defaults.licenses, defaults.purchasing)


def _bought_by(tx: "Transaction", lot: Renewable) -> int:
    if lot.order_id is None:
        return PROVIDER
    try:
        return tx.orders.by_id(lot.order_id).company
    except NotFound:
        return PROVIDER
