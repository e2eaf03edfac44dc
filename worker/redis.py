"""The Redis that carries messages: how it is reached, and whether it answers.

No answer of it is waited for longer than for a few seconds: one that hangs is as good as gone. What is raised quotes no
URL, since one may hold a password.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.errors import NeedsPerson

if TYPE_CHECKING:
    from redis import Redis

ANSWERS_WITHIN = 5.0
"""Seconds that it has to let us in, and to answer, unless its URL says otherwise."""
_SCHEMES = ("redis://", "rediss://", "unix://")
_WRITTEN = "write it like redis://host:6379/0, or like rediss://user:password@host:6379/0 for TLS"
_GONE = "check SEATKEEPER_REDIS_URL, and that Redis answers there; nothing is lost meanwhile"


def redis_at(url: str) -> "Redis":
    """Whoever asks Redis; nothing is sent before something is asked. Raises NeedsPerson where the URL is none."""
    from redis import Redis

    try:
        client = Redis.from_url(url, socket_timeout=ANSWERS_WITHIN, socket_connect_timeout=ANSWERS_WITHIN)
        client.connection_pool.make_connection()  # knows which options there are, and connects to nobody
    except (ValueError, TypeError):
        raise NeedsPerson(f"SEATKEEPER_REDIS_URL {_wrong_with(url)}", remedy=_WRITTEN) from None
    return client


def ask(client: "Redis") -> None:
    """Ask whether it is there, and lets us in. Raises NeedsPerson where it does not answer so within bounds."""
    from redis.exceptions import RedisError

    try:
        client.ping()
    except (RedisError, OSError) as problem:
        raise NeedsPerson(f"Redis does not answer: {type(problem).__name__}", remedy=_GONE) from None


def _wrong_with(url: str) -> str:
    if not url.lower().startswith(_SCHEMES):
        return f"does not begin with {', '.join(_SCHEMES[:-1])} or {_SCHEMES[-1]}"
    try:
        _ = urlsplit(url).port
    except ValueError:
        return "has no number for a port; in a password / is written %2F, ? is %3F and # is %23"
    return "has an option behind its ? that there is not, or a value that it cannot have"
