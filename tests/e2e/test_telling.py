"""A daemon tells programs by itself, and what it told when it was killed it tells again under the same ids (A2, Z6)."""

import threading
from typing import Any

import pytest

from connectors.simulators.serving import Answer
from tests.e2e.conftest import LEASE, Installation
from tests.proves import proves
from tests.services.waiting import PATIENCE, until
from tests.worker.outside import YES, Hook, a_hook
from tests.worker.world import Customer

pytestmark = pytest.mark.slow
RULES = "- {name: staff, groups: [Staff], license: standard}"


def told(installation: Installation, hook: Hook, people: int) -> Customer:
    """A company whose receiver is told of people who get licenses."""
    contoso = installation.world.customer()
    contoso.crowd(people)
    installation.world.add_lot("standard", 50)
    contoso.policy(RULES, directory="every: 1s", notify=f"[{hook.entry}]")
    return contoso


def assigned(events: list[dict[str, Any]]) -> list[str]:
    return sorted(event["id"] for event in events if event["type"] == "seatkeeper.license.assigned")


@proves("A2", "Z6")
def test_what_a_daemon_was_killed_over_is_told_again_under_the_same_ids(on_many: Installation) -> None:
    world, asked, gone = on_many.world, threading.Event(), threading.Event()

    def hang(_event: dict[str, Any]) -> Answer:
        asked.set()
        assert gone.wait(PATIENCE)
        return YES

    with a_hook(world, hang) as hook:
        told(on_many, hook, 5)
        scheduler, _worker = on_many.start("scheduler", "worker", lease=LEASE)
        until(asked.is_set, lambda: scheduler.events)
        scheduler.kill()
        gone.set()
        first = {event["id"] for event in hook.came}
        hook.answers = lambda _event: YES
        with world.store.begin() as tx:
            tx.execute("UPDATE receiver SET lease_until = 0")  # as after ten minutes
        [successor] = on_many.start("scheduler", lease=LEASE)
        until(lambda: len(set(assigned(hook.accepted))) == 5, lambda: successor.events)
        again = [event["id"] for event in hook.came if event["id"] in first]
        assert first and len(again) > len(first)
        assert successor.stop() == 0


@proves("A2", "Z10")
def test_a_daemon_that_is_told_to_stop_waits_for_no_receiver_that_hangs(on_sqlite: Installation) -> None:
    """Sooner than the receiver's time runs out; it is told again when the claim of the daemon has run out."""
    world, asked, gone = on_sqlite.world, threading.Event(), threading.Event()

    def hang(_event: dict[str, Any]) -> Answer:
        asked.set()
        gone.wait(40)
        return YES

    with a_hook(world, hang) as hook:
        told(on_sqlite, hook, 2)
        [up] = on_sqlite.start("up")
        until(asked.is_set, lambda: up.events)
        assert up.stop() == 0
        gone.set()
        assert world.rows("SELECT failures, lease_until > 0 FROM receiver") == [(0, True)], "it was left as it was"
