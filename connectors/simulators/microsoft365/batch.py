"""`POST /$batch`: up to 20 requests in one, each answered and throttled by itself, in any order."""

from collections.abc import Iterator, Mapping
from random import Random

import msgspec

from connectors.simulators.bodies import plain
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.refusals import Refusal
from connectors.simulators.serving import Answer, Request

MOST_ITEMS = 20
_OF_THE_CONNECTION = {"date", "request-id", "client-request-id", "x-ms-ags-diagnostic"}


class Item(msgspec.Struct, rename="camel"):
    """One request of a batch."""

    id: str
    method: str
    url: str
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: msgspec.Raw = msgspec.Raw(b"")
    depends_on: list[str] = msgspec.field(default_factory=list)


class _Envelope(msgspec.Struct):
    requests: list[Item]


class Response(msgspec.Struct, omit_defaults=True):
    """One answer of a batch."""

    id: str
    status: int
    headers: Mapping[str, str]
    body: msgspec.Raw | str | None = None


def batch(call: Call) -> bytes:
    """The envelope is 200 whatever the items are. They come back shuffled, the same way for the same ids."""
    items = _items(call.body)
    responses = list(_answered(call, items))
    Random("/".join(item.id for item in items)).shuffle(responses)
    return msgspec.json.encode({"responses": responses})


def _items(body: bytes) -> list[Item]:
    try:
        items = msgspec.json.decode(body, type=_Envelope).requests
    except msgspec.DecodeError as problem:
        raise Refusal(400, "BadRequest", f"Invalid batch payload format. {problem}") from None
    if not items:
        raise Refusal(400, "BadRequest", "Empty Requests collection in batch payload.")
    if len(items) > MOST_ITEMS:
        text = f"Number of batch request steps exceeds the maximum value of '{MOST_ITEMS}'."
        raise Refusal(400, "BadRequest", text)
    if len({item.id for item in items}) < len(items):
        raise Refusal(400, "BadRequest", "Request Ids in a batch have to be unique.")
    if any(item.url.lower().strip("/") == "$batch" for item in items):
        raise Refusal(400, "BadRequest", "A batch cannot contain another batch.")
    return items


def _answered(call: Call, items: list[Item]) -> Iterator[Response]:
    failed: set[str] = set()
    for item in items:
        if failed & set(item.depends_on):
            response = Response(item.id, 424, {}, msgspec.Raw(_FAILED_DEPENDENCY))
        else:
            response = _response(item.id, call.play(_request(call, item)))
        if response.status >= 400:
            failed.add(item.id)
        yield response


_FAILED_DEPENDENCY = b'{"error":{"code":"FailedDependency","message":"A request that this one depends on failed."}}'


def _request(call: Call, item: Item) -> Request:
    version = call.root.rpartition("/")[2]
    headers = {"host": call.headers.get("host", ""), **{name.lower(): value for name, value in item.headers.items()}}
    return Request(item.method.upper(), f"/{version}/{item.url.lstrip('/')}", headers, bytes(item.body))


def _response(ident: str, answer: Answer) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_CONNECTION}
    body = plain(answer.body)
    if not body:
        return Response(ident, answer.status, headers)
    is_json = "json" in answer.headers.get("Content-Type", "") or body.isdigit()
    return Response(ident, answer.status, headers, msgspec.Raw(body) if is_json else body.decode())
