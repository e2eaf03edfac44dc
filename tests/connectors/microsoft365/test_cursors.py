"""A cursor is good for one stream of one tenant, and for nothing else."""

import msgspec
import pytest

from connectors.errors import CursorExpired, Permanent, Transient
from connectors.links import Root
from connectors.microsoft365.cursors import Chunk, Stream

ROOT = Root("https", "graph.microsoft.com", 443, "/v1.0")
TENANT = "7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10"
USERS = Stream("users", ("id", "mail"), ROOT, TENANT)
LINK = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=oEcOySpF"
CURSOR = USERS.cursor(link=LINK)


def test_a_cursor_is_read_again_as_it_was_written() -> None:
    assert USERS.read(USERS.cursor(link=LINK, full=True)).full is True
    assert USERS.read(CURSOR).link == LINK
    assert USERS.read(CURSOR).full is False


def test_a_cursor_of_chunks_keeps_them() -> None:
    groups = Stream("groups", ("id",), ROOT, TENANT)
    link = "https://graph.microsoft.com/v1.0/groups/microsoft.graph.delta()?$deltatoken=x"
    chunks = [Chunk(["a", "b"], link, ["b"]), Chunk(["c"])]

    assert groups.read(groups.cursor(chunks=chunks)).chunks == chunks


def changed(**values: object) -> str:
    return msgspec.json.encode(msgspec.json.decode(CURSOR) | values).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a delta link of an older version",
        "[]",
        "{}",
        changed(v=2),
        changed(stream="groups"),
        changed(select="0123456789abcdef"),
        changed(root="https://graph.microsoft.us/v1.0"),
        changed(tenant="00000000-5a0e-4c64-9a53-0d6f2f1b7a10"),
        changed(link="https://graph.microsoft.com/v1.0/groups/delta?$deltatoken=x"),
        changed(link="https://graph.microsoft.com/v1.0/users?$skiptoken=x"),
        changed(link="https://graph.example.net/v1.0/users/delta?$deltatoken=x"),
        changed(unheard_of=1),
    ],
)
def test_any_other_cursor_is_as_good_as_expired(text: str) -> None:
    with pytest.raises(CursorExpired):
        USERS.read(text)


@pytest.mark.parametrize(
    "path", ["/v1.0/users/delta", "/v1.0//users/delta()", "/v1.0/users/microsoft.graph.delta()", "/v1.0/Users/Delta"]
)
def test_every_spelling_of_the_stream_is_followed_as_it_stands(path: str) -> None:
    link = f"https://graph.microsoft.com{path}?$skiptoken=a+b%2F"

    assert USERS.follow(link) == link


def test_a_link_out_of_the_stream_is_not_followed() -> None:
    with pytest.raises(Transient, match="leads out of the stream"):
        USERS.follow("https://graph.microsoft.com/v1.0/groups/delta?$skiptoken=x")
    with pytest.raises(Permanent, match="not followed"):
        USERS.follow("https://graph.example.net/v1.0/users/delta?$skiptoken=x")
