"""An order's way to its seller: sent once, and looked up where an answer never came (P2, P7).

1. claimed      for a while nobody else has it (`worker.relay`)
2. looked at    is there still something to do, and who sells
3. leaves       where it goes is written down before anything is sent
4. asked        placed; found by its key, if it may have been heard before; looked up by its number, once placed
5. recorded     what the seller said, with all that follows (`worker.operations.receiving`)

Stopped anywhere, it is claimed again when the claim has run out, and goes on from what is written.
"""

import logging
from typing import TYPE_CHECKING

from connectors.base import Order as Wanted
from connectors.base import Receipt, Refusal, Seller
from connectors.errors import ConnectorError, NeedsPerson, Transient
from store.directories import ACTIVE, RETIRED
from store.errors import Conflict
from store.orders import PLACED, WANTED
from store.outbox import Outgoing
from store.times import micros, rfc3339
from worker.operations.delivered_keys import key_in
from worker.operations.policies import in_force
from worker.operations.receiving import SECOND, Errand, later, record

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

log = logging.getLogger(__name__)
SLOW = 10 * SECOND
"""A seller that lets us wait for longer, and in vain, holds up the orders for others."""
SPARED = 60 * SECOND
"""For so long nothing else is asked there then."""


def place_order(app: "App", entry: Outgoing) -> None:
    """Ask the seller about one order, once, and record what it says; what stands in the way is written down with the
    time of the next attempt."""
    errand, address, began = _errand(app, entry), None, micros(app.clock())
    try:
        seller = _seller(app, errand)
        address = seller.address
        if not _leaves(app, errand, address):
            return
        app.mark("order leaves")
        said = _asked(seller, errand)
        key = key_in(app, errand.in_force, said)
    except ConnectorError as problem:
        _put_off(app, errand, problem, address, began)
        return
    app.mark("order answered")
    try:
        record(app, errand, said, key)
    except Conflict as quicker:  # with the license key; the next look finds its lot
        _put_off(app, errand, Transient(str(quicker)), None, began)
        return
    app.mark("order recorded")


def _errand(app: "App", entry: Outgoing) -> Errand:
    with app.store.read() as tx:
        order = tx.orders.by_id(entry.subject)
        company = tx.directories.company_by_key(order.company)
        return Errand(entry, order, company, in_force(app, tx, company.id))


def _seller(app: "App", errand: Errand) -> Seller:
    """The seller of the company's policy. Raises NeedsPerson where it is not the one that the order is for."""
    policy, order = errand.in_force, errand.order
    entry = None if policy is None else policy.policy.purchasing.seller
    if policy is None or entry is None or entry.kind != order.seller:
        raise _unsent(
            f"{order.id} is for a seller of the kind {order.seller}, and the policy of {errand.company.id} names none",
            f"name it again, or `seatkeeper orders cancel {order.id}`",
        )
    try:
        seller = app.open_seller(entry, policy.provider)
    except NeedsPerson as problem:
        problem.unsent = True
        raise
    sent_to = errand.entry.sent_to
    if sent_to is not None and sent_to != seller.address:
        raise _unsent(
            f"{order.id} may have reached {sent_to}, and the policy of {errand.company.id} names {seller.address} now",
            f"ask there; name it in the policy again, or `seatkeeper orders fulfill {order.id}` if the seats came",
        )
    return seller


def _leaves(app: "App", errand: Errand, address: str) -> bool:
    """Write down where the order goes; False where it is over, somebody else has it, or it has to wait, be it for a
    seller that asked for patience with another order."""
    entry, now = errand.entry, micros(app.clock())
    with app.store.begin() as tx:
        pause = tx.outbox.paused(address, now)
        if pause is not None:
            due = pause.until + int((pause.until - now) * 0.1 * app.random())
            patience = f"nothing is asked there before {rfc3339(pause.until)}: {pause.why}"
            tx.outbox.postpone(entry, due, patience, unsent=True)
            return False
        if errand.order.state == WANTED and not entry.asked and (why := _why_not_now(tx, errand)) is not None:
            tx.outbox.postpone(entry, later(app, errand), why, unsent=True)
            return False
        return tx.outbox.leave(entry, address)


def _why_not_now(tx: "Transaction", errand: Errand) -> str | None:
    """What keeps an order back that was never sent."""
    company = errand.company
    renewed = errand.order.renews_lot is not None and company.state != RETIRED  # a frozen company loses nothing (Z11)
    if company.state != ACTIVE and not renewed:
        return f"{company.id} is {company.state}; nothing is bought for it"
    if errand.order.decided_by is None and tx.orders.refused(company.key):
        return (
            f"the seller refused an order of {company.id}, and nothing is bought until a person has looked: "
            "`seatkeeper orders list --state failed`, then `seatkeeper orders reopen ID`"
        )
    return None


def _asked(seller: Seller, errand: Errand) -> Receipt | Refusal:
    order = errand.order
    if order.state == PLACED and order.seller_ref is not None:
        return seller.look_up(order.seller_ref, order.idempotency_key)
    if errand.entry.asked and (found := seller.find(order.idempotency_key)) is not None:
        return found
    return seller.place(
        Wanted(order.idempotency_key, errand.company.id, order.license, order.seats, order.term, order.because)
    )


def _put_off(app: "App", errand: Errand, problem: ConnectorError, address: str | None, began: int) -> None:
    """Nothing is known, so nothing changes; it is tried again later (P7, Z2). A seller that names a time is asked
    nothing at all before; one that hangs is left alone for a minute, in which those who buy elsewhere have their
    turn (Z9)."""
    after = problem.retry_after if isinstance(problem, Transient) else None
    remedy = f"; {problem.remedy}" if isinstance(problem, NeedsPerson) else ""
    log.warning("order %s of %s: %s", errand.order.id, errand.company.id, problem)
    now = micros(app.clock())
    with app.store.begin() as tx:
        rest = int(after * SECOND) if after is not None else SPARED if now - began > SLOW else None
        if address is not None and rest is not None:
            tx.outbox.pause(address, now + rest, str(problem), now)
        tx.outbox.postpone(errand.entry, later(app, errand, after), f"{problem}{remedy}", unsent=problem.unsent)


def _unsent(problem: str, remedy: str) -> NeedsPerson:
    refused = NeedsPerson(problem, remedy=remedy)
    refused.unsent = True
    return refused
