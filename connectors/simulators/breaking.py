"""What becomes of an answer on its way: late, cut, reset, or replaced by what a gateway says."""

from collections.abc import Mapping
from dataclasses import replace
from http.client import responses

from connectors.simulators.bodies import plain
from connectors.simulators.serving import Answer, Ending

BROKEN: frozenset[str] = frozenset({"reset", "hang", "cut", "cut_connection", "break", "truncated", "slow"})
"""The kinds of fault that are in the connection, or in its time."""
_ENDINGS = {
    "reset": Ending.RESET,
    "hang": Ending.HANG,
    "cut_connection": Ending.CUT,
    "break": Ending.BREAK,
    "truncated": Ending.TRUNCATE,
}
_GATEWAYS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


def broken(answer: Answer, kind: str, seconds: float) -> Answer:
    """The answer as it arrives; any fault that is not in the connection leaves it as it is."""
    if kind == "slow":
        return replace(answer, delay=seconds)
    if kind == "cut":
        body = plain(answer.body)
        return replace(answer, body=body[: len(body) // 2])
    return replace(answer, ending=_ENDINGS.get(kind, Ending.KEEP))


def page_of_html(status: int, headers: Mapping[str, str]) -> Answer:
    """What a gateway in front of a service answers in its place."""
    title = f"{status} {_GATEWAYS.get(status) or responses.get(status, 'Error')}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\r\n"
    return Answer(status, {"Content-Type": "text/html", **headers}, page.encode())
