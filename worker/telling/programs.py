"""Telling programs: each event is a CloudEvent in a signed request of its own, in order per subject (A2).

Events of different subjects go side by side; the first that is not accepted stops them all. After a failure one event
alone is tried, until it is accepted: what is not accepted for good stops this receiver, and is never passed over.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import msgspec

from connectors.errors import ConnectorError
from store.audit import Event
from store.receivers import Claim, News
from store.times import micros
from worker.telling.naming import named
from worker.telling.outcomes import accept, completed, failed

if TYPE_CHECKING:
    from connectors.webhooks import Webhook
    from worker.bootstrap import App

STRETCH = 100
"""Events that are sent before it is written down how far the receiver was told."""
LANES = 4
"""Requests to one receiver at the same time."""
COMPANIES = 100
"""Whose news one round looks at."""
ROUND = timedelta(seconds=20)
UNNAMED = timedelta(minutes=15)
"""How long a receiver is left alone that a policy names no more, until the policies are read again."""


class Sent(NamedTuple):
    """How many of the first events were accepted, and what stopped one of the next; None where nothing did."""

    accepted: int
    problem: ConnectorError | None = None
    event: str | None = None


def tell_programs(app: "App", claim: Claim, now: datetime) -> None:
    """Tell a webhook the next events of each company that it has not been told everything of."""
    with app.store.read() as tx:
        companies = tx.receivers.news(claim, COMPANIES)
    until = app.clock() + ROUND
    due = now
    for news in companies:
        if app.stopping.is_set() or app.clock() > until:
            break
        try:
            webhook = _opened(app, claim, news)
        except ConnectorError as unusable:
            failed(app, claim, unusable, now)
            return
        if webhook is None:
            due = now + UNNAMED
            continue
        sent = _tell(app, claim, news, webhook, until, now)
        if sent.accepted:
            claim = claim._replace(failures=0)
        if sent.problem is not None:
            failed(app, claim, sent.problem, now, sent.event)
            return
    with app.store.begin() as tx:
        tx.receivers.rest(claim, micros(due))


def cloud_event(event: Event) -> bytes:
    """An event as the body of a webhook: CloudEvents 1.0, structured JSON. Its `data` is what the feed tells."""
    data = {"n": event.n, "company": event.company, "directory": event.directory, "account": event.account}
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": f"/seatkeeper/{event.company}",
            "type": event.type,
            "time": event.at,
            "subject": event.data["subject"],
            "datacontenttype": "application/json",
            "data": data | event.data,
        }
    )


def _opened(app: "App", claim: Claim, news: News) -> "Webhook | None":
    """The webhook as the company's policy has it now. Raises NeedsPerson where it cannot be used."""
    from policies.document import WebhookReceiver

    with app.store.read() as tx:
        found = named(app, tx, news.company, news.company_id, claim.id)
    if found is None or not isinstance(found.receiver, WebhookReceiver):
        return None
    return app.open_webhook(found.receiver, found.provider)


def _tell(app: "App", claim: Claim, news: News, webhook: "Webhook", until: datetime, now: datetime) -> Sent:
    """Tell the next events of one company, and write down how far that went."""
    with app.store.read() as tx:
        some = 1 if claim.failures else STRETCH
        found = tx.audit.feed(news.told, some + 1, company=news.company)
    events, beyond = found[:some], found[some:]
    sent = _send(app, webhook, events, until)
    told = events[: sent.accepted]
    left = [*events[sent.accepted :], *beyond]
    upto = max([news.told, *(event.n for event in told), *(() if left else (news.end,))])
    app.mark("events sent")
    with app.store.begin() as tx:
        accept(tx, news.company, completed(told, left[0] if left else None), claim, micros(now))
        tx.receivers.told(claim, {news.company: upto}, micros(now), accepted=bool(told))
    return sent


def _send(app: "App", webhook: "Webhook", events: Sequence[Event], until: datetime) -> Sent:
    lanes: dict[int, list[tuple[int, Event]]] = {}
    for place, event in enumerate(events):
        lanes.setdefault(crc32(event.data["subject"].encode()) % LANES, []).append((place, event))
    stop, accepted, stopped = threading.Event(), set[int](), list[tuple[ConnectorError, str]]()

    def run(lane: Sequence[tuple[int, Event]]) -> None:
        for place, event in lane:
            if stop.is_set() or app.stopping.is_set() or app.clock() > until:
                return
            try:
                webhook.post(event.id, cloud_event(event))
            except ConnectorError as problem:
                stop.set()
                stopped.append((problem, event.id))
                return
            accepted.add(place)

    with ThreadPoolExecutor(max(1, len(lanes))) as pool:
        list(pool.map(run, lanes.values()))
    first = next((place for place in range(len(events)) if place not in accepted), len(events))
    return Sent(first, *stopped[0]) if stopped else Sent(first)
