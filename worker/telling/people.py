"""Telling people: one mail gathers what is new since the last one, of every company whose policy names them (R1, M3).

1. gathered     what is new of the kinds that people care about
2. noted        up to where the mail goes, so that it is the same mail, under the same Message-ID, should it go twice
3. sent         handed over to the mail server
4. recorded     up to where they were told; the notices in it are accepted
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from connectors.errors import ConnectorError
from connectors.mail import Letter
from policies.document import EmailReceiver
from store.audit import Event
from store.receivers import Claim, News
from store.times import micros
from worker.telling.letters import Part, Standing, written
from worker.telling.naming import named
from worker.telling.outcomes import accept, completed, failed

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

TYPES = frozenset({
    "plan.held", "order.wanted", "order.placed", "order.failed", "directory.failing", "directory.recovered",
    "directory.frozen", "notice.due", "stock.low", "stock.over_entitled", "lot.expiring", "license.expired",
})  # fmt: skip
"""What people hear of; everything else is in the feed."""
MOST = 5_000
"""Events of one mail; what is beyond goes with the next."""
COMPANIES = 1_000
PAUSE = timedelta(minutes=15)
"""Between two mails to the same people, so that what comes in a row comes together."""
UNNAMED = timedelta(minutes=15)


class Gathered(NamedTuple):
    """What a mail tells of one company."""

    news: News
    events: Sequence[Event]
    upto: int
    next: Event | None
    """The first event that is left for the next mail."""


def tell_people(app: "App", claim: Claim, now: datetime) -> None:
    """Send the people of a receiver a mail about what is new, if any of it needs them."""
    with app.store.read() as tx:
        gathered = list(_gathered(tx, claim))
        mail = written([Part(g.news.company_id, g.news.name, g.events) for g in gathered], _standing(tx, gathered))
        found = named(app, tx, gathered[0].news.company, gathered[0].news.company_id, claim.id) if gathered else None
    if found is None or not isinstance(found.receiver, EmailReceiver):
        with app.store.begin() as tx:
            tx.receivers.rest(claim, micros(now + UNNAMED))
        return
    if mail is None:
        _record(app, claim, gathered, now, sent=False)
        return
    try:
        office = app.open_post_office()
        if not _noted(app, claim, gathered):
            return
        app.mark("mail leaves")
        refused = office.send(Letter(_name(gathered), sorted(found.receiver.to), mail.subject, mail.text), now)
    except ConnectorError as problem:
        failed(app, claim, problem, now)
        return
    app.mark("mail sent")
    but = f"the mail server refuses {', '.join(refused)}; the others have their mail" if refused else None
    _record(app, claim, gathered, now, sent=True, but=but)


def _gathered(tx: "Transaction", claim: Claim) -> Iterator[Gathered]:
    """What is to be told; where a mail may have arrived already, that very one."""
    companies = tx.receivers.news(claim, COMPANIES)
    again = [news for news in companies if news.sending is not None]
    room = MOST
    for news in again or companies:
        events = tx.audit.feed(news.told, room, company=news.company, types=TYPES, upto=news.sending)
        room -= len(events)
        upto = news.sending or max([news.end, *(event.n for event in events)])
        if room <= 0 and news.sending is None:
            upto = events[-1].n
        following = tx.audit.feed(upto, 1, company=news.company, types=TYPES)
        yield Gathered(news, events, upto, following[0] if following else None)
        if room <= 0:
            return


def _standing(tx: "Transaction", gathered: Sequence[Gathered]) -> Standing:
    """How things stand that the mail may tell of."""
    events = [event for some in gathered for event in some.events]
    orders = {event.data["subject"] for event in events if event.type.startswith("seatkeeper.order.")}
    orders |= {order for event in events if (order := event.data["after"].get("order"))}
    holds = {plan.hash: plan for plan in tx.plans.listing()} if events else {}
    found = tx.orders.listing(ids=sorted(orders)) if orders else []
    directories = {row.id: row for row in tx.directories.all() if not row.retired} if events else {}
    return Standing(holds, {order.id: order for order in found}, directories)


def _noted(app: "App", claim: Claim, gathered: Sequence[Gathered]) -> bool:
    with app.store.begin() as tx:
        return tx.receivers.sends(claim, {some.news.company: some.upto for some in gathered})


def _name(gathered: Sequence[Gathered]) -> str:
    """What the Message-ID is made of: the ids of the events."""
    ids = sorted(event.id for some in gathered for event in some.events)
    return sha256("\n".join(ids).encode()).hexdigest()[:40]


def _record(
    app: "App", claim: Claim, gathered: Sequence[Gathered], now: datetime, *, sent: bool, but: str | None = None
) -> None:
    at = micros(now)
    more = sum(len(some.events) for some in gathered) >= MOST
    with app.store.begin() as tx:
        for some in sorted(gathered, key=lambda one: one.news.company) if sent else ():
            accept(tx, some.news.company, completed(some.events, some.next), claim, at)
        tx.receivers.told(claim, {some.news.company: some.upto for some in gathered}, at, accepted=sent, but=but)
        tx.receivers.rest(claim, micros(now if more or not sent else now + PAUSE))
