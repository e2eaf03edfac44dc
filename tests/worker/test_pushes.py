"""What Google pushes: a hint that lets a directory be read earlier, and whatever else comes changes nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import urllib3
from prometheus_client import CollectorRegistry

from connectors.registry import kinds
from connectors.simulators.google_workspace import SIMULATED_CLIENT_ID, Fault
from policies.errors import PolicyError
from policies.reader import read_policy
from store.times import micros
from tests.proves import proves
from tests.worker.google import GoogleCustomer, workspace
from tests.worker.world import World
from worker.health import Health, HealthServer, Said
from worker.operations.pushing import LOOK_EVERY, ChannelKeeper
from worker.operations.retiring import retire_directory
from worker.pushes import PushesHeard

EVERYONE = "- {name: everyone, everyone: true, license: standard}"
NAMES = [f"Person {number:02}" for number in range(8)]
EVENTS = ["add", "delete", "undelete", "update"]


class _Stop(BaseException):
    """The process is gone."""


@dataclass
class Daemon:
    """What of a daemon has to do with pushes, moved on by hand."""

    contoso: GoogleCustomer
    keeper: ChannelKeeper = field(default_factory=ChannelKeeper)
    url: str = ""

    def __post_init__(self) -> None:
        self.begin()

    @property
    def world(self) -> World:
        return self.contoso.world

    def begin(self) -> None:
        self.pushes, self.keeper = PushesHeard(self.world.app), ChannelKeeper()

    def heard(self, path: str, headers: Mapping[str, str]) -> Said:
        return self.pushes.heard(path, headers)

    def keep_channels(self) -> bool:
        """Look whether channels are as they should be; whether there was anything to do."""
        app = self.world.app
        with app.store.read() as tx:
            needed = self.keeper.is_needed(app, tx)
        if needed:
            self.keeper.keep(app, app.clock())
        return needed

    def polls(self, minutes: int) -> int:
        """Let time pass as a daemon does, every ten seconds; how often everybody was read."""
        self.contoso.wire.forget_requests()
        for _ in range(minutes * 6):
            self.world.later(seconds=10)
            self.contoso.wire.deliver()
            self.pushes.pass_on()
            if self.contoso.row().due_at <= micros(self.world.app.clock()):
                assert self.contoso.sync().error is None
        return self.contoso.wire.requests().get("GET /users", 0)

    def post(self, channel: str, token: str, *, body: bytes = b"{}", state: str = "update") -> int:
        named = {"X-Goog-Channel-Token": token, "X-Goog-Resource-State": state}
        return urllib3.request("POST", f"{self.url}/google/{channel}", body=body, headers=named, retries=False).status

    def google_has(self) -> dict[str, str]:
        """The channels that Google tells over: event by id."""
        return {id: channel.event for id, channel in self.contoso.gws.channels.open.items()}

    def we_know(self) -> dict[str, str]:
        return dict(self.world.rows("SELECT id, event FROM channel"))


@pytest.fixture
def daemon(wire: World) -> Iterator[Daemon]:
    with workspace(wire) as contoso:
        yield from _daemon(contoso)


@pytest.fixture
def anywhere(world: World) -> Iterator[Daemon]:
    """The same on either database."""
    with workspace(world) as contoso:
        yield from _daemon(contoso)


def _daemon(contoso: GoogleCustomer) -> Iterator[Daemon]:
    daemon = Daemon(contoso)
    health = Health(contoso.world.app, [], CollectorRegistry())
    server = HealthServer("127.0.0.1:0", health, daemon.heard)
    daemon.url = server.url
    contoso.hire(*NAMES)
    contoso.world.add_lot("standard", 50)
    contoso.world.add_lot("archived", 50)
    pushed(daemon)
    contoso.sync()
    daemon.keep_channels()
    yield daemon
    server.close()


def pushed(daemon: Daemon, *more: str, push: str | None = "") -> None:
    """A policy under which everybody is read every hour, and Google tells of changes; with None it does not."""
    keys = ["every: 1h", *more]
    if push is not None:
        keys.append(f"push: {push or daemon.url}/google")
    daemon.contoso.policy(EVERYONE, directory="\n    ".join(keys))


@proves("D1")
def test_a_push_lets_everybody_be_read_early(anywhere: Daemon) -> None:
    assert sorted(anywhere.google_has().values()) == EVENTS and anywhere.google_has() == anywhere.we_know()
    assert anywhere.polls(5) == 0, "the first message of a channel says nothing"
    anywhere.contoso.delete("Person 03")
    assert anywhere.polls(1) == 1
    assert anywhere.contoso.licenses()["Person 03"] == "archived"
    assert anywhere.polls(10) == 0


@proves("D1")
def test_a_push_is_read_for_although_no_audit_event_tells_of_it_yet(daemon: Daemon) -> None:
    pushed(daemon, "read_every: 6h")
    daemon.contoso.gws.habits = replace(daemon.contoso.gws.habits, audit_lag=3_600)
    daemon.world.later(minutes=20)
    daemon.contoso.sync()
    daemon.world.later(minutes=5)
    daemon.contoso.delete("Person 03")
    assert daemon.polls(1) == 1
    assert daemon.contoso.licenses()["Person 03"] == "archived"


@proves("Z2", "Z8")
def test_what_is_forged_or_unknown_changes_nothing(anywhere: Daemon) -> None:
    channel = next(iter(anywhere.we_know()))
    real = anywhere.contoso.gws.channels.open[channel].asked.token
    before = anywhere.world.dump()
    forged = [
        ("", ""),
        (channel, ""),
        (channel, real[:-1]),
        (channel, real + "x"),
        ("another", real),
        ("../healthz", real),
    ]
    assert {anywhere.post(*each) for each in forged} == {404}
    assert anywhere.post(channel, real, body=b"x" * 70_000) == 413
    assert anywhere.post(channel, real, state="sync") == 204
    assert urllib3.request("POST", f"{anywhere.url}/metrics", retries=False).status == 404
    anywhere.world.later(minutes=5)
    anywhere.pushes.pass_on()
    assert anywhere.world.dump() == before
    assert real not in str(before), "the store does not know the token itself"


@proves("Z2")
def test_a_push_alone_changes_no_license(daemon: Daemon) -> None:
    """Whoever is said to be deleted was never gone."""
    before = daemon.contoso.licenses()
    daemon.contoso.delete("Person 03")
    daemon.contoso.gws.restore_user(daemon.contoso.people["Person 03"])
    assert daemon.polls(2) == 1
    assert daemon.contoso.licenses() == before


@proves("Z12")
def test_a_flood_of_pushes_is_a_read_a_minute(daemon: Daemon) -> None:
    reads, channel = 0, next(iter(daemon.we_know()))
    token = daemon.contoso.gws.channels.open[channel].asked.token
    for _ in range(10):
        assert {daemon.post(channel, token) for _ in range(30)} == {204}
        reads += daemon.polls(1)
    assert 5 <= reads <= 10


@proves("Z9")
def test_a_directory_that_fails_is_tried_in_its_own_time(daemon: Daemon) -> None:
    daemon.contoso.gws.withdraw(SIMULATED_CLIENT_ID)
    daemon.world.later(hours=1)
    assert daemon.contoso.sync().outcome == "failed"
    due = daemon.contoso.row().due_at
    daemon.contoso.delete("Person 03")
    daemon.contoso.wire.deliver()
    daemon.world.later(minutes=2)
    daemon.pushes.pass_on()
    assert daemon.contoso.row().due_at == due


def test_pushes_that_come_twice_or_late_are_read_for(daemon: Daemon) -> None:
    daemon.contoso.gws.habits = replace(daemon.contoso.gws.habits, pushes_twice=True, push_delay=300)
    daemon.contoso.delete("Person 03")
    assert daemon.polls(4) == 0
    assert daemon.polls(4) == 1
    assert daemon.contoso.licenses()["Person 03"] == "archived"


@proves("Z7")
def test_pushes_that_are_lost_lose_nothing(daemon: Daemon) -> None:
    daemon.contoso.gws.habits = replace(daemon.contoso.gws.habits, pushes_lost=1)
    daemon.contoso.delete("Person 03")
    assert daemon.polls(30) == 0
    daemon.contoso.delete("Person 04")
    daemon.contoso.gws.habits = replace(daemon.contoso.gws.habits, pushes_lost=0)
    daemon.begin()  # what the process had heard is gone with it
    assert daemon.polls(35) == 1
    licenses = daemon.contoso.licenses()
    assert licenses["Person 03"] == licenses["Person 04"] == "archived"


def test_a_channel_is_replaced_before_it_expires(anywhere: Daemon) -> None:
    first = anywhere.google_has()
    anywhere.world.later(hours=21)
    assert not anywhere.keep_channels()
    anywhere.world.later(hours=1, minutes=30)
    assert anywhere.keep_channels()
    now = anywhere.google_has()
    assert now == anywhere.we_know() and sorted(now.values()) == EVENTS and not now.keys() & first.keys()
    anywhere.world.later(minutes=6)
    assert not anywhere.keep_channels()


def test_channels_go_with_the_key(daemon: Daemon) -> None:
    pushed(daemon, push=None)
    daemon.world.later(LOOK_EVERY)
    assert daemon.keep_channels()
    assert daemon.google_has() == daemon.we_know() == {}


def test_channels_follow_another_address(daemon: Daemon) -> None:
    first = daemon.google_has()
    pushed(daemon, push=f"{daemon.url}/behind")
    daemon.world.later(LOOK_EVERY)
    daemon.keep_channels()
    assert daemon.google_has() == daemon.we_know() and not daemon.google_has().keys() & first.keys()


@proves("Z11")
def test_channels_go_with_the_directory(daemon: Daemon) -> None:
    retire_directory(daemon.world.app, daemon.contoso.directory, "cli:kim@ops")
    daemon.world.later(LOOK_EVERY)
    daemon.keep_channels()
    assert daemon.google_has() == daemon.we_know() == {}


@proves("Z11")
def test_channels_of_a_directory_that_is_frozen_are_refused_though_nobody_can_stop_them(daemon: Daemon) -> None:
    channel = next(iter(daemon.we_know()))
    text = daemon.contoso.file.read_text(encoding="utf-8")
    text = text.replace("contoso-gws:", "contoso-other:").replace(f"    push: {daemon.url}/google\n", "")
    daemon.contoso.file.write_text(text, encoding="utf-8")
    assert daemon.world.load() == ()
    daemon.world.later(LOOK_EVERY)
    daemon.keep_channels()
    assert daemon.we_know() == {} and len(daemon.google_has()) == 4
    assert daemon.post(channel, daemon.contoso.gws.channels.open[channel].asked.token) == 404


@proves("Z9")
def test_channels_that_cannot_be_registered_fail_nothing(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    daemon.contoso.gws.withdraw(SIMULATED_CLIENT_ID)
    pushed(daemon, push=f"{daemon.url}/elsewhere")
    for _ in range(6):
        daemon.world.later(LOOK_EVERY)
        daemon.keep_channels()
    assert len([record for record in caplog.records if "pushes for" in record.getMessage()]) == 1
    assert daemon.contoso.row().state == "healthy" and len(daemon.we_know()) == 4
    daemon.contoso.gws.delegate(SIMULATED_CLIENT_ID, "admin.directory.user.readonly")
    daemon.world.later(hours=1)
    assert daemon.keep_channels() and daemon.google_has() == daemon.we_know()


UNVERIFIED = "status 401, code UNAUTHENTICATED/push.webhookUrlUnauthorized"


@pytest.mark.parametrize(
    ("unverified", "faults", "said", "remedy"),
    [
        (True, [], f"Google refuses the address for pushes (POST {{place}}: {UNVERIFIED})", "verify its domain in"),
        (False, [Fault("forbidden", "/users/watch")], "status 403, code forbidden", "Admin API privilege Users > Read"),
        (False, [Fault("error", "/users/watch", status=400)], "status 400", "see that `push` of the directory is what"),
        (False, [Fault("error", "/users/watch", status=503, times=20)], "status 503", "tried again in an hour"),
    ],
)
def test_where_google_registers_no_channel_the_log_says_for_whom_why_and_what_to_do(
    daemon: Daemon, caplog: pytest.LogCaptureFixture, unverified: bool, faults: list[Fault], said: str, remedy: str
) -> None:
    daemon.contoso.gws.habits = replace(daemon.contoso.gws.habits, push_unverified=unverified)
    for fault in faults:
        daemon.contoso.wire.order(fault)
    pushed(daemon, push=f"{daemon.url}/elsewhere")
    daemon.world.later(LOOK_EVERY)
    daemon.keep_channels()
    [line] = [record.getMessage() for record in caplog.records if "pushes for" in record.getMessage()]
    assert line.startswith("pushes for contoso-gws: ") and line.endswith("and the directory is read all the same")
    assert daemon.contoso.server is not None
    place = f"{daemon.contoso.server.url}/admin/directory/v1/users/watch?…"
    assert said.format(place=place) in line and remedy in line
    assert "elsewhere" not in line and "Unauthorized WebHook" not in line, "nothing of what was sent, nor of the body"
    assert daemon.contoso.row().state == "healthy" and len(daemon.we_know()) == 4


@proves("Z6")
def test_who_is_killed_between_registering_and_recording_leaves_a_stray_channel_that_is_refused(wire: World) -> None:
    with workspace(wire) as contoso:
        daemon = Daemon(contoso, url="http://127.0.0.1:9")
        pushed(daemon)
        contoso.sync()

        def killed(step: str) -> None:
            if step == "registered":
                raise _Stop

        wire.restart(killed)
        with pytest.raises(_Stop):
            daemon.keep_channels()
        wire.restart()
        daemon.begin()
        [stray] = contoso.gws.channels.open.values()
        assert daemon.keep_channels()
        assert sorted(daemon.we_know().values()) == EVENTS and len(daemon.google_has()) == 5
        said = daemon.pushes.heard(f"/google/{stray.asked.id}", {"X-Goog-Channel-Token": stray.asked.token})
        assert said.status == 404
        wire.later(timedelta(days=1))
        assert stray.expires_at <= wire.app.clock()


@proves("Z4")
def test_an_address_that_google_could_not_reach_is_a_fault_of_the_policy(daemon: Daemon) -> None:
    text = daemon.contoso.file.read_text(encoding="utf-8").replace(f"{daemon.url}/google", "http://seatkeeper.example")
    with pytest.raises(PolicyError) as caught:
        read_policy(text, "contoso.yaml", kinds())
    [problem] = caught.value.problems
    assert "push: found 'http://seatkeeper.example', expected an https:// address" in str(problem)
