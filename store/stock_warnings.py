"""Stocks that people are told of, once until they recovered: too few free seats, and more shared mailboxes than the
purchased licenses bring (S4)."""

from typing import TYPE_CHECKING

from store.audit import Entry, json_text

if TYPE_CHECKING:
    from store.transaction import Transaction


LOW, OVER = "stock.low", "stock.over_entitled"


class StockWarnings:
    """What every company was told of its stocks. The pool's row must be locked for whatever writes here."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def told(self, what: str) -> frozenset[tuple[int, str]]:
        """Company and license of every stock that this was told of and that has not recovered."""
        rows = self._tx.execute("SELECT company, license FROM stock_warning WHERE what = :what", {"what": what})
        return frozenset((row[0], row[1]) for row in rows)

    def low(self, company: int, license: str, *, free: int, below: int, pool: str, now: int) -> None:
        """Tell that few seats are free, unless that was told already."""
        after = json_text(license=license, free=free, below=below, pool=pool)
        self._warn(LOW, company, license, after, f"{free} {license} seats are free, fewer than {below}", now)

    def over(self, company: int, license: str, *, used: int, entitled: int, now: int) -> None:
        """Tell that more shared mailboxes are protected than licenses bring, unless that was told already (S4)."""
        after = json_text(license=license, used=used, entitled=entitled)
        because = f"{used} shared mailboxes hold {license}, and purchased licenses bring {entitled}"
        self._warn(OVER, company, license, after, because, now)

    def _warn(self, what: str, company: int, license: str, after: str, because: str, now: int) -> None:
        new = self._tx.execute(
            "INSERT INTO stock_warning (company, license, what, at) VALUES (:company, :license, :what, :now)"
            " ON CONFLICT (company, license, what) DO NOTHING",
            {"company": company, "license": license, "what": what, "now": now},
        )
        if new.rowcount == 1:
            self._tx.audit.append(company, [Entry("system", what, license, None, None, after, because)], now)

    def recovered(self, what: str, company: int, license: str) -> None:
        """Let the stock be told of again the next time."""
        self._tx.execute(
            "DELETE FROM stock_warning WHERE company = :company AND license = :license AND what = :what",
            {"company": company, "license": license, "what": what},
        )
