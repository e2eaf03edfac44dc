"""Traces of passes, for whoever names a collector by OTEL_EXPORTER_OTLP_ENDPOINT and has the extra `telemetry`."""

import os
from collections.abc import Callable

from opentelemetry import trace

from worker.settings import SettingsError

_ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def export_traces() -> Callable[[], object]:
    """Send traces where the environment says, if it does; what is returned sends the last of them. Raises
    SettingsError where what sends them is not installed."""
    if not any(os.environ.get(name) for name in _ASKED_BY):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        missing = "OTEL_* asks for traces, and what sends them is not installed: pip install 'seatkeeper[telemetry]'"
        raise SettingsError(missing) from None
    provider = TracerProvider(resource=Resource.create({"service.name": "seatkeeper"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown
