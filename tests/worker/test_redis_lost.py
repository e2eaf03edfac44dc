"""A process that cannot have messages says so, with what to do, to whoever asks whether it can do its work (Z7)."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import dramatiq
import pytest

from connectors.errors import NeedsPerson
from tests.kill.servers import Killable, a_redis
from tests.proves import proves
from tests.services.waiting import PATIENCE, until
from tests.worker.world import World
from worker.broker import ask_for, close, open_broker
from worker.health import Health
from worker.loops import Loop
from worker.pace import Pace
from worker.process import Daemon
from worker.settings import SettingsError
from worker.telemetry import Telemetry


@pytest.fixture
def server() -> Iterator[Killable]:
    with a_redis() as started:
        yield started


@proves("Z7")
def test_readiness_says_that_redis_is_lost_and_what_to_do_until_it_is_back(wire: World, server: Killable) -> None:
    broker = open_broker(server.url)
    loop = Loop("messages", timedelta(milliseconds=10), lambda: ask_for(broker)).start()
    health = Health(wire.app, [loop], Telemetry().registry)
    assert health.ready().status == 200
    server.kill()
    until(lambda: health.ready().status == 503, health.ready)
    assert health.ready().body == (
        b"failing: messages (Redis does not answer: ConnectionError; check SEATKEEPER_REDIS_URL, and that Redis answers"
        b" there; nothing is lost meanwhile)\n"
    )
    assert health.alive().status == 200, "to start it anew would mend nothing"
    server.start()
    until(lambda: health.ready().status == 200, health.ready)
    assert loop.stop(PATIENCE)
    close(broker)


def test_a_redis_that_hangs_is_waited_for_no_longer_than_a_moment(server: Killable) -> None:
    broker, pid = open_broker(f"{server.url}?socket_timeout=0.2"), server.pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(NeedsPerson, match="Redis does not answer: TimeoutError"):
            ask_for(broker)
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: answers(broker))
    close(broker)


def answers(broker: dramatiq.Broker) -> bool:
    try:
        ask_for(broker)
    except NeedsPerson:
        return False
    return True


@pytest.mark.parametrize("role", ["scheduler", "worker", "up"])
def test_every_process_with_a_redis_asks_after_it_and_no_other(wire: World, redis_url: str, role: str) -> None:
    with_one = replace(wire.app, settings=replace(wire.app.settings, redis_url=redis_url))
    names = [
        [loop.name for loop in Daemon(app, role, Pace()).loops]
        for app in ((with_one, wire.app) if role == "up" else (with_one,))
    ]
    assert ["messages" in each for each in names] == [True, False][: len(names)]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "does not begin with redis://, rediss:// or unix://"),
        (":hidden@cache:6379", "does not begin with redis://"),
        ("redis://:hidden/den@cache:6379/0", "in a password / is written %2F"),
        ("redis://cache:port/0", "has no number for a port"),
        ("redis://cache?patience=1", "has an option behind its ? that there is not"),
        ("redis://cache?socket_timeout=long", "or a value that it cannot have"),
    ],
)
def test_a_setting_that_is_no_url_of_redis_says_what_is_wrong_with_it(url: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        open_broker(url)
    text = str(refused.value)
    assert text.startswith("SEATKEEPER_REDIS_URL ") and said in text and "redis://host:6379/0" in text
    assert "hidden" not in text
