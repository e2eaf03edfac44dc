"""What the store says of all directories, holds, waits and orders, as metrics: looked up when Prometheus asks."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from store.errors import StoreError
from store.times import micros

if TYPE_CHECKING:
    from store.gauges import Gauges
    from worker.bootstrap import App

_SECOND = 1_000_000


class Standing(Collector):
    """The gauges of the whole installation; every process tells the same."""

    def __init__(self, app: "App") -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        """Each gauge. Where the store cannot be asked, none: `/readyz` says why."""
        now = micros(self._app.clock())
        try:
            self._app.store.check()
        except StoreError:
            return
        with self._app.store.read() as tx:
            gauges = tx.views.gauges(now)
        yield from families(gauges)


def families(gauges: "Gauges") -> Iterator[Metric]:
    """The metrics that tell these numbers."""
    yield _labeled("seatkeeper_directories", "Directories by state.", "state", gauges.directories)
    yield _labeled("seatkeeper_waiting", "Accounts that wait, by reason.", "reason", gauges.waiting)
    yield _labeled("seatkeeper_holds", "What waits for a person, by kind.", "kind", gauges.holds)
    yield _labeled("seatkeeper_orders_open", "Orders under way, by state.", "state", gauges.orders)
    yield _labeled("seatkeeper_processes", "Processes that run, by role.", "role", gauges.processes)
    for name, text, value in _plain(gauges):
        yield GaugeMetricFamily(name, text, value)


def _labeled(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def _plain(gauges: "Gauges") -> Iterator[tuple[str, str, float]]:
    yield "seatkeeper_directories_due", "Directories whose pass is due and has not begun.", gauges.due
    yield "seatkeeper_backlog_seconds", "For how long the oldest of them has been due.", gauges.backlog / _SECOND
    yield "seatkeeper_directories_stuck", "Directories due for ten intervals or more.", gauges.stuck
    yield (
        "seatkeeper_outbox_lag_seconds",
        "For how long its oldest entry is due.",
        gauges.outbox / _SECOND,
    )
    yield "seatkeeper_receivers_failing", "Receivers that did not accept what was next.", gauges.receivers
