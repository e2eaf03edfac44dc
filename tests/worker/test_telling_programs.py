"""Telling programs: signed events, at least once, in order, and nobody waits for anybody else (A2, R1)."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from connectors.simulators.serving import Answer
from store.audit import Event
from store.receivers import ReceiverState
from tests.proves import proves
from tests.services.waiting import PATIENCE
from tests.worker.outside import KEY, SECRET, YES, Hook, a_hook, at_the_same_time
from tests.worker.test_retention import STAFF as LEAVING
from tests.worker.test_retention import after, open_notices, released
from tests.worker.world import Customer, World
from worker.operations.on_demand import Wanted, sync_now
from worker.telling import CLAIM, THREADS, deliver, deliver_all, hasten

STAFF = "- {name: staff, groups: [Staff], license: standard}"
EVERYBODY = "- {name: everybody, everyone: true, license: standard}"
PEOPLE = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn")


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def hook(world: World) -> Iterator[Hook]:
    """One receiver."""
    with a_hook(world) as hook:
        yield hook


@pytest.fixture
def told(contoso: Customer, hook: Hook) -> Customer:
    """A company that wants its receiver told, with people for whom there are seats; nobody was told anything yet."""
    contoso.hire(*PEOPLE)
    contoso.group("Staff", *PEOPLE)
    contoso.policy(STAFF, notify=f"[{hook.entry}]")
    contoso.world.add_lot("standard", 50)
    contoso.sync()
    return contoso


def feed(world: World, company: str = "contoso") -> list[Event]:
    """What the feed tells of a company."""
    with world.store.read() as tx:
        return [event for event in tx.audit.feed(0) if event.company == company]


def tell(world: World) -> None:
    """Tell until nobody is due."""
    while deliver(world.app, world.clock()):
        pass


def receivers(world: World) -> list[ReceiverState]:
    with world.store.read() as tx:
        return tx.receivers.listing()


def in_order(came: list[dict[str, Any]]) -> bool:
    """Whether what came of each subject came in the order of the feed."""
    subjects = {event["subject"] for event in came}
    places = [[e["data"]["n"] for e in came if e["subject"] == subject] for subject in subjects]
    return all(of == sorted(of) for of in places)


@proves("A2")
def test_every_event_arrives_once_signed_as_a_cloud_event_under_its_id(
    world: World, told: Customer, hook: Hook
) -> None:
    tell(world)
    assert sorted(hook.ids) == sorted(event.id for event in feed(world))
    assert len(hook.ids) >= len(PEOPLE) and in_order(hook.came)
    event = next(event for event in hook.came if event["data"]["account"] == told.people["Ada"])
    assert (event["specversion"], event["type"], event["source"]) == (
        "1.0", "seatkeeper.license.assigned", "/seatkeeper/contoso",
    )  # fmt: skip
    assert event["data"]["directory"] == "contoso-m365" and event["subject"] == told.people["Ada"]
    assert set(hook.open_while_told) == {0}
    before = world.dump()
    assert deliver(world.app, world.clock()) is False
    assert world.dump() == before


@proves("A2")
def test_a_receiver_hears_of_its_own_company_alone_and_of_the_provider_where_that_names_it(
    world: World, told: Customer, hook: Hook
) -> None:
    other = world.customer("fabrikam")
    other.hire("Zoe")
    other.group("Staff", "Zoe")
    other.policy(STAFF)
    other.sync()
    tell(world)
    assert {event["data"]["company"] for event in hook.accepted} == {"contoso"}
    file = world.folder / "provider.yaml"
    file.write_text(f"{file.read_text()}\nprovider: {{defaults: {{notify: [{hook.entry}]}}}}\n")
    assert world.load() == ()
    other.hire("Yan")
    other.tenant.create_group("More", members=[])
    lot = world.add_lot("standard", 1)
    other.policy(STAFF.replace("Staff", "More"))
    other.sync()
    tell(world)
    assert [row.companies for row in receivers(world)] == [["contoso", "fabrikam", "provider"]]
    assert lot not in {event["subject"] for event in hook.accepted}, "the feed does not tell of lots that are added"


@proves("A2", "Z6")
def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_ids(
    world: World, told: Customer, hook: Hook
) -> None:
    def mark(step: str) -> None:
        if step == "events sent":
            raise Killed

    world.restart(mark)
    with pytest.raises(Killed):
        deliver(world.app, world.clock())
    first = list(hook.ids)
    world.restart()
    assert deliver(world.app, world.clock()) is False, "somebody else may still be at it"
    world.later(CLAIM + timedelta(seconds=1))
    tell(world)
    assert first and sorted(hook.ids[len(first) :]) == sorted(first) == sorted(event.id for event in feed(world))


@proves("A2")
def test_two_that_deliver_at_once_tell_each_event_once(world: World, told: Customer, hook: Hook) -> None:
    at_the_same_time(*[lambda: deliver_all(world.app)] * 2)
    assert sorted(hook.ids) == sorted(event.id for event in feed(world))


@proves("A2")
def test_a_receiver_that_fails_is_tried_at_growing_intervals_and_misses_nothing(
    world: World, told: Customer, hook: Hook
) -> None:
    hook.answers = lambda _event: Answer(503)
    waits = []
    for _ in range(10):
        tell(world)
        [row] = world.rows("SELECT due, failures FROM receiver")
        waits.append(row[0] / 1_000_000 - world.clock().timestamp())
        world.later(seconds=waits[-1])
    assert [round(wait / 1.05) for wait in waits[:4]] == [30, 60, 120, 240]
    assert max(waits) < 3_600 * 1.1 and waits == sorted(waits)
    [state] = receivers(world)
    assert (state.state, state.remedy) == ("failing", None) and "status 503" in (state.problem or "")
    came = len(hook.came)
    hook.answers = lambda _event: YES
    tell(world)
    assert sorted(hook.ids) == sorted(event.id for event in feed(world)) and in_order(hook.accepted)
    assert (receivers(world)[0].state, receivers(world)[0].problem) == ("healthy", None)
    assert came <= 10 + 3, "after a failure one event alone is tried"


@proves("A2")
def test_an_event_that_is_refused_for_good_stops_its_receiver_and_is_never_passed_over(
    world: World, told: Customer, hook: Hook
) -> None:
    poisoned = feed(world)[2].id
    hook.answers = lambda event: Answer(400) if event["id"] == poisoned else YES
    waits = []
    for _ in range(12):
        tell(world)
        due = world.one("SELECT max(due) FROM receiver") / 1_000_000
        waits.append(due - world.clock().timestamp())
        world.later(seconds=waits[-1])
    assert poisoned not in hook.ids and in_order(hook.accepted)
    assert round(waits[0]) == 945 and round(waits[-1]) == round(86_400 * 1.05)
    [state] = receivers(world)
    assert state.state == "failing" and poisoned in (state.problem or "") and state.remedy is not None
    hook.answers = lambda _event: YES
    hasten(world.app, world.clock())
    tell(world)
    assert set(hook.ids) == {event.id for event in feed(world)}


@proves("A2")
@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (Answer(401), "secret"),
        (Answer(404), "url"),
        (Answer(410), "gone"),
        (Answer(302, {"Location": "http://127.0.0.1:1/"}), "redirect"),
    ],
)
def test_a_refusal_that_a_person_must_see_to_says_what_to_do(wire: World, answer: Answer, word: str) -> None:
    with a_hook(wire, lambda _event: answer) as hook:
        contoso = wire.customer()
        contoso.policy(STAFF, notify=f"[{hook.entry}]")
        contoso.file.unlink()
        wire.load()
        tell(wire)
        [state] = receivers(wire)
        assert state.state == "failing" and word in (state.remedy or "")
        assert len(hook.came) == 1


@proves("A2", "Z9")
def test_a_receiver_that_hangs_or_fails_delays_no_other(wire: World) -> None:
    """Not even with what happens while it hangs."""
    contoso = wire.customer()
    everything, meanwhile, late = threading.Event(), threading.Event(), threading.Event()
    with a_hook(wire) as quick, a_hook(wire) as slow, a_hook(wire) as broken:

        def hang(_event: dict[str, Any]) -> Answer:
            assert everything.wait(PATIENCE), "the quick one is told meanwhile"
            if not meanwhile.is_set():
                meanwhile.set()
                world_goes_on()
            assert late.wait(PATIENCE), "also of what happens now"
            return YES

        def hear(event: dict[str, Any]) -> Answer:
            if event["type"] == "seatkeeper.directory.frozen":
                late.set()
            if len(quick.came) >= len(PEOPLE):
                everything.set()
            return YES

        def world_goes_on() -> None:
            contoso.file.unlink()
            wire.load()

        slow.answers, quick.answers, broken.answers = hang, hear, lambda _event: Answer(500)
        contoso.hire(*PEOPLE)
        contoso.group("Staff", *PEOPLE)
        contoso.policy(STAFF, notify=f"[{broken.entry}, {slow.entry}, {quick.entry}]")
        wire.add_lot("standard", 50)
        contoso.sync()
        deliver_all(wire.app)
        assert sorted(quick.ids) == sorted(slow.ids) == sorted(event.id for event in feed(wire))
        assert broken.ids == []


@proves("A2", "Z9")
def test_many_receivers_that_hang_leave_room_for_the_others(wire: World) -> None:
    """Even if all of them have been due for longer."""
    contoso = wire.customer()
    contoso.hire("Ada")
    wire.add_lot("standard", 50)
    heard = threading.Event()
    with ExitStack() as all_of_them:
        dead = [all_of_them.enter_context(a_hook(wire, lambda _event: Answer(500))) for _ in range(THREADS + 1)]
        quick = all_of_them.enter_context(a_hook(wire))
        contoso.policy(EVERYBODY, notify=f"[{', '.join(hook.entry for hook in dead)}]")
        contoso.sync()
        tell(wire)
        assert {row.state for row in receivers(wire)} == {"failing"}
        contoso.policy(EVERYBODY, notify=f"[{', '.join(hook.entry for hook in [*dead, quick])}]")
        with wire.store.begin() as tx:
            tx.execute("UPDATE receiver SET due = 1")
            tx.execute("UPDATE receiver SET due = 2 WHERE failures = 0")
        contoso.hire("Ben")
        contoso.sync()

        def hang(_event: dict[str, Any]) -> Answer:
            return YES if heard.wait(PATIENCE) else Answer(500)

        def hear(_event: dict[str, Any]) -> Answer:
            heard.set()
            return YES

        quick.answers = hear
        for hook in dead:
            hook.answers = hang
        deliver_all(wire.app)
        assert {row.state for row in receivers(wire)} == {"healthy"}, "nobody was asked for longer than the quick one"
        assert len(quick.ids) > 0


@proves("A2")
def test_a_receiver_on_a_private_network_is_told_only_if_the_provider_allows_it(
    world: World, told: Customer, hook: Hook
) -> None:
    (world.folder / "provider.yaml").write_text("allowed_hosts: []\n", encoding="utf-8")
    assert world.load() == ()
    tell(world)
    assert hook.came == []
    assert "allowed_hosts" in (receivers(world)[0].remedy or "")


@proves("A2")
def test_a_receiver_that_takes_anothers_place_goes_on_where_that_one_stopped(
    world: World, told: Customer, hook: Hook
) -> None:
    hook.answers = lambda _event: Answer(404)
    tell(world)
    with a_hook(world) as better:
        told.policy(STAFF, notify=f"[{better.entry}]")
        tell(world)
        assert sorted(better.ids) == sorted(event.id for event in feed(world))
    assert len(receivers(world)) == 1


@proves("R1", "A2")
def test_a_notice_is_accepted_when_a_receiver_has_accepted_all_of_it(
    world: World, contoso: Customer, hook: Hook
) -> None:
    notify = f"[{hook.entry}]"
    released(world, contoso, "Ada", "Ben", "Cleo", notify=notify)
    after(world, contoso, days=30)
    notices = [event for event in feed(world) if event.type == "seatkeeper.notice.due"]
    assert {event.data["after"]["address"] for event in notices} == {
        f"{n}@contoso.example" for n in ("ada", "ben", "cleo")
    }
    last = notices[-1].id
    hook.answers = lambda event: Answer(503) if event["id"] == last else YES
    tell(world)
    assert open_notices(world) == [(30, 3)]
    hook.answers = lambda _event: YES
    world.later(hours=1)
    tell(world)
    assert open_notices(world) == []
    [(by, at)] = world.rows("SELECT accepted_by, accepted_at FROM notice")
    assert (by, at) == (f"webhook:{hook.url}", world.clock().timestamp() * 1_000_000)
    assert contoso.clocks() == dict.fromkeys(("Ada", "Ben", "Cleo"), timedelta(days=30))
    assert world.is_sound()


@proves("R1")
def test_a_receiver_that_is_new_hears_of_notices_that_nobody_has_accepted(
    world: World, contoso: Customer, hook: Hook
) -> None:
    released(world, contoso, "Ada")
    after(world, contoso, days=30)
    tell(world)
    with world.store.read() as tx:
        assert tx.views.status(0).told_nobody == ["contoso"]
    contoso.policy(LEAVING, notify=f"[{hook.entry}]")
    tell(world)
    assert [event["type"] for event in hook.accepted] == ["seatkeeper.notice.due"]
    assert open_notices(world) == []
    with world.store.read() as tx:
        assert tx.views.status(0).told_nobody == []


@proves("A2")
def test_the_secret_is_in_no_log_no_status_and_no_record(
    world: World, told: Customer, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.answers = lambda _event: Answer(500)
    tell(world)
    hook.answers = lambda _event: YES
    world.later(hours=1)
    sync_now(world.app, Wanted())
    said = json.dumps([caplog.text, repr(world.dump()), repr(receivers(world)), repr(world.app)])
    assert SECRET not in said and SECRET.removeprefix("whsec_") not in said and KEY.decode() not in said


@proves("A2")
def test_sync_tells_whoever_is_to_be_told(world: World, told: Customer, hook: Hook) -> None:
    sync_now(world.app, Wanted(dry=True))
    assert hook.came == []
    sync_now(world.app, Wanted())
    assert sorted(hook.ids) == sorted(event.id for event in feed(world))
