"""What people read: what is new and needs them, how much it is, and what to do now, with the exact command.

What somebody has decided meanwhile is left out. Notices are never left out: a mail is how they are given (R1).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from store.audit import PREFIX, Event
from store.directories import DirectoryRow
from store.order_rows import AWAITING, FAILED, PLACED, OrderRow
from store.orders import MANUAL
from store.plan_rows import PlanRow

SHORT = 19
"""Signs of a hash that name a plan well enough."""
NAMED_IN_SUBJECT = 3


class Part(NamedTuple):
    """What is new of one company."""

    company: str
    name: str
    events: Sequence[Event]


class Standing(NamedTuple):
    """How things stand now, by their ids."""

    holds: Mapping[str, PlanRow]
    orders: Mapping[str, OrderRow]
    directories: Mapping[str, DirectoryRow]


class Section(NamedTuple):
    """Things of one kind: how many there are, what the subject calls one of them, and what is said of them."""

    n: int
    what: str
    lines: Sequence[str]


class Written(NamedTuple):
    """A mail's subject and its text."""

    subject: str
    text: str


def written(parts: Sequence[Part], standing: Standing) -> Written | None:
    """The mail about these news; None where none of them needs anybody any more."""
    counted: Counter[str] = Counter()
    told: list[tuple[Part, list[Section]]] = []
    for part in parts:
        sections = [section for make in SECTIONS for section in make(_of(part), standing)]
        if sections:
            told.append((part, sections))
            counted.update({section.what: section.n for section in sections})
    if not told:
        return None
    what = ", ".join(_many(n, word) for word, n in counted.items())
    return Written(f"Seatkeeper: {what} ({_whose([part for part, _ in told])})", "\n".join(_lines(told)) + "\n")


def _lines(told: Sequence[tuple[Part, Sequence[Section]]]) -> Iterator[str]:
    for part, sections in told:
        title = f"{part.name} ({part.company})" if part.name and part.name != part.company else part.company
        yield _clean(title)
        yield "=" * len(title)
        for section in sections:
            yield ""
            yield from map(_clean, section.lines)
        yield ""
    yield "-- "
    yield "Everything that needs a person at the moment: seatkeeper status"
    yield "You have this mail because `notify` in a policy of Seatkeeper names your address."


def _whose(parts: Sequence[Part]) -> str:
    named = ", ".join(part.company for part in parts[:NAMED_IN_SUBJECT])
    return named if len(parts) <= NAMED_IN_SUBJECT else f"{len(parts)} companies"


def _many(n: int, word: str) -> str:
    one, _, more = word.partition("|")
    return f"{n:,} {one if n == 1 else more or f'{one}s'}"


