"""On which terms a company buys, or the provider for the global pool: price, seller, and when a lot ends (P5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from policies.document import BUILT_IN_SAFETY, Buying, Licenses, Money, Purchasing
from policies.model import License, Safety
from policies.pricing import estimate, year_end
from policies.provider import AUTOMATED, CatalogEntry, Provider
from store.directories import RETIRED
from store.lots import day_after
from store.orders import MANUAL
from store.times import instant
from worker.errors import Usage
from worker.operations.ending import DAY, last_day_of
from worker.operations.policies import InForce, in_force, parsed
from worker.operations.policy_folder import PROVIDER_FILE, provider_file

if TYPE_CHECKING:
    from store.orders import Order
    from store.transaction import Transaction
    from worker.bootstrap import App

PROVIDER = 0
"""The key of the provider, who owns the global pool."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Who buys, and how."""

    company: int
    licenses: Licenses
    purchasing: Purchasing
    catalog: Mapping[str, CatalogEntry] = field(default_factory=lambda: dict(AUTOMATED))
    safety: Safety = BUILT_IN_SAFETY

    @property
    def seller(self) -> str:
        """What the provider buys for the global pool a person buys."""
        return MANUAL if self.company == PROVIDER else self.purchasing.seller.kind

    def price(self, license: str) -> Money | None:
        """What a seat costs for a term: of the automated types as `purchasing` says, of others as the catalog does."""
        if license in tuple(License):
            return self.buying(license).price
        entry = self.catalog.get(license)
        return None if entry is None else entry.price

    def term(self, license: str) -> str:
        """The term for which a license is bought."""
        if license in tuple(License):
            return self.buying(license).term
        return self.catalog.get(license, CatalogEntry()).term

    def buying(self, license: str) -> Buying:
        """How a license is bought; for kinds that nothing buys by itself what holds where nothing is said."""
        if license not in tuple(License):
            return Buying()
        found: Buying = getattr(self.purchasing, license)
        return found

    def year_end(self, tx: "Transaction", pool: int, term: str, starts: date, now: int) -> date | None:
        """The first day on which a yearly lot of the pool is no longer valid; None where it has a year, or another
        term, of its own (P5)."""
        if term != "yearly":
            return None
        oldest = None if self.licenses.renew == "off" else tx.renewals.oldest_end(pool, now)
        return year_end(starts, self.licenses.anniversary, None if oldest is None else instant(oldest).date())

    def last_day(self, tx: "Transaction", pool: int, term: str, starts: date, now: int) -> date | None:
        """The last day of a lot whose seller names none; None never ends."""
        ends = self.year_end(tx, pool, term, starts, now)
        return last_day_of(term, starts, None if ends is None else ends - DAY)

    def begins(self, tx: "Transaction", order: "Order", now: int) -> int:
        """When the lot of an order begins that has come: now, or when the lot ends that it renews (M3), unless all of
        its own term would be over by now."""
        begins = tx.orders.begins(order, now)
        ends = self.last_day(tx, order.pool, order.term, instant(begins).date(), now)
        return now if ends is not None and day_after(ends) <= now else begins

    def estimate(
        self, tx: "Transaction", pool: int, license: str, seats: int, term: str, starts: date, now: int
    ) -> Money | None:
        """What seats that are bought from a day on are estimated to cost (P5)."""
        ends = self.year_end(tx, pool, term, starts, now)
        return estimate(self.price(license), seats, term, starts, ends)


def terms_of(app: "App", tx: "Transaction", company: int) -> Terms:
    """The terms of a company, or of the provider. A company that is retired, or has no policy in force, buys nothing
    by itself, and renews nothing."""
    if company == PROVIDER:
        provider = provider_in_force(app, tx)
        said = provider.defaults
        return Terms(PROVIDER, said.licenses, said.purchasing, provider.catalog, said.safety)
    row = tx.directories.company_by_key(company)
    policy = in_force(app, tx, row.id)
    if policy is None or row.state == RETIRED:
        return Terms(company, Licenses(renew="off"), Purchasing())
    return terms_in(company, policy)


def terms_in(company: int, policy: InForce) -> Terms:
    """The terms of a company whose policy is at hand."""
    said = policy.policy
    return Terms(company, said.licenses, said.purchasing, policy.provider.catalog, said.safety)


def provider_in_force(app: "App", tx: "Transaction") -> Provider:
    """What the provider says for all companies, as it was read with the newest policy in force; as long as none is,
    what the policy folder says."""
    version = tx.versions.newest_in_force()
    return _in_folder(app) if version is None else parsed(version, app.kinds).provider


def provider_saying(app: "App", tx: "Transaction", says: Callable[[Provider], bool]) -> Provider:
    """What the provider says, as it is in force; what is not said there, and no pass has put in force yet, is looked
    for in the policy folder, for people who have just written it."""
    found = provider_in_force(app, tx)
    return found if says(found) else _in_folder(app)


def _in_folder(app: "App") -> Provider:
    return provider_file(app.settings.policy_dir / PROVIDER_FILE, app.kinds)[0]


def kind_of(app: "App", tx: "Transaction", license: str) -> CatalogEntry:
    """What the catalog says of a license kind (M7). Raises Usage for one that is not sold."""
    catalog = provider_saying(app, tx, lambda provider: license in provider.catalog).catalog
    if license not in catalog:
        raise Usage(f"{license!r} is no license that the provider sells, which are {', '.join(sorted(catalog))}")
    return catalog[license]


def estimate_of(terms: Terms, order: "Order", seats: int, starts: date, last: date | None) -> str | None:
    """What the seats of an order that came are estimated to cost, by the days that they are valid; `last` is the last
    of them."""
    own_year = last is None or last == last_day_of(order.term, starts, None)
    ends = None if last is None or own_year else last + DAY
    found = estimate(terms.price(order.license), seats, order.term, starts, ends)
    return None if found is None else str(found)
