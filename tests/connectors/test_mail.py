"""Mail: handed over safely or not at all, and every failure told in one of the three ways, without a secret."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.errors import NeedsPerson, Permanent, Transient
from connectors.mail import Letter, PostOffice, post_office
from tests.proves import proves
from tests.services.kept import free_port, nobody_listens
from tests.services.waiting import PATIENCE

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LETTER = Letter("abc", ("ops@contoso.example", "kim@contoso.example"), "1 hold", "Łódź: held\n.\nseatkeeper status\n")
USER, PASSWORD = "keeper@northwind.example", "pass/word?"


class Server:
    """A handler that keeps what it accepts, and answers as it is told."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.to_data, self.to_address = "250 OK", "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if self.to_address.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_address

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        if self.to_data.startswith("250"):
            self.letters.append((envelope.rcpt_tos, envelope.content.decode(), session.ssl is not None))
        return self.to_data


@contextmanager
def serving(**options: Any) -> Iterator[tuple[Server, PostOffice]]:
    server, port = Server(), free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE, **options)
    controller.start()
    try:
        yield server, post_office(f"smtp://127.0.0.1:{port}?from=keeper@northwind.example")
    finally:
        controller.stop()


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for this machine that the client trusts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


def authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)


@proves("A2")
def test_a_letter_arrives_as_it_was_written_under_its_name() -> None:
    with serving() as (server, office):
        assert office.send(LETTER, NOW) == ()
        [(to, text, _)] = server.letters
        assert to == list(LETTER.to)
        assert "Message-ID: <abc@northwind.example>" in text and "Auto-Submitted: auto-generated" in text
        assert "To: ops@contoso.example, kim@contoso.example" in text
        assert "From: Seatkeeper <keeper@northwind.example>" in text


def test_starttls_and_a_password_are_used_where_the_server_has_them(secure: ssl.SSLContext) -> None:
    options = {"tls_context": secure, "require_starttls": True, "auth_required": True, "authenticator": authenticated}
    with serving(**options) as (server, office):
        known = replace(office, user=USER, password=PASSWORD)
        known.send(LETTER, NOW)
        assert [safe for *_, safe in server.letters] == [True]
        with pytest.raises(NeedsPerson) as refused:
            replace(known, password="wrong word").send(LETTER, NOW)
        assert "535" in str(refused.value) and "wrong word" not in f"{refused.value}{refused.value.remedy}{known}"


def test_a_certificate_that_is_not_trusted_is_no_connection(
    secure: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with serving(tls_context=secure) as (server, office):
        with pytest.raises(NeedsPerson, match="certificate"):
            office.send(LETTER, NOW)
        assert server.letters == []


def test_beyond_this_machine_nothing_is_sent_without_tls() -> None:
    with serving() as (server, near):
        office = replace(near, here=False)
        with pytest.raises(NeedsPerson, match="STARTTLS") as refused:
            office.send(LETTER, NOW)
        assert refused.value.unsent
        with pytest.raises(NeedsPerson, match="STARTTLS"):
            replace(office, plain=True, user=USER, password=PASSWORD).send(LETTER, NOW)
        assert server.letters == []
        replace(office, plain=True).send(LETTER, NOW)
        assert len(server.letters) == 1


@pytest.mark.parametrize(
    ("to_data", "to_address", "problem"),
    [
        ("451 later", "250 OK", Transient),
        ("554 no", "250 OK", Permanent),
        ("250 OK", "450 greylisted", Transient),
        ("250 OK", "550 no such user", NeedsPerson),
    ],
)
def test_what_the_server_says_is_told_in_one_of_three_ways(
    to_data: str, to_address: str, problem: type[Exception]
) -> None:
    with serving() as (server, office):
        server.to_data, server.to_address = to_data, to_address
        with pytest.raises(problem) as raised:
            office.send(LETTER, NOW)
        assert (to_address if to_data.startswith("250") else to_data)[:3] in str(raised.value)


def test_a_server_that_is_not_there_is_tried_again() -> None:
    with nobody_listens() as port, pytest.raises(Transient, match="cannot be reached"):
        post_office(f"smtp://127.0.0.1:{port}").send(LETTER, NOW)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("smtp://mail.example", ("mail.example", 25, "seatkeeper@mail.example", "", False)),
        ("smtp://kim:a%2Fb@mail.example", ("mail.example", 587, "seatkeeper@mail.example", "a/b", False)),
        ("smtps://kim%40x.example:pw@mail.example", ("mail.example", 465, "kim@x.example", "pw", True)),
        ("smtps://mail.example:2465?from=ops@x.example", ("mail.example", 2465, "ops@x.example", "", True)),
    ],
)
def test_the_setting_says_where_and_as_whom(url: str, place: tuple[Any, ...]) -> None:
    office = post_office(url)
    assert (office.host, office.port, office.sender, office.password, office.tls) == place
    assert not office.here and post_office("smtp://127.0.0.1").here


@pytest.mark.parametrize("url", [None, "mail.example", "http://mail.example", "smtp://", "smtp://h:x", "smtp://h?to=a"])
def test_a_setting_that_names_no_server_is_a_persons_to_correct(url: str | None) -> None:
    with pytest.raises(NeedsPerson, match="SEATKEEPER_SMTP_URL") as refused:
        post_office(url)
    assert refused.value.unsent and (url in (None, "smtp://") or url not in f"{refused.value}{refused.value.remedy}")


def test_an_address_that_is_none_is_found_before_anything_is_sent() -> None:
    with pytest.raises(NeedsPerson, match="no address"):
        post_office("smtp://127.0.0.1").send(replace(LETTER, to=("a b@c",)), NOW)
