"""Setting and lifting holds for legal reasons: as long as there is one, no backups may go (R2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.times import micros
from worker.operations.selecting import Meant, select

if TYPE_CHECKING:
    from store.by_hand import Subject
    from store.directories import CompanyRow
    from store.legal_holds import LegalHolds
    from worker.bootstrap import App


@dataclass(frozen=True)
class OnHold:
    """For whom something changed, and for how many it was so already."""

    changed: int
    unchanged: int


def set_hold(app: "App", accounts: tuple[str, ...], company: str | None, who: str) -> OnHold:
    """Put accounts on hold, or a whole company: whoever it has and will have. Raises NotFound and Ambiguous."""
    if company is not None:
        return _of_company(app, company, lambda holds, row, now: holds.hold_company(row, who, now))
    return _of_accounts(app, accounts, lambda holds, subjects, now: holds.hold(subjects, who, now))


def lift_hold(app: "App", accounts: tuple[str, ...], company: str | None, who: str) -> OnHold:
    """End the holds of accounts, or that of a company; the one leaves the other as it is. Raises NotFound and
    Ambiguous."""
    if company is not None:
        return _of_company(app, company, lambda holds, row, now: holds.lift_company(row, who, now))
    return _of_accounts(app, accounts, lambda holds, subjects, now: holds.lift(subjects, who, now))


def _of_company(app: "App", company: str, change: "Callable[[LegalHolds, CompanyRow, int], int]") -> OnHold:
    with app.store.begin() as tx:
        row = tx.directories.company(company)
        tx.audit.open([row.key])
        changed = change(tx.legal_holds, row, micros(app.clock()))
    return OnHold(changed, 1 - changed)


def _of_accounts(
    app: "App", accounts: tuple[str, ...], change: "Callable[[LegalHolds, list[Subject], int], int]"
) -> OnHold:
    now = micros(app.clock())
    with app.store.begin() as tx:
        found = select(tx, Meant(accounts), lambda _: None, now, lock=True)
        tx.audit.open(found.companies)
        changed = change(tx.legal_holds, found.subjects, now)
    return OnHold(changed, len(found.subjects) - changed)
