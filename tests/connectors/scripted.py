"""A server on loopback that gives the answers it was told to give, one after the other, and keeps what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from connectors.simulators.serving import Answer, Ending, LoopbackServer, Request


class Script:
    """Answers in order; what is asked beyond them is answered 500 and fails the test that looks at `asked`."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []
        self.url = ""

    def respond(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers.pop(0) if self.answers else Answer(500, {}, b"nothing more was expected")

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.asked]


@contextmanager
def scripted(*answers: Answer) -> Iterator[Script]:
    """Serve a script for the length of a block."""
    script = Script(*answers)
    with LoopbackServer(script.respond) as server:
        script.url = server.url
        yield script


def json(body: object, status: int = 200, **headers: str) -> Answer:
    """An answer with a JSON body; `retry_after` becomes the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/json", **named}, msgspec.json.encode(body))


def error(status: int, code: str, **headers: str) -> Answer:
    """An error as Graph words it."""
    return json({"error": {"code": code, "message": "Not for us to read.", "innerError": {}}}, status, **headers)


RESET = Answer(200, {}, b"", Ending.RESET)
CUT = Answer(200, {"Content-Type": "application/json"}, b'{"value": [1, 2, 3]}' * 50, Ending.CUT)
