"""What a process tells of its runs: a log line for each that did something, metrics for Prometheus, and a trace.

Counters and durations are the process's own. What stands in the store (backlog, holds, waits) is looked up when it is
asked for (`worker.standing_metrics`), so that it is the same from every process.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import Span
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from worker.errors import Stopped
from worker.operations.runs import RunResult

if TYPE_CHECKING:
    from store.directories import DirectoryRow
    from store.leases import Lease

log = logging.getLogger(__name__)
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 14_400)
_QUIET = "nothing_to_do"


class Telemetry:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.runs = Counter("seatkeeper_runs", "Passes that ended.", ["outcome"], registry=self.registry)
        self.seconds = Histogram(
            "seatkeeper_run_seconds", "How long passes took.", ["mode"], buckets=_SECONDS, registry=self.registry
        )
        self.actions = Counter("seatkeeper_actions", "What passes changed.", ["kind"], registry=self.registry)
        self.under_way = Gauge("seatkeeper_runs_under_way", "Passes that go on now.", registry=self.registry)
        self.requests = Counter(
            "seatkeeper_requests", "Requests to vendors.", ["host", "verdict"], registry=self.registry
        )
        # Prometheus takes longer to find the counter of a label than to count.
        self._ended_as, self._took = cache(self.runs.labels), cache(self.seconds.labels)
        self._answered = cache(self.requests.labels)
        self._logged: dict[str, tuple[str, str | None]] = {}
        """By directory, what was logged last and is still so: a hold or an error stands for days, and is told once."""
        self._tracer = trace.get_tracer("seatkeeper")

    def heard(self, host: str, verdict: str) -> None:
        """A vendor answered, or did not."""
        self._answered(host, verdict).inc()

    @contextmanager
    def run(self, row: "DirectoryRow", lease: "Lease") -> Iterator[Callable[[RunResult], RunResult]]:
        """Around a run; what is yielded is told its result."""
        results: list[RunResult] = []

        def ended(result: RunResult) -> RunResult:
            results.append(result)
            return result

        attributes = {"company": row.company_id, "directory": row.id, "run": f"{row.id}-{lease.fence}"}
        with self._span(attributes) as span, self.under_way.track_inprogress():
            began = time.monotonic()
            yield ended
            for result in results:
                self._took(result.mode).observe(time.monotonic() - began)
                span.set_attribute("outcome", result.outcome)
                self._ended(result, attributes)

    def _span(self, attributes: dict[str, str]) -> AbstractContextManager[Span]:
        """A span where somebody wants traces: one that nobody hears of would cost every poll something."""
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            return nullcontext(trace.INVALID_SPAN)
        return self._tracer.start_as_current_span("pass", attributes=attributes)

    def _ended(self, result: RunResult, ids: dict[str, str]) -> None:
        self._ended_as(result.outcome).inc()
        for action in result.actions:
            self.actions.labels(action.kind).inc()
        if self._is_news(result):
            told = {
                **ids, "outcome": result.outcome, "mode": result.mode, "seen": result.seen, "changed": result.changed,
                "actions": result.actions_total, "error": result.error,
            }  # fmt: skip
            level = logging.INFO if result.error in (None, Stopped.TOLD) else logging.WARNING
            log.log(level, "run ended: %s", result.outcome, extra=told)

    def _is_news(self, result: RunResult) -> bool:
        """Whether a run is worth a line: it did something, or stands otherwise than the one before it."""
        now = (result.outcome, result.error)
        if now == (_QUIET, None):
            self._logged.pop(result.directory, None)
            return False
        before, self._logged[result.directory] = self._logged.get(result.directory), now
        return now != before or result.actions_total > 0 or result.changed > 0
