"""Asks a vendor until it gives an answer that is worth something, or there is no sense in asking on."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from connectors.errors import Permanent, Transient
from connectors.http import Answer, HttpClient, NoAnswer, Request
from connectors.links import redacted
from connectors.verdicts import APPLICATION, PATIENCE, Dialect, Meaning, Patience, Verdict, is_too_often, judge

log = logging.getLogger(__name__)

Read = TypeVar("Read")
Sign = Callable[[str | None], Mapping[str, str]]
"""The headers that sign a request. Its argument is None, or the challenge with which the last token was refused."""


class Unreadable(Exception):
    """A body is not what its kind of answer has, as when it was cut short; `read` functions raise it."""


class Refused(Permanent):
    """The vendor's answer is final: what it means, its status and its code. Connectors say what follows from it."""

    def __init__(self, problem: str, meaning: Meaning, status: int, codes: tuple[str, ...]) -> None:
        super().__init__(problem)
        self.meaning = meaning
        self.status = status
        self.codes = codes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world as an attempt sees it; tests bring their own."""

    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    random: Callable[[], float]
    """From 0 up to 1."""
    stop: Callable[[], bool]
    """Whether whoever runs this has been told to stop (Z10)."""
    heard: Callable[[str, str], None] = lambda _host, _verdict: None
    """Told of each answer: the host, and what it meant."""

    def wait(self, seconds: float, *, feature: str = "users") -> None:
        """Sleep, in steps of a second at most. Raises Transient as soon as there is a stop."""
        while not self.stop() and seconds > 0:
            step = min(seconds, 1.0)
            self.sleep(step)
            seconds -= step
        self.check(feature=feature)

    def check(self, *, feature: str = "users") -> None:
        """Raise Transient where there is a stop."""
        if self.stop():
            raise Transient("stopped before the next request", retry_after=0.0, feature=feature)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Until when a vendor wants to be left alone by an application, whichever of its directories is asked (Z9).

    One for a process: another process is told the same by the first answer that it gets.
    """

    _until: dict[str, datetime] = field(default_factory=dict)

    def begin(self, application: str, until: datetime) -> None:
        """Let nobody ask for this application before."""
        self._until[application] = max(until, self._until.get(application, until))

    def left(self, application: str, now: datetime) -> float:
        """The seconds that are left."""
        until = self._until.get(application)
        return 0.0 if until is None else max(0.0, (until - now).total_seconds())


class _Heard(NamedTuple):
    verdict: Verdict
    answer: Answer | None
    codes: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one vendor in its dialect, with this patience."""

    http: HttpClient
    dialect: Dialect
    world: Surroundings
    patience: Patience = PATIENCE
    application: str = ""
    """As which it asks, where the vendor counts by that."""
    pauses: Pauses = field(default_factory=Pauses)
    too_often: Callable[[datetime], object] = lambda _now: None
    """Told of each answer which says that it was asked too often."""
    sent: Callable[[], object] | None = None
    """Told of each request that has left."""

    def ask(self, request: Request, sign: Sign, read: Callable[[bytes], Read], *, feature: str = "users") -> Read:
        """What `read` makes of the answer's body.

        Raises Refused where the answer is final, Transient where the vendor is busy, out of reach or asks for a longer
        wait than this patience has, or where there is a stop. A token that was refused is renewed once.
        """
        attempt, challenge, renewed = 1, None, False
        while True:
            self._heed(feature)
            heard, value = self._try(request, sign(challenge), read)
            challenge = None
            match heard.verdict.meaning:
                case Meaning.OK:
                    assert value is not None
                    return value[0]
                case Meaning.SIGN_IN if not renewed and heard.answer is not None:
                    challenge, renewed = heard.answer.headers.get("www-authenticate", ""), True
                case Meaning.RETRY:
                    self._pause(request, heard, attempt, feature)
                    attempt += 1
                case meaning:
                    assert heard.answer is not None
                    raise Refused(heard.problem, meaning, heard.answer.status, heard.codes)

    def _heed(self, feature: str) -> None:
        """Wait while the vendor pauses the application. Raises Transient for a pause beyond this patience, and where
        there is a stop."""
        self.world.check(feature=feature)
        left = self.pauses.left(self.application, self.world.clock())
        if left > self.patience.longest:
            problem = "the vendor throttles the application, for all of its directories"
            raise Transient(problem, retry_after=left, scope=APPLICATION, feature=feature)
        if left > 0:
            self.world.wait(left * (1 + self.world.random() / 10), feature=feature)

    def throttled(self, seconds: float, scope: str) -> None:
        """Remember a pause that the vendor asks for, where it is one of the whole application."""
        if scope == APPLICATION:
            self.pauses.begin(self.application, self.world.clock() + timedelta(seconds=seconds))

    def _try(
        self, request: Request, signed: Mapping[str, str], read: Callable[[bytes], Read]
    ) -> tuple[_Heard, tuple[Read] | None]:
        host = urlsplit(request.url).hostname or ""
        try:
            answer = self.http.send(request._replace(headers={**request.headers, **signed}, sent=self.sent))
        except NoAnswer as problem:
            self.world.heard(host, "no answer")
            return _Heard(Verdict(Meaning.RETRY), None, (), f"{_place(request)}: {problem}"), None
        codes = () if answer.status < 300 else self._codes(answer.body)
        verdict = judge(answer.status, codes, answer.headers, self.dialect, self.world.clock())
        self.world.heard(host, verdict.meaning.value)
        if is_too_often(answer.status, codes, self.dialect):
            self.too_often(self.world.clock())
        if verdict.meaning is not Meaning.OK:
            return _Heard(verdict, answer, codes, f"{_place(request)}: {described(answer, codes)}"), None
        try:
            return _Heard(verdict, answer, codes, ""), (read(answer.body),)
        except RecursionError:
            return _Heard(
                Verdict(Meaning.RETRY), answer, (), f"{_place(request)}: the answer is nested too deeply"
            ), None
        except Unreadable as problem:
            return _Heard(Verdict(Meaning.RETRY), answer, (), f"{_place(request)}: {problem}"), None

    def _codes(self, body: bytes) -> tuple[str, ...]:
        try:
            return self.dialect.codes(body)
        except RecursionError:  # nested without end: whatever it is, it is no error code
            return ()

    def _pause(self, request: Request, heard: _Heard, attempt: int, feature: str) -> None:
        after, scope = heard.verdict.after, heard.verdict.scope
        chance = self.world.random()
        seconds = self.patience.backoff(attempt, chance) if after is None else after * (1 + chance / 10)
        self.throttled(seconds if after is None else after, scope)
        if attempt >= self.patience.attempts or (after or 0.0) > self.patience.longest:
            raise Transient(heard.problem, retry_after=after, scope=scope, feature=feature)
        log.warning("%s; attempt %d of %d in %.1f s", heard.problem, attempt + 1, self.patience.attempts, seconds)
        self.world.wait(seconds, feature=feature)


def _place(request: Request) -> str:
    return f"{request.method} {redacted(request.url)}"


def described(answer: Answer, codes: tuple[str, ...]) -> str:
    """An answer in a few words, for people and for the vendor's support; never its text."""
    words = [f"status {answer.status}"]
    if codes:
        words.append(f"code {'/'.join(codes)}")
    if "request-id" in answer.headers:
        words.append(f"request-id {answer.headers['request-id']}")
    return ", ".join(words)
