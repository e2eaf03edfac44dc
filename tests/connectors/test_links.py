"""Where a connector may go, and what of an address may be shown."""

import pytest

from connectors.errors import NeedsPerson, Permanent
from connectors.links import Root, permitted, pinned, redacted, root

GRAPH = Root("https", "graph.microsoft.com", 443, "/v1.0")


def test_a_link_home_is_followed_as_it_stands() -> None:
    link = "https://GRAPH.microsoft.com:443/v1.0/users/delta?$skiptoken=a%2Bb'()"

    assert pinned(link, GRAPH) is link


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example.net/v1.0/users/delta?$skiptoken=secret",
        "http://graph.microsoft.com/v1.0/users/delta?$skiptoken=secret",
        "https://graph.microsoft.com:8443/v1.0/users/delta?$skiptoken=secret",
        "https://graph.microsoft.com@graph.example.net/v1.0/users?$skiptoken=secret",
        "https://secret@graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com.example.net/v1.0/users?$skiptoken=secret",
        "https://graph.example.net\\@graph.microsoft.com/v1.0/users?$skiptoken=secret",
        "//graph.microsoft.com/v1.0/users?$skiptoken=secret",
        "/v1.0/users?$skiptoken=secret",
        "file:///etc/secret",
        "https://graph.microsoft.com:port/v1.0/users?$skiptoken=secret",
        "https://[graph.microsoft.com/v1.0/users?$skiptoken=secret",
        "",
    ],
)
def test_a_link_to_anywhere_else_is_not_followed_and_not_quoted(link: str) -> None:
    with pytest.raises(Permanent) as refused:
        pinned(link, GRAPH)

    assert "secret" not in str(refused.value).replace("/etc/secret", "")


def test_plain_http_is_for_loopback_alone() -> None:
    assert root("http://127.0.0.1:8000/").url == "http://127.0.0.1:8000"
    assert root("http://[::1]:8000").url == "http://[::1]:8000"
    assert root("http://localhost").url == "http://localhost"
    with pytest.raises(NeedsPerson, match="not encrypted"):
        root("http://graph.microsoft.com")


@pytest.mark.parametrize("url", ["https://graph.microsoft.com", "http://127.0.0.1:9", "https://proxy.contoso.example"])
def test_an_override_may_lead_to_loopback_the_vendor_or_where_the_provider_allows(url: str) -> None:
    assert permitted(url, {"graph.microsoft.com"}, ["proxy.contoso.example"]).url == url


def test_a_port_of_an_allowed_host_can_be_allowed_alone() -> None:
    assert permitted("https://proxy.contoso.example:8443", set(), ["Proxy.contoso.example:8443"]).port == 8443
    with pytest.raises(NeedsPerson) as needed:
        permitted("https://proxy.contoso.example", set(), ["proxy.contoso.example:8443"])

    assert needed.value.remedy == "add proxy.contoso.example to allowed_hosts in provider.yaml, if it is meant"


@pytest.mark.parametrize("url", ["https://evil.example", "https://graph.microsoft.com:8443", "https://user@127.0.0.1"])
def test_any_other_override_needs_a_person(url: str) -> None:
    with pytest.raises(NeedsPerson):
        permitted(url, {"graph.microsoft.com"}, [])


@pytest.mark.parametrize(
    "url, shown",
    [
        (
            "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=s3cret",
            "https://graph.microsoft.com/v1.0/users/delta?…",
        ),
        ("https://user:s3cret@proxy.example:1/x", "https://proxy.example:1/x"),
        ("https://[s3cret", "an unreadable address"),
    ],
)
def test_an_address_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    assert redacted(url) == shown
