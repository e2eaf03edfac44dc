"""Traces of passes, sent to whoever collects them: a real collector's address, a real exporter, a real daemon."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.simulators.serving import Answer, LoopbackServer, Request
from tests.e2e.conftest import Installation
from tests.e2e.test_daemon import licensed, prepared
from tests.services.waiting import until

pytestmark = pytest.mark.slow


@contextmanager
def collecting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    """A collector, which daemons that are started now are told of; yields what it was sent."""
    sent: list[Request] = []

    def take(request: Request) -> Answer:
        sent.append(request)
        return Answer(200, {"Content-Type": "application/x-protobuf"})

    with LoopbackServer(take) as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        yield sent


def test_each_pass_is_a_span_with_its_company_its_directory_and_what_became_of_it(
    on_sqlite: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    contoso = prepared(on_sqlite)
    with collecting(monkeypatch) as sent:
        daemon = on_sqlite.up()
        licensed(contoso, 3)
        first = [b"seatkeeper", b"pass", b"company", b"contoso", b"contoso-m365", b"contoso-m365-1", b"applied"]
        until(lambda: any(all(word in request.body for word in first) for request in sent), lambda: sent)
        assert daemon.stop() == 0

    assert {request.target for request in sent} == {"/v1/traces"}


def test_where_nobody_collects_traces_none_are_made(on_sqlite: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    contoso = prepared(on_sqlite)
    daemon = on_sqlite.up()
    licensed(contoso, 3)
    assert daemon.stop() == 0
    assert {event["level"] for event in daemon.events} == {"info"}, daemon.events
