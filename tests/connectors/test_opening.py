"""Proxies as people write them, and what is asked of them."""

import pytest

from connectors.connections import Place
from connectors.errors import NeedsPerson
from connectors.http import HttpClient, NoAnswer, Request
from connectors.opening import Proxy, _connect, proxy_at
from connectors.simulators.serving import Answer
from tests.connectors.scripted import scripted

KEEPER = "a2VlcGVyOnNAZmU="


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.contoso.example:3128", Proxy("http", "proxy.contoso.example", 3128, None)),
        ("http://proxy.contoso.example/", Proxy("http", "proxy.contoso.example", 80, None)),
        ("https://proxy.contoso.example", Proxy("https", "proxy.contoso.example", 443, None)),
        ("proxy.contoso.example:3128", Proxy("http", "proxy.contoso.example", 3128, None)),
        ("keeper:s%40fe@proxy.contoso.example:3128", Proxy("http", "proxy.contoso.example", 3128, KEEPER)),
        ("HTTP://keeper:s%40fe@[2001:db8::1]:3128", Proxy("http", "2001:db8::1", 3128, KEEPER)),
    ],
)
def test_a_proxy_is_what_its_url_says(url: str, proxy: Proxy) -> None:
    assert proxy_at(url) == proxy


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://keeper:s3cret@proxy:port", "its host or its port is none"),
        ("http://keeper:s3cret@proxy:99999", "its host or its port is none"),
        ("http://keeper:s3cret@[::1:3128", "its host or its port is none"),
        ("http://keeper:s3cret@a..example", "its host or its port is none"),
        ("http://:3128", "it names no host"),
        ("socks5://keeper:s3cret@proxy:1080", "its scheme is neither http nor https"),
    ],
)
def test_a_proxy_that_is_none_is_called_so_without_its_password(url: str, why: str) -> None:
    client = HttpClient(proxies={"https": url})
    with pytest.raises(NeedsPerson, match=f"the proxy in HTTPS_PROXY cannot be used: {why}") as refused:
        client.send(Request("GET", "https://graph.contoso.example/"))

    assert refused.value.unsent and "s3cret" not in str(refused.value) + refused.value.remedy


@pytest.mark.parametrize(
    ("host", "there"),
    [
        ("graph.contoso.example", b"graph.contoso.example:443"),
        ("b\u00fccher.example", b"xn--bcher-kva.example:443"),
        ("2001:db8::1", b"[2001:db8::1]:443"),
    ],
)
def test_a_proxy_is_told_hosts_as_it_reads_them(host: str, there: bytes) -> None:
    asked = _connect(Place("https", host, 443, "http://proxy:3128"))

    assert asked == b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (there, there)


@pytest.mark.parametrize(
    ("exceptions", "is_asked"),
    [
        ("", True),
        ("*", False),
        ("contoso.example", False),
        (".contoso.example", False),
        ("other.example, Graph.Contoso.Example", False),
        ("graph.contoso.example:8443", False),
        ("graph.contoso.example:443", True),
        ("raph.contoso.example", True),
        ("2001:db8::1", True),
    ],
)
def test_exceptions_are_hosts_with_or_without_a_port_and_the_domains_above_them(
    exceptions: str, is_asked: bool
) -> None:
    client = HttpClient(proxies={"https": "http://proxy:3128", "no": exceptions})

    assert bool(client._proxy("https", "graph.contoso.example", 8443)) is is_asked
    assert bool(client._proxy("https", "2001:db8::1", 8443)) is (exceptions not in ("*", "2001:db8::1"))


def test_who_refuses_is_told_with_its_status_and_the_request_did_not_leave() -> None:
    refusal = Answer(407, {"Proxy-Authenticate": "Basic"}, b"who are you?" * 1_000)
    with scripted(refusal) as proxy, pytest.raises(NoAnswer, match="the proxy refused with status 407") as refused:
        HttpClient(proxies={"https": proxy.url}).send(
            Request("GET", "https://graph.contoso.example/", {"authorization": "Bearer s3cret"})
        )

    assert refused.value.unsent and "authorization" not in proxy.asked[0].headers
