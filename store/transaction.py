"""One transaction over the store, with the repositories on it.

Opened by operations and read handlers with `store.begin()` or `store.read()`; nobody calls commit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, CursorResult, TextClause, text

from store.dialects import Dialect, Row, Types

if TYPE_CHECKING:
    from store.audit import Audit
    from store.by_hand import ByHand
    from store.channels import Channels
    from store.directories import Directories
    from store.duties import Duties
    from store.endpoints import Endpoints
    from store.exchanges import Exchanges
    from store.groups import Groups
    from store.holdings import Holdings
    from store.leases import Leases
    from store.legal_holds import LegalHolds
    from store.license_keys import LicenseKeys
    from store.links import Links
    from store.lots import Lots
    from store.mirror import Mirror
    from store.notices import Notices
    from store.orders import Orders
    from store.outbox import Outbox
    from store.plans import Plans
    from store.processes import Processes
    from store.proposals import Proposals
    from store.receivers import Receivers
    from store.renewals import Renewals
    from store.retentions import Retentions
    from store.staging import Staging
    from store.stock_warnings import StockWarnings
    from store.units import Units
    from store.usage import UsageDays
    from store.versions import Versions
    from store.views import Views
    from store.waiters import Waiters


@lru_cache(maxsize=1_000)
def _statement(sql: str) -> TextClause:
    """The parsed statement: an idle poll of two updates costs half as much when it is parsed once."""
    return text(sql)


@dataclass(frozen=True)
class Transaction:
    """A transaction; its repositories take and return values, never mapped objects."""

    connection: Connection
    dialect: Dialect

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement, the same text on both databases."""
        return self.connection.execute(_statement(sql), values or {})

    def execute_many(self, sql: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for many sets of values; for sets of a bounded size."""
        if values:
            self.connection.execute(_statement(sql), values)

    def stream(self, sql: str, values: Mapping[str, Any], size: int) -> Iterator[Sequence[Any]]:
        """Run one query and hand its rows out `size` at a time, without holding them all."""
        return self.dialect.stream(self.connection, sql, values, size)

    def seal(self) -> None:
        """What is written last of all, just before the commit: what is held by now, the audit's ends, and its places
        in the feed."""
        if "audit" in self.__dict__:
            self.usage.seal(self.audit.written())
            self.audit.seal()

    def copy(self, table: str, columns: Sequence[str], rows: Iterable[Row], types: Types = ()) -> None:
        """Write many rows; quicker where the types of their columns are told."""
        self.dialect.copy(self.connection, table, columns, rows, types)

    @cached_property
    def mirror(self) -> "Mirror":
        from store.mirror import Mirror

        return Mirror(self)

    @cached_property
    def staging(self) -> "Staging":
        from store.staging import Staging

        return Staging(self)

    @cached_property
    def channels(self) -> "Channels":
        from store.channels import Channels

        return Channels(self)

    @cached_property
    def units(self) -> "Units":
        from store.units import Units

        return Units(self)

    @cached_property
    def groups(self) -> "Groups":
        from store.groups import Groups

        return Groups(self)

    @cached_property
    def proposals(self) -> "Proposals":
        from store.proposals import Proposals

        return Proposals(self)

    @cached_property
    def holdings(self) -> "Holdings":
        from store.holdings import Holdings

        return Holdings(self)

    @cached_property
    def exchanges(self) -> "Exchanges":
        from store.exchanges import Exchanges

        return Exchanges(self)

    @cached_property
    def renewals(self) -> "Renewals":
        from store.renewals import Renewals

        return Renewals(self)

    @cached_property
    def retentions(self) -> "Retentions":
        from store.retentions import Retentions

        return Retentions(self)

    @cached_property
    def notices(self) -> "Notices":
        from store.notices import Notices

        return Notices(self)

    @cached_property
    def audit(self) -> "Audit":
        from store.audit import Audit

        return Audit(self)

    @cached_property
    def directories(self) -> "Directories":
        from store.directories import Directories

        return Directories(self)

    @cached_property
    def leases(self) -> "Leases":
        from store.leases import Leases

        return Leases(self)

    @cached_property
    def license_keys(self) -> "LicenseKeys":
        from store.license_keys import LicenseKeys

        return LicenseKeys(self)

    @cached_property
    def endpoints(self) -> "Endpoints":
        from store.endpoints import Endpoints

        return Endpoints(self)

    @cached_property
    def lots(self) -> "Lots":
        from store.lots import Lots

        return Lots(self)

    @cached_property
    def orders(self) -> "Orders":
        from store.orders import Orders

        return Orders(self)

    @cached_property
    def outbox(self) -> "Outbox":
        from store.outbox import Outbox

        return Outbox(self)

    @cached_property
    def plans(self) -> "Plans":
        from store.plans import Plans

        return Plans(self)

    @cached_property
    def usage(self) -> "UsageDays":
        from store.usage import UsageDays

        return UsageDays(self)

    @cached_property
    def versions(self) -> "Versions":
        from store.versions import Versions

        return Versions(self)

    @cached_property
    def views(self) -> "Views":
        from store.views import Views

        return Views(self)

    @cached_property
    def by_hand(self) -> "ByHand":
        from store.by_hand import ByHand

        return ByHand(self)

    @cached_property
    def links(self) -> "Links":
        from store.links import Links

        return Links(self)

    @cached_property
    def legal_holds(self) -> "LegalHolds":
        from store.legal_holds import LegalHolds

        return LegalHolds(self)

    @cached_property
    def processes(self) -> "Processes":
        from store.processes import Processes

        return Processes(self)

    @cached_property
    def duties(self) -> "Duties":
        from store.duties import Duties

        return Duties(self)

    @cached_property
    def waiters(self) -> "Waiters":
        from store.waiters import Waiters

        return Waiters(self)

    @cached_property
    def receivers(self) -> "Receivers":
        from store.receivers import Receivers

        return Receivers(self)

    @cached_property
    def stock_warnings(self) -> "StockWarnings":
        from store.stock_warnings import StockWarnings

        return StockWarnings(self)
