"""The broker that carries messages: Redis where it is set, else this process itself.

A message carries ids and no more. Losing one loses nothing: what must happen is in the store (Z7).
"""

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Callbacks, Middleware, Pipelines, Retries, ShutdownNotifications

from connectors.errors import NeedsPerson
from worker.redis import ask, redis_at
from worker.settings import SettingsError

SHORT, LONG = "directories", "long_directories"
"""The queues: passes that are over in a moment, and those that may take their time."""
OLDEST = 60_000
"""Milliseconds after which a message is not worth reading: what it says was said again since."""


class Forgetting(Middleware):
    """Forgets at once what this process did not work on: it was too old, and was said again since."""

    def after_nack(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        if isinstance(broker, StubBroker):
            broker.dead_letters_by_queue[message.queue_name].clear()


def open_broker(redis_url: str | None) -> dramatiq.Broker:
    """A broker of our own; nothing is registered globally. Raises SettingsError where the URL is none of Redis."""
    middleware = [
        AgeLimit(max_age=OLDEST),
        ShutdownNotifications(notify_shutdown=False),
        Callbacks(),
        Pipelines(),
        Retries(max_retries=0),  # the store says what is due; a message is never repeated for its own sake
    ]
    if redis_url is None:
        return StubBroker(middleware=[*middleware, Forgetting()])
    from dramatiq.brokers.redis import RedisBroker

    try:
        client = redis_at(redis_url)
    except NeedsPerson as problem:
        raise SettingsError(f"{problem}; {problem.remedy}") from None
    # What nobody worked on would be kept for a week otherwise.
    broker: dramatiq.Broker = RedisBroker(client=client, middleware=middleware, dead_message_ttl=OLDEST)  # type: ignore[no-untyped-call]
    return broker


def is_elsewhere(broker: dramatiq.Broker) -> bool:
    """Whether messages go by way of Redis."""
    return not isinstance(broker, StubBroker)


def ask_for(broker: dramatiq.Broker) -> None:
    """Ask Redis whether it is there. Raises NeedsPerson where it does not answer."""
    ask(broker.client)  # type: ignore[attr-defined]


def waiting(broker: dramatiq.Broker, queue: str) -> int:
    """How many messages a queue has that nobody has dealt with."""
    if isinstance(broker, StubBroker):
        return int(broker.queues[queue].qsize())
    return int(broker.do_qsize(queue))  # type: ignore[attr-defined]


def close(broker: dramatiq.Broker) -> None:
    """Give connections back."""
    broker.close()
    if not isinstance(broker, StubBroker):
        broker.client.close()  # type: ignore[attr-defined]
