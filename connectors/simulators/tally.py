"""How often what was asked, so that a test can say that only deltas were."""

import threading
from collections import Counter


class Tally:
    """Counts requests by tenant and path, ids left out."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, tenant: str, label: str) -> None:
        with self._lock:
            self._counts[tenant, label] += 1

    def seen(self, tenant: str | None = None) -> dict[str, int]:
        """Requests by label, `GET /users/delta?$deltatoken`, of one tenant or of all, in alphabetical order."""
        total: Counter[str] = Counter()
        with self._lock:
            for (owner, label), times in self._counts.items():
                if tenant is None or owner.lower() == tenant.lower():
                    total[label] += times
        return dict(sorted(total.items()))

    def reset(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._counts.clear()
