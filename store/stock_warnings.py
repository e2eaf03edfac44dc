"""Low stocks: told once when fewer seats are free than a company wants to be told of, and again once they recovered."""

from typing import TYPE_CHECKING

from store.audit import Entry, json_text

if TYPE_CHECKING:
    from store.transaction import Transaction


class StockWarnings:
    """The stocks of every company that are known to be low. The pool's row must be locked for whatever writes here."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def told(self) -> frozenset[tuple[int, str]]:
        """Company and license of every stock that was told to be low and has not recovered."""
        return frozenset((row[0], row[1]) for row in self._tx.execute("SELECT company, license FROM stock_warning"))

    def warn(self, company: int, license: str, *, free: int, below: int, pool: str, now: int) -> None:
        """Tell that a stock is low, unless that was told already."""
        new = self._tx.execute(
            "INSERT INTO stock_warning (company, license, at) VALUES (:company, :license, :now)"
            " ON CONFLICT (company, license) DO NOTHING",
            {"company": company, "license": license, "now": now},
        )
        if new.rowcount != 1:
            return
        after = json_text(license=license, free=free, below=below, pool=pool)
        because = f"{free} {license} seats are free, fewer than {below}"
        self._tx.audit.append(company, [Entry("system", "stock.low", license, None, None, after, because)], now)

    def recovered(self, company: int, license: str) -> None:
        """Let the stock be told of again when it falls the next time."""
        self._tx.execute(
            "DELETE FROM stock_warning WHERE company = :company AND license = :license",
            {"company": company, "license": license},
        )
