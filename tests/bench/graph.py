"""The simulated Graph of a benchmark, in a process of its own: `python -m tests.bench.graph USERS PAGE_SIZE`.

Prints its URL and the tenant's id as one JSON line, then obeys lines on standard input: `change N` gives N users
another department, which for half of them is one that another rule is for, and answers `done`. It ends with its input.
"""

import json
import sys
from dataclasses import replace

from connectors.simulators.microsoft365 import Shares, Simulator, serve

NOBODY_ELSE = Shares(guests=0.0, rooms=0.0, shared=0.0, disabled=0.0)


def main() -> None:
    users, page_size = int(sys.argv[1]), int(sys.argv[2])
    simulator = Simulator()
    tenant = simulator.add_tenant(domain="contoso.example")
    tenant.populate(users, 7, NOBODY_ELSE)
    tenant.habits = replace(tenant.habits, page_size=page_size)
    # Asked one by one, the kinds of a million mailboxes take hours in life and here; the benchmark's tenant refuses
    # them, and its policy says `unknown_mailboxes: user`.
    tenant.permissions = tenant.permissions - {"MailboxSettings.Read"}
    ids = list(tenant.user_ids())
    with serve(simulator) as server:
        print(json.dumps({"url": server.url, "tenant": tenant.id}), flush=True)
        changed = 0
        for line in sys.stdin:
            number = int(line.split()[1])
            for n in range(number):
                department = "Board" if n % 2 else f"Team {changed + n}"
                tenant.update_user(ids[(changed + n) * 7919 % len(ids)], department=department)
            changed += number
            print("done", flush=True)


if __name__ == "__main__":
    main()
