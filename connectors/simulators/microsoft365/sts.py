"""Refusals of the login service, in its own shape, which is not Graph's."""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

import msgspec

from connectors.simulators.serving import Answer


class StsRefusal(Exception):
    """No token: an OAuth error with Entra's AADSTS code."""

    def __init__(self, status: int, error: str, code: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.status = status
        self.error = error
        self.code = code
        self.headers = dict(headers or {})

    def answer(self, now: datetime, correlation: str | None) -> Answer:
        """The refusal as it goes over the wire."""
        trace, correlation, at = str(uuid4()), correlation or str(uuid4()), now.strftime("%Y-%m-%d %H:%M:%SZ")
        body = {
            "error": self.error,
            "error_description": f"{self} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}",
            "error_codes": [self.code],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }
        headers = {"Content-Type": "application/json; charset=utf-8", "x-ms-request-id": trace, **self.headers}
        return Answer(self.status, headers, msgspec.json.encode(body))


def unknown_tenant(name: str) -> StsRefusal:
    """No tenant has this id or domain."""
    text = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct"
        " cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for"
        " the tenant."
    )
    return StsRefusal(400, "invalid_request", 90002, text)


def busy(status: int, headers: Mapping[str, str]) -> StsRefusal:
    """The service has no time."""
    return StsRefusal(
        status, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again.", headers
    )
