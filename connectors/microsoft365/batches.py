"""`$batch`: up to 20 requests in one, each answered, and throttled, by itself.

Items come back in any order, and a refusal of one says nothing of the others. Those that Graph wants to be asked again
are sent again alone, after the longest wait among them (Microsoft, "Combine multiple HTTP requests using JSON
batching").
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from connectors.errors import Transient
from connectors.http import Request
from connectors.microsoft365 import requests
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.wire import DIALECT, codes, reader
from connectors.verdicts import APPLICATION, Meaning, Verdict, judge

MOST = 20
_ATTEMPTS = 4


class Reply(NamedTuple):
    """One item's answer; `meaning` is RETRY where Graph gave none that lasts."""

    meaning: Meaning
    body: bytes
    codes: tuple[str, ...]


class _Item(msgspec.Struct):
    id: str
    method: str
    url: str
    headers: Mapping[str, str]


class _Asked(msgspec.Struct):
    requests: list[_Item]


class _Answered(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Answers(msgspec.Struct):
    responses: list[_Answered]


_answers = reader(_Answers)


def ask(graph: Graph, items: Sequence[Request], feature: str) -> list[Reply]:
    """The answers to up to 20 requests without a body, in their order.

    Raises Transient where an item is to wait for longer than our patience, and what `Graph.ask` raises for the whole.
    """
    replies = [Reply(Meaning.RETRY, b"", ())] * len(items)
    waiting = list(range(len(items)))
    for attempt in range(1, _ATTEMPTS + 1):
        verdicts = _round(graph, {str(n): items[n] for n in waiting}, replies, feature)
        waiting = [n for n in waiting if replies[n].meaning is Meaning.RETRY]
        if not waiting:
            break
        if attempt < _ATTEMPTS:
            _pause(graph, verdicts, attempt, feature)
    return replies


def _round(graph: Graph, asked: Mapping[str, Request], replies: list[Reply], feature: str) -> list[Verdict]:
    body = msgspec.json.encode(_Asked([_item(graph, id, request) for id, request in asked.items()]))
    verdicts = []
    for answer in graph.ask(requests.batch(graph.root.url, body), _answers, feature).responses:
        if answer.id not in asked:
            continue
        headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
        content = bytes(answer.body)
        said = codes(content) if answer.status >= 300 else ()
        verdict = judge(answer.status, said, headers, DIALECT, graph.asker.world.clock())
        replies[int(answer.id)] = Reply(verdict.meaning, content, said)
        verdicts.append(verdict)
    return verdicts


def _item(graph: Graph, id: str, request: Request) -> _Item:
    return _Item(id, request.method, request.url.removeprefix(graph.root.url), request.headers)


def _pause(graph: Graph, verdicts: Sequence[Verdict], attempt: int, feature: str) -> None:
    patience, world = graph.asker.patience, graph.asker.world
    asked = [verdict.after for verdict in verdicts if verdict.after is not None]
    scope = APPLICATION if any(verdict.scope == APPLICATION for verdict in verdicts) else "directory"
    chance = world.random()
    seconds = max(asked) * (1 + chance / 10) if asked else patience.backoff(attempt, chance)
    graph.asker.throttled(max(asked, default=seconds), scope)
    if asked and max(asked) > patience.longest:
        raise Transient("parts of a batch are throttled", retry_after=max(asked), scope=scope, feature=feature)
    world.wait(seconds, feature=feature)
