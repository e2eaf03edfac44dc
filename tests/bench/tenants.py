"""The simulated Graph of many tenants, in a process of its own: `python -m tests.bench.tenants NUMBER LATENCY_SECONDS`.

Prints its URL and the tenants' ids as one JSON line, then obeys lines on standard input. `walk FILE` writes down what a
first read of each tenant brings, and answers with a line. `delete N SECONDS` deletes one user in each of N tenants,
spread over so many seconds, and answers with one JSON line when every deletion was told, or after as long again and
ninety seconds: by the user's id when it was deleted, and when an answer first said so.
"""

import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from connectors.simulators.bodies import plain
from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365 import Simulator, Tenant
from connectors.simulators.serving import Answer, LoopbackServer, Request
from tests.bench.walked import GROUP, walk

PEOPLE = 10
_REMOVED = re.compile(rb'"id":"([0-9a-f-]{36})"[^{}]*"@removed"|"@removed":\{[^{}]*\}[^{}]*"id":"([0-9a-f-]{36})"')


@dataclass
class Watched:
    """The simulator's answers, and who was told to be deleted in them."""

    simulator: Simulator
    deleted: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        answer = self.simulator.answer(request)
        if len(self.told) < len(self.deleted) and "/users/delta" in request.target:
            body = plain(answer.body)
            if b"@removed" in body:
                for found in _REMOVED.finditer(body):
                    self.told.setdefault((found[1] or found[2]).decode(), time.time())
        return answer

    def delete(self, tenants: list[Tenant], number: int, seconds: float) -> None:
        """One in each of so many tenants, spread over the fleet and over time."""
        chosen = tenants[:: max(1, len(tenants) // number)][:number]
        for tenant in chosen:
            user = next(iter(tenant.user_ids()))
            self.deleted[user] = time.time()
            tenant.delete_user(user)
            threading.Event().wait(seconds / number)
        deadline = time.monotonic() + seconds + 90
        while len(self.told) < len(self.deleted) and time.monotonic() < deadline:
            threading.Event().wait(0.5)


def main() -> None:
    number, latency = int(sys.argv[1]), float(sys.argv[2])
    simulator = Simulator(SimulatedClock())
    tenants = []
    for n in range(number):
        tenant = simulator.add_tenant(domain=f"t{n}.example")
        tenant.create_group(GROUP, members=[tenant.hire(f"Person {p}") for p in range(PEOPLE)])
        tenant.permissions = tenant.permissions - {"MailboxSettings.Read"}
        tenants.append(tenant)
    watched = Watched(simulator)
    with LoopbackServer(watched.answer, latency=latency) as server:
        print(json.dumps({"url": server.url, "tenants": [tenant.id for tenant in tenants]}), flush=True)
        for line in sys.stdin:
            match line.split():
                case ["walk", file]:
                    walk(simulator, server.url, tenants, Path(file))
                    print(json.dumps({"walked": len(tenants)}), flush=True)
                case ["delete", many, seconds]:
                    watched.delete(tenants, int(many), float(seconds))
                    print(json.dumps({"deleted": watched.deleted, "told": watched.told}), flush=True)


if __name__ == "__main__":
    main()
