"""The broker that carries messages: Redis where it is set, else this process itself.

A message carries an id and no more. Losing one loses nothing: what must happen is in the store (Z7).
"""

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Callbacks, Pipelines, Retries, ShutdownNotifications, TimeLimit

LONGEST = 4 * 3_600 * 1_000
"""Milliseconds that one message may take: a first read of a huge directory."""


def open_broker(redis_url: str | None) -> dramatiq.Broker:
    """A broker of our own; nothing is registered globally."""
    middleware = [
        AgeLimit(),
        TimeLimit(time_limit=LONGEST),
        ShutdownNotifications(notify_shutdown=False),
        Callbacks(),
        Pipelines(),
        Retries(max_retries=0),  # the store says what is due; a message is never repeated for its own sake
    ]
    if redis_url is None:
        return StubBroker(middleware=middleware)
    from dramatiq.brokers.redis import RedisBroker

    broker: dramatiq.Broker = RedisBroker(url=redis_url, middleware=middleware)  # type: ignore[no-untyped-call]
    return broker
