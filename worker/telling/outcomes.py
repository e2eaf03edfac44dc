"""What became of telling a receiver, recorded: how far it was told, which notices it accepted, and what went wrong."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.errors import ConnectorError, NeedsPerson, Permanent
from store.audit import PREFIX, Event
from store.notices import NOTICE
from store.receivers import Claim
from store.times import micros
from worker.telling.delays import delay

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

log = logging.getLogger(__name__)

ASK = "ask whoever runs the receiver why it does not take this; everything is still in `seatkeeper feed`"


def completed(told: Iterable[Event], next: Event | None) -> list[str]:
    """The notices that have been told to their end: the events of one stand together in the feed, so that only the
    last can go on in what comes next (R1)."""
    ids = dict.fromkeys(notice for event in told if (notice := _notice(event)) is not None)
    if next is not None:
        ids.pop(_notice(next) or "", None)
    return list(ids)


def _notice(event: Event) -> str | None:
    return str(event.data["after"]["notice"]) if event.type == f"{PREFIX}{NOTICE}" else None


def accept(tx: "Transaction", company: int, notices: Sequence[str], claim: Claim, now: int) -> None:
    """The receiver has taken note: from now on the days of these notices pass (R1)."""
    if not notices:
        return
    tx.lots.lock_pool(tx.directories.company_by_key(company).pool)
    tx.audit.open((company,))
    tx.notices.accept(notices, claim.who, now)


def failed(app: "App", claim: Claim, problem: ConnectorError, now: datetime, event: str | None = None) -> None:
    """Write down what is wrong, what a person can do, and when the receiver is tried again. Nothing is passed over."""
    remedy = problem.remedy if isinstance(problem, NeedsPerson) else ASK if isinstance(problem, Permanent) else None
    due = now + delay(problem, claim.failures, app.random())
    said = str(problem) if event is None else f"{problem}; it was told of {event}"
    log.warning("%s does not hear: %s", claim.who, said)
    with app.store.begin() as tx:
        tx.receivers.fail(claim, said, remedy, micros(due), micros(now))
