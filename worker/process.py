"""The unattended processes: `up` is all in one, `worker` and `scheduler` are its parts, any number of each.

    scheduler ─ what is due ─▶ messages ─▶ crew ─▶ passes ─▶ store
       └ duties: policies, pools and clocks, orders, …       ▲
    heart-beat ─ who runs, and the leases of all its runs ───┘

A stop takes effect before the next write of each run (Z10); a second one ends the process at once. Either way nothing
is lost: what was not done is due.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from types import FrameType

import dramatiq

from store.processes import SCHEDULER, UP, WORKER, Process
from store.times import micros, span
from worker.actors import declare
from worker.bootstrap import App, build
from worker.broker import LONG, SHORT, ask_for, close, is_elsewhere, open_broker
from worker.collecting import collect_seldom
from worker.crew import Crew
from worker.duties import OnDuty, duties
from worker.handing_back import HandingBack
from worker.health import Health, HealthServer
from worker.held import keep
from worker.loops import Loop
from worker.operations.tidying import tidy_daily
from worker.pace import SINGLE, Pace
from worker.pushes import PushesHeard
from worker.scheduler import Scheduler
from worker.settings import Settings, SettingsError
from worker.standing_metrics import Standing
from worker.telemetry import Telemetry
from worker.telling import ROUND, deliver_all, hasten
from worker.traces import export_traces

log = logging.getLogger(__name__)
_ON_SQLITE = "seatkeeper up"


def run(role: str, settings: Settings, pace: Pace | None = None) -> None:
    """Run until a signal says to stop. Raises SettingsError where the settings are not for this role."""
    collect_seldom()
    single = settings.database_url.startswith("sqlite")
    if role != UP and (single or settings.redis_url is None):
        raise SettingsError(
            f"`seatkeeper {role}` works with others, over PostgreSQL and Redis: set SEATKEEPER_DATABASE_URL and"
            f" SEATKEEPER_REDIS_URL; on one machine `{_ON_SQLITE}` needs neither"
        )
    pace = pace or (SINGLE if single else Pace())
    app = build(settings, pool_size=pace.connections)
    try:
        Daemon(app, role, pace).run()
    finally:
        app.close()


class Daemon:
    """One process: what it is made of, and how it starts and ends."""

    def __init__(self, app: App, role: str, pace: Pace) -> None:
        self._handing_back = HandingBack(app.store, pace)
        self.telemetry = Telemetry()
        self.app = app = replace(app, hand_back=self._handing_back.add, heard=self.telemetry.heard)
        self.role, self.pace = role, pace
        self.works, self.schedules = role in (UP, WORKER), role in (UP, SCHEDULER)
        self._broker = open_broker(None if role == UP and app.settings.redis_url is None else app.settings.redis_url)
        self._crew = Crew(app, pace, self.telemetry)
        self._actors = declare(self._broker, self._crew.take_on)
        self.telemetry.registry.register(Standing(app))
        self._started_at = micros(app.clock())
        self._pushes = PushesHeard(app)
        self._workers = self._lines() if self.works else []
        self.loops = list(self._all_loops())

    def run(self, announce: Callable[[str], None] = lambda _url: None) -> None:
        """Work until somebody says to stop."""
        with ExitStack() as ending:
            ending.callback(close, self._broker)
            ending.callback(export_traces())
            self._serve(ending, announce)
            self.beat()
            if self.schedules:
                hasten(self.app, self.app.clock())
            _stop_on_signals(self.app.stopping)
            for loop in self.loops:
                loop.start()
            for line in self._workers:
                line.start()
            log.info("%s runs", self.role, extra={"owner": self.app.owner, "version": version("seatkeeper")})
            self.app.stopping.wait()
            self._end()

    def _all_loops(self) -> Sequence[Loop]:
        app, pace = self.app, self.pace
        loops = [Loop("heart-beat", pace.beat, self.beat), self._pushes.loop]
        if is_elsewhere(self._broker):  # asked here, so that whoever asks for /readyz waits for no Redis
            loops += [Loop("messages", pace.beat, lambda: ask_for(self._broker))]
        if self.works:
            loops += [self._handing_back.loop, Loop("telling", pace.tell, self._tell)]
        if self.schedules:
            loops += [Scheduler(app, self._broker, self._actors, pace).loop]
            loops += [OnDuty(app, duty, pace).loop for duty in duties(pace)]
            loops += [Loop("telling people", pace.carry, lambda: deliver_all(app, ROUND), 3_600.0)]
            loops += [Loop("tidying", pace.pools, lambda: tidy_daily(app), 3_600.0)]
        return loops

    def _lines(self) -> list[dramatiq.Worker]:
        """Readers of messages: each line of its own, so that long passes that wait hold up no short ones. An idle line
        asks again within so many milliseconds."""
        return [
            dramatiq.Worker(self._broker, queues={queue}, worker_threads=threads, worker_timeout=again)
            for queue, threads, again in ((SHORT, 2, 100), (LONG, 1, 300))
        ]

    def _serve(self, ending: ExitStack, announce: Callable[[str], None]) -> None:
        """`up` has to be heard where it is said to be; of several others on one machine, the first is."""
        health = Health(self.app, self.loops, self.telemetry.registry)
        try:
            server = HealthServer(self.app.settings.console, health, self._pushes.heard)
        except SettingsError as problem:
            if self.role == UP:
                raise
            log.warning("nobody can ask this process how it is: %s", problem)
            return
        ending.callback(server.close)
        log.info("asked at %s", server.url, extra={"url": server.url})
        announce(server.url)

    def beat(self) -> None:
        """Be heard of, and keep the leases of all runs and the duties that are under way."""
        keep(self.app)
        now = micros(self.app.clock())
        with self.app.store.begin() as tx:
            tx.processes.beat(Process(self.app.owner, self.role, version("seatkeeper"), self._started_at, now))
            if self.schedules:
                tx.duties.keep(self.app.owner, now + span(self.pace.silent))

    def _tell(self) -> None:
        """Tell those who wait how far the runs are."""
        told = self.app.held.told()
        if told:
            with self.app.store.begin() as tx:
                for directory, (step, number) in sorted(told.items()):
                    tx.waiters.tell(directory, step, number)

    def _end(self) -> None:
        """Let runs come to their next write, hand back what ended, and be gone from the list. Who is asked meanwhile
        and does not answer in time, be it a receiver or a seller, is asked again under the same id."""
        log.info("%s stops", self.role)
        for line in self._workers:
            line.stop(timeout=2_000)
        until = time.monotonic() + self.pace.grace.total_seconds()
        calm = self._crew.stop(self.pace.grace.total_seconds())
        ended = [loop.stop(timeout=max(1.0, until - time.monotonic())) for loop in self.loops]
        self._leave()
        if not (calm and all(ended)):
            log.warning("something did not come to an end in time; what it has claimed runs out")
            logging.shutdown()
            os._exit(0)
        log.info("%s ended", self.role)

    def _leave(self) -> None:
        """What is not written down here, because the database is gone, others find out by and by."""
        try:
            self._handing_back.write()
            with self.app.store.begin() as tx:
                tx.duties.leave(self.app.owner)
                tx.processes.leave(self.app.owner)
        except Exception:
            log.exception("the store could not be told that this process ends")


def _stop_on_signals(stopping: threading.Event) -> None:
    """The first signal asks every run to end before its next write; the second one ends the process."""

    def asked(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if stopping.is_set():
            os.kill(os.getpid(), number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
