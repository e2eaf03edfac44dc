"""Mail to people, by the server that SEATKEEPER_SMTP_URL names.

    smtp://host[:25]                        STARTTLS; a server without it is used on this machine alone, or with
    smtp://user:password@host[:587]         `?starttls=optional`, and never with a password
    smtps://user:password@host[:465]        TLS from the first byte
    …?from=seatkeeper@example.com           the sender; else the user, if that is an address, else seatkeeper@host

What the server says is told by its number alone: its words may repeat what it was sent.
"""

import logging
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from connectors.errors import NeedsPerson, Permanent, Transient
from connectors.links import is_loopback

log = logging.getLogger(__name__)

SETTING = "SEATKEEPER_SMTP_URL"
PATIENCE = 30.0
"""Seconds until a server that says nothing is given up."""
_PORTS = {"smtp": 25, "smtps": 465}
_SUBMISSION = 587


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of plain text to several people."""

    name: str
    """What its Message-ID is made of: the same for the same events, so that a double can be recognized."""
    to: Sequence[str]
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class PostOffice:
    """A mail server, as the setting describes it."""

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    """TLS from the first byte."""
    plain: bool = False
    """STARTTLS is optional."""
    here: bool = False
    """The server is on this machine, so that nobody listens on the way."""

    def send(self, letter: Letter, now: datetime) -> tuple[str, ...]:
        """Hand a letter over; when this returns, the server has accepted it. Returns those of its addresses that the
        server refused; where it refused all of them, this raises NeedsPerson, or Transient where it did so for now."""
        message = self._message(letter, now)
        with self._failures():
            server = self._connected()
            try:
                self._secure(server)
                refused = server.send_message(message, self.sender, list(letter.to))
            finally:
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
        log.info("mail %s handed over to %s for %d people", message["Message-ID"], self.host, len(letter.to))
        return tuple(sorted(refused))

    def answers(self) -> str:
        """Go as far as a letter would, and hand over none; where that leads. Raises as `send` does."""
        with self._failures():
            server = self._connected()
            try:
                self._secure(server)
            finally:
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
        return f"{self.host}:{self.port}"

    def _message(self, letter: Letter, now: datetime) -> EmailMessage:
        message = EmailMessage()
        try:
            message["From"] = Address("Seatkeeper", addr_spec=self.sender)
            message["To"] = [Address(addr_spec=address) for address in letter.to]
        except (MessageError, ValueError, IndexError):
            raise _unsent(
                f"one of {', '.join(letter.to)} and the sender {self.sender} is no address that mail can go to",
                f"correct `notify` in the policy, or `from` in {SETTING}",
            ) from None
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{letter.name}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(letter.text)
        return message

    def _connected(self) -> smtplib.SMTP:
        if self.tls:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=PATIENCE, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=PATIENCE)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        safe = self.tls or self.here
        if not self.tls and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
            safe = True
        if not safe and (self.user or not self.plain):
            raise _unsent(
                f"the mail server {self.host} offers no STARTTLS, and nothing is sent to it unencrypted",
                f"switch STARTTLS on there, or write smtps:// or ?starttls=optional (without a password) in {SETTING}",
            )
        if self.user:
            server.login(self.user, self.password)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """What went wrong, in one of the three ways."""
        try:
            yield
        except smtplib.SMTPAuthenticationError as problem:
            remedy = f"correct user and password in {SETTING}, and start Seatkeeper again"
            raise NeedsPerson(f"{self._place} does not let us in: {problem.smtp_code}", remedy=remedy) from None
        except smtplib.SMTPRecipientsRefused as problem:
            raise self._refused({code for code, _ in problem.recipients.values()}) from None
        except (smtplib.SMTPNotSupportedError, UnicodeError):
            remedy = f"look at {SETTING}: signing in, or an address that is not ASCII, needs another server"
            raise NeedsPerson(f"{self._place} cannot do what the mail needs", remedy=remedy) from None
        except smtplib.SMTPResponseException as problem:
            said = f"{self._place} answers {problem.smtp_code}"
            raise Transient(said) if problem.smtp_code < 500 else Permanent(said) from None
        except ssl.SSLCertVerificationError:
            remedy = "give the server a certificate of a known authority that has its name"
            raise NeedsPerson(f"the certificate of {self._place} is not trusted", remedy=remedy) from None
        except (OSError, smtplib.SMTPException) as problem:
            raise Transient(f"{self._place} cannot be reached, or broke off: {type(problem).__name__}") from None

    def _refused(self, codes: set[int]) -> Transient | NeedsPerson:
        said = f"{self._place} refuses every address: {', '.join(map(str, sorted(codes)))}"
        if min(codes) < 500:
            return Transient(said)
        return NeedsPerson(said, remedy="correct the addresses under `notify` in the policy")

    @property
    def _place(self) -> str:
        return f"the mail server {self.host}:{self.port}"


def post_office(url: str | None) -> PostOffice:
    """The mail server that the setting names. Raises NeedsPerson where it names none; never tells what it says."""
    if url is None:
        raise _unsent(f"a policy names people to tell, and {SETTING} is not set", f"set {SETTING}")
    parts = _parts(url)
    if parts is None:
        raise _unsent(
            f"{SETTING} is no address of a mail server", "write it as smtp://host or smtps://user:password@host"
        )
    said = dict(parse_qsl(parts.query))
    user = unquote(parts.username or "")
    usual = _SUBMISSION if user and parts.scheme == "smtp" else _PORTS[parts.scheme]
    return PostOffice(
        host=parts.hostname or "",
        port=parts.port or usual,
        sender=said.get("from") or (user if "@" in user else f"seatkeeper@{parts.hostname}"),
        user=user,
        password=unquote(parts.password or ""),
        tls=parts.scheme == "smtps",
        plain=said.get("starttls") == "optional",
        here=is_loopback(parts.hostname or ""),
    )


def _parts(url: str) -> SplitResult | None:
    """The parts of an address of a mail server; None where it is none."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.scheme in _PORTS and (parts.port is None or parts.port > 0)
        known = {name for name, _ in parse_qsl(parts.query, strict_parsing=bool(parts.query))} <= {"from", "starttls"}
    except ValueError:
        return None
    return parts if usable and known else None


def _unsent(problem: str, remedy: str) -> NeedsPerson:
    refused = NeedsPerson(problem, remedy=remedy)
    refused.unsent = True
    return refused
