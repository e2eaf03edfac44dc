"""The simulated Google of a benchmark, in a process of its own: `python -m tests.bench.workspace USERS FOLDER`.

Writes a service account's key into the folder and prints what there is to know as one JSON line, then obeys lines on
standard input and answers each with `done`: `change N` gives N users another department, and from `latency SECONDS` on
each answer takes so much longer. It ends with its input.
"""

import json
import sys
from pathlib import Path

from connectors.simulators.google_workspace import Customer, Shares, Simulator, serve

NOBODY_ELSE = Shares(suspended=0.0, archived=0.0, guests=0.0, without_mailbox=0.0)
UNITS = ("/Sales/EMEA", "/Sales/Americas", "/Engineering", "/Finance")
KEY = "google.json"


def main() -> None:
    users, folder = int(sys.argv[1]), Path(sys.argv[2])
    simulator = Simulator()
    customer = simulator.add_customer(domain="contoso.example")
    for unit in UNITS:
        customer.create_unit(unit)
    customer.populate(users - 1, 7, NOBODY_ELSE, UNITS)
    ids = list(customer.user_ids())
    with serve(simulator) as server:
        server.write_key(folder / KEY)
        token = simulator.token(customer, lifetime=86_400)
        print(json.dumps({"url": server.url, "admin": customer.subject, "key": KEY, "token": token}), flush=True)
        changed = 0
        for line in sys.stdin:
            word, value = line.split()
            if word == "latency":
                server.latency = float(value)
            else:
                _change(customer, ids, changed, int(value))
                changed += int(value)
            print("done", flush=True)


def _change(customer: Customer, ids: list[str], first: int, number: int) -> None:
    for n in range(first, first + number):
        job = {"department": "Board" if n % 2 else f"Team {n}", "primary": True}
        customer.update_user(ids[n * 7919 % len(ids)], organizations=[job])


if __name__ == "__main__":
    main()
