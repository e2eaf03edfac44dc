"""What kinds of mailboxes accounts have: Exchange is asked one by one, 20 in a batch, four batches at a time.

Nothing in Entra tells a shared mailbox from a user's. Graph passes at most four of a batch's items on at once, so more
batches than these would only queue there (Microsoft, "Microsoft Graph service-specific throttling limits").
"""

import contextvars
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from connectors.asking import Unreadable
from connectors.base import MailboxAnswer
from connectors.errors import NeedsPerson
from connectors.microsoft365 import batches, requests
from connectors.microsoft365.batches import Reply
from connectors.microsoft365.graph import PERMISSIONS, Graph, denied
from connectors.microsoft365.wire import Purpose, reader
from connectors.slices import slices
from connectors.verdicts import Meaning
from policies.model import AccountId

FEATURE = "mailboxes"
AT_ONCE = 4
SETTLED = 100
"""After so many refusals and not one answer nobody else is asked, unless the token says that we have permission."""
KINDS = {
    "user": "user",
    "linked": "user",
    "others": "user",
    "shared": "shared",
    "room": "room",
    "equipment": "equipment",
}
"""What `userPurpose` says, in our words."""
_NO_MAILBOX = {"mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "resourcenotfound"}
_purpose = reader(Purpose)
Answers = list[tuple[AccountId, Reply]]


def mailboxes(graph: Graph, ids: Sequence[AccountId]) -> Iterator[MailboxAnswer]:
    """The kind of each mailbox, as `Directory.mailboxes` promises.

    A refused mailbox is `unknown`, never guessed (S6): the tenant may shield some of them from us. Where all are
    refused, a person is needed instead.
    """
    answered, refused = False, list[AccountId]()
    for answers in _in_parallel(graph, list(slices(ids, batches.MOST))):
        for id, reply in answers:
            kind = _kind(reply)
            if kind == "unknown":
                refused.append(id)
            elif kind is not None:
                answered = True
                yield MailboxAnswer(id, kind)
        if not answered and len(refused) >= SETTLED and _permitted(graph) is not True:
            raise _all_refused(refused)
    if refused and not answered and (len(refused) > 1 or _permitted(graph) is False):
        raise _all_refused(refused)
    yield from (MailboxAnswer(id, "unknown") for id in refused)


def _kind(reply: Reply) -> str | None:
    """What an answer says of a mailbox, or None where it says nothing, so that what was known stays."""
    match reply.meaning:
        case Meaning.OK:
            return _kind_named(reply.body)
        case Meaning.DENIED:
            return "unknown"
        case Meaning.GONE if not _NO_MAILBOX.isdisjoint(code.lower() for code in reply.codes):
            return "none"
        case _:
            return None


def _kind_named(body: bytes) -> str | None:
    try:
        return KINDS.get(_purpose(body).word() or "")
    except Unreadable:
        return None


def _permitted(graph: Graph) -> bool | None:
    """Whether the token carries the permission; None where it cannot be read."""
    roles = graph.tokens.roles()
    return None if roles is None else any(role.startswith(PERMISSIONS[FEATURE]) for role in roles)


def _all_refused(refused: Sequence[AccountId]) -> NeedsPerson:
    return denied(FEATURE, f"all of {len(refused)} mailboxes asked were refused")


def _in_parallel(graph: Graph, portions: Sequence[Sequence[AccountId]]) -> Iterator[Answers]:
    """The answers to each portion, in order; a few are under way at once."""
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="mailboxes") as pool:
        under_way: deque[Future[Answers]] = deque()
        try:
            for portion in portions:
                under_way.append(pool.submit(contextvars.copy_context().run, _ask, graph, portion))
                if len(under_way) >= AT_ONCE:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _ask(graph: Graph, ids: Sequence[AccountId]) -> Answers:
    items = [requests.mailbox_purpose(graph.root.url, id) for id in ids]
    return list(zip(ids, batches.ask(graph, items, FEATURE), strict=True))