def _clean(text: str) -> str:
    """Names come from directories: nothing of them steers a terminal or begins a line of its own."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


# --- what there is to say, a kind of things each ---

News = Mapping[str, Sequence[Event]]
"""The events of one company by their types, without prefix, in their order."""


def _of(part: Part) -> News:
    found: dict[str, list[Event]] = {}
    for event in part.events:
        found.setdefault(event.type.removeprefix(PREFIX), []).append(event)
    return found


def _subjects(news: News, kind: str) -> list[str]:
    """What these events are about, each once."""
    return list(dict.fromkeys(event.data["subject"] for event in news.get(kind, ())))


def _holds(news: News, standing: Standing) -> Iterator[Section]:
    held = [standing.holds[hash] for hash in _subjects(news, "plan.held") if hash in standing.holds]
    if held:
        lines = ["Held until somebody decides:"]
        for plan in held:
            lines += [
                f"- {plan.total:,} × {plan.kind} of {plan.directory or plan.company}: {plan.why}",
                f"    look:    seatkeeper plan show {plan.hash[:SHORT]}",
                f"    then:    seatkeeper plan approve {plan.hash[:SHORT]}",
                f"    or:      seatkeeper plan reject {plan.hash[:SHORT]}",
            ]
        yield Section(len(held), "hold", lines)


def _notices(news: News, standing: Standing) -> Iterator[Section]:
    for (notice, days), some in groupby(news.get("notice.due", ()), key=_notice):
        events = list(some)
        ends = str(events[0].data["after"]["ends"])[:10]
        lines = [
            f"Backups of {_many(len(events), 'account')} may go from {ends} on"
            f" ({notice}, {_many(days, 'day')} before):",
            *map(_whose_backups, events),
            "  To keep one: seatkeeper licenses assign ADDRESS, or seatkeeper legal-hold set ADDRESS",
            "  If they may go, nothing is to be done. This mail is the notice.",
        ]
        yield Section(len(events), "account whose backups may go|accounts whose backups may go", lines)


def _whose_backups(event: Event) -> str:
    after = event.data["after"]
    holder = after.get("linked_to")
    return f"- {after.get('address') or event.account} ({event.directory}{f', linked to {holder}' if holder else ''})"


def _notice(event: Event) -> tuple[str, int]:
    return str(event.data["after"]["notice"]), int(event.data["after"]["days"])


def _approvals(news: News, standing: Standing) -> Iterator[Section]:
    orders = [o for id in _subjects(news, "order.wanted") if (o := standing.orders.get(id)) and o.state == AWAITING]
    if orders:
        lines = ["Orders that wait for approval:"]
        for order in orders:
            lines += [
                f"- {order.id}: {order.seats:,} {order.license} seats, estimate {order.estimate or 'unknown'};"
                f" {order.because}",
                f"    seatkeeper orders approve {order.id}",
                f"    or: seatkeeper orders reject {order.id}",
            ]
        yield Section(len(orders), "order to approve|orders to approve", lines)


def _by_hand(news: News, standing: Standing) -> Iterator[Section]:
    placed = [o for id in _subjects(news, "order.placed") if (o := standing.orders.get(id)) and o.state == PLACED]
    orders = [order for order in placed if order.seller == MANUAL]
    if orders:
        lines = ["To be bought by hand:"]
        for order in orders:
            lines += [
                f"- {order.id}: {order.seats:,} {order.license} seats; {order.because}",
                f"    when they are there: seatkeeper orders fulfill {order.id}",
            ]
        yield Section(len(orders), "order to place|orders to place", lines)


def _refused(news: News, standing: Standing) -> Iterator[Section]:
    why = {event.data["subject"]: event.data["because"] for event in news.get("order.failed", ())}
    orders = [order for id in why if (order := standing.orders.get(id)) and order.state == FAILED]
    if orders:
        lines = ["Refused by the seller; nothing more is bought until somebody has looked:"]
        for order in orders:
            lines += [
                f"- {order.id}: {order.seats:,} {order.license} seats: {why[order.id]}",
                f"    when it is settled: seatkeeper orders reopen {order.id}",
            ]
        yield Section(len(orders), "refused order", lines)


def _directories(news: News, standing: Standing) -> Iterator[Section]:
    yield from _failing(news, standing)
    frozen = _in_state(news, "directory.frozen", "frozen", standing)
    if frozen:
        lines = ["Frozen: no policy file names them any more; their licenses stay as they are:"]
        for directory in frozen:
            lines += [f"- {directory.id}", f"    {directory.remedy}"]
        yield Section(len(frozen), "frozen directory|frozen directories", lines)
    failed = _subjects(news, "directory.failing")
    back = [d for d in _in_state(news, "directory.recovered", "healthy", standing) if d.id not in failed]
    if back:
        lines = ["Read again; nothing is to be done:", *(f"- {directory.id}" for directory in back)]
        yield Section(len(back), "recovered directory|recovered directories", lines)


def _failing(news: News, standing: Standing) -> Iterator[Section]:
    failing = _in_state(news, "directory.failing", "failing", standing)
    if failing:
        lines = ["Cannot be read; licenses stay as they are until they can:"]
        for directory in failing:
            lines += [
                f"- {directory.id}: {directory.problem}",
                f"    {directory.remedy or 'It is tried again by itself.'}",
                f"    then: seatkeeper sync {directory.id}",
            ]
        yield Section(len(failing), "failing directory|failing directories", lines)


def _in_state(news: News, kind: str, state: str, standing: Standing) -> list[DirectoryRow]:
    found = (standing.directories.get(id) for id in _subjects(news, kind))
    return [directory for directory in found if directory is not None and directory.state == state]


def _stock(news: News, standing: Standing) -> Iterator[Section]:
    latest = {event.data["subject"]: event.data["after"] for event in news.get("stock.low", ())}
    if latest:
        lines = ["Few licenses are left:"]
        for license, stock in latest.items():
            lines += [
                f"- {license}: {stock['free']:,} free, fewer than {stock['below']:,}",
                f"    buy some, then: seatkeeper lots add {license} SEATS",
            ]
        lines.append("  What is on order: seatkeeper orders list --open")
        yield Section(len(latest), "low stock", lines)


def _over_entitled(news: News, standing: Standing) -> Iterator[Section]:
    latest = {event.data["subject"]: event.data["after"] for event in news.get("stock.over_entitled", ())}
    if latest:
        lines = ["More shared mailboxes are protected than licenses bring. None loses its license; new ones wait:"]
        for license, stock in latest.items():
            lines += [
                f"- {license}: {stock['used']:,} shared mailboxes, {stock['entitled']:,} entitled",
                f"    buy licenses, then: seatkeeper lots add {license} SEATS",
            ]
        yield Section(len(latest), "entitlement used up and more|entitlements used up and more", lines)


def _ending(news: News, standing: Standing) -> Iterator[Section]:
    latest = {event.data["subject"]: event for event in news.get("lot.expiring", ())}
    if latest:
        lines = ["Lots that end:"]
        for id, event in latest.items():
            lot = event.data["after"]
            lines.append(
                f"- {id} on {lot['expires']} ({_many(lot['days'], 'day')} ahead), {lot['held']:,} seats held:"
                f" {event.data['because']}"
            )
            lines.append(f"    {_what_now(id, lot, standing)}")
        yield Section(len(latest), "lot that ends|lots that end", lines)


def _what_now(id: str, lot: Mapping[str, Any], standing: Standing) -> str:
    order = standing.orders.get(lot.get("order") or "")
    if order is None:
        return f"seatkeeper lots renew {id}, or let it end"
    if order.state == AWAITING:
        return f"seatkeeper orders approve {order.id}"
    if order.seller == MANUAL:
        return f"buy it, then: seatkeeper orders fulfill {order.id}"
    return f"ask the seller about {order.id}: seatkeeper orders list --open"


def _expired(news: News, standing: Standing) -> Iterator[Section]:
    events = news.get("license.expired", ())
    if events:
        lots = ", ".join(sorted({str(event.data["before"].get("lot")) for event in events}))
        lines = [
            f"{_many(len(events), 'account')} held a seat of a lot that ended ({lots}), and no other was free:",
            "  They are kept, and not backed up, until there are seats: seatkeeper accounts list --protection expired",
        ]
        yield Section(len(events), "expired license", lines)


SECTIONS: Sequence[Callable[[News, Standing], Iterator[Section]]] = (
    _holds, _notices, _approvals, _refused, _by_hand, _directories, _stock, _over_entitled, _ending,
    _expired,
)  # fmt: skip
"""In the order in which people should see to them."""
