"""Retiring what a person knows to be gone for good: a company, or one of its directories (Z11).

No license is taken by it: that is for `licenses deactivate`, with its limits and its warning. What is retired is read
no more, no policy file brings it back, and nobody of it waits for a license.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.directories import CompanyRow
from store.times import micros
from worker.errors import Usage

if TYPE_CHECKING:
    from worker.bootstrap import App


@dataclass(frozen=True)
class Retired:
    """What was retired, and what it still holds."""

    id: str
    directories: tuple[str, ...]
    held: dict[str, int]
    """Licenses that its accounts hold, by type."""


def retire_company(app: "App", id: str, who: str) -> Retired:
    """Retire a company with all its directories. Raises NotFound, and Conflict if it is retired."""
    with app.store.begin() as tx:
        company = _customer(tx.directories.company(id))
        live = tuple(row.id for row in tx.directories.all(company.key) if not row.retired)
        tx.directories.retire_company(company.key, who, micros(app.clock()))
        held: dict[str, int] = {}
        for (license, _), number in sorted(tx.holdings.held(company.key).items()):
            held[license] = held.get(license, 0) + number
    return Retired(id, live, {license: number for license, number in held.items() if number})


def retire_directory(app: "App", id: str, who: str) -> Retired:
    """Retire a directory. Raises NotFound, and Conflict if it is retired."""
    with app.store.begin() as tx:
        row = tx.directories.by_id(id)
        tx.directories.retire_directory(row.key, who, micros(app.clock()))
        return Retired(id, (id,), tx.directories.licenses(row.key))


def _customer(company: CompanyRow) -> CompanyRow:
    if company.key == 0:
        raise Usage(f"{company.id} is whoever runs this installation, and no company that could be retired")
    return company
