"""Quotas by the minute: how many requests were let through within the last one."""

import threading
from collections import deque
from collections.abc import Hashable
from datetime import datetime

from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.tokens import Grant

_FILTERS = frozenset({
    "actorIpAddress", "endTime", "eventName", "filters", "groupIdFilter", "orgUnitID", "startTime", "userKey",
})  # fmt: skip


class Quotas:
    """Counts by whoever asks, in simulated time."""

    def __init__(self) -> None:
        self._passed: dict[Hashable, deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, customer: Customer, grant: Grant, now: datetime) -> None:
        """Let a request of the directory's pass. Raises Refusal: 403 by the project's quota, 429 by the customer's."""
        habits = customer.habits
        if not self._passes(("user", customer.id, grant.account, grant.subject), habits.queries_per_minute, now):
            raise refusals.throttled(403, "userRateLimitExceeded")
        if not self._passes(("account", customer.id), habits.account_queries_per_minute, now):
            raise refusals.throttled(429, "rateLimitExceeded")

    def check_report(self, customer: Customer, now: datetime, *, filtered: bool) -> None:
        """Let a request for reports pass; those that filter have a quota of their own. Raises Refusal (503)."""
        limit = customer.habits.filtered_reports_per_minute if filtered else None
        if not self._passes(("reports", customer.id), limit, now):
            raise refusals.backend_error()

    def _passes(self, who: Hashable, limit: int | None, now: datetime) -> bool:
        if limit is None:
            return True
        with self._lock:
            passed, at = self._passed.setdefault(who, deque()), now.timestamp()
            while passed and passed[0] <= at - 60:
                passed.popleft()
            if len(passed) >= limit:
                return False
            passed.append(at)
            return True


def is_filtered(names: frozenset[str]) -> bool:
    """Whether the parameters of a request for reports make it a filtered one; a range of time does not."""
    return bool(names & (_FILTERS - {"startTime", "endTime"}))
