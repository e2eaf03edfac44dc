"""Run the daemon for long while everything outside fails all the time, and look at its memory: `make soak MINUTES=30`.

Prints a line every so often: passes, faults, licenses, and the memory of each process in MB. Ends with 1 where memory
grew, or something was lost or doubled.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from connectors.simulators.microsoft365 import Fault
from connectors.simulators.seller import Fault as SellerFault
from connectors.simulators.serving import Answer
from tests.kill.history import begin
from tests.kill.house import House, Ports, a_house
from tests.services.postgres import running_postgres
from tests.services.redis import running_redis
from tests.worker.outside import YES
from tests.worker.world import Customer

CUSTOMERS = 8
STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"
WARMED_UP = 0.25
"""The share of the time after which memory should not grow any more."""
GROWS = 1.10
GRAPH = (
    "throttle", "unavailable", "error", "unauthorized", "claims", "reset", "cut", "cut_connection", "slow", "resync",
    "malformed", "page_lost", "duplicate", "replay",
)  # fmt: skip
SELLER = ("throttle", "error", "reset", "lost_reply", "late_error", "cut", "blank")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with running_postgres() as postgres, running_redis() as redis_url, tempfile.TemporaryDirectory() as folder:
        url = postgres.database_url(postgres.create())
        with a_house(Path(folder) / "house", url, redis_url, Ports()) as house:
            return soak(house, asked.minutes * 60, random.Random(asked.seed))


def soak(house: House, seconds: float, chance: random.Random) -> int:
    """Let it run for so long, and say how it went."""
    begin(house)
    customers = [house.contoso, *(settled(house, f"customer-{n}") for n in range(2, CUSTOMERS + 1))]
    house.hook.answers = lambda _event: Answer(503) if chance.random() < 0.2 else YES
    house.start()
    tell("minute passes faults licenses " + " ".join(f"{role}-MB" for role in house.roles))
    began, memory, out, faults, next_line = time.monotonic(), list[list[float]](), set[str](), 0, 0.0
    while (at := time.monotonic() - began) < seconds:
        faults += trouble(house, chance)
        live(customers, out, chance)
        gone = house.tend()
        assert not gone, house.said()[-5:]
        memory.append([resident(pid) for pid in house.pids])
        house.asked.clear()
        if at >= next_line:
            next_line = at + max(10.0, seconds / 30)
            told = (f"{at / 60:6.1f}", passes(house), faults, held(house), *(f"{mb:.1f}" for mb in memory[-1]))
            tell(" ".join(str(part) for part in told))
        time.sleep(0.5)
    house.world.simulator.withdraw_faults()
    house.portal.withdraw_faults()
    house.hook.answers = lambda _event: YES
    house.until(lambda: {state for (state,) in house.world.rows("SELECT state FROM directory")} == {"healthy"})
    house.each_effect_once()
    assert house.world.is_sound()
    return verdict(house, memory)


def settled(house: House, company: str) -> Customer:
    """One more customer, with licenses for all."""
    customer = house.world.customer(company)
    customer.crowd(20)
    customer.policy(STAFF, directory="every: 1s")
    house.world.add_lot("standard", 60)
    house.world.add_lot("archived", 60)
    return customer


def trouble(house: House, chance: random.Random) -> int:
    """Let a few things go wrong; how many."""
    wrong = Fault(chance.choice(GRAPH), "*", retry_after=1, seconds=0.5)  # type: ignore[arg-type]
    house.world.simulator.withdraw_faults()
    house.world.simulator.order(wrong, wrong)
    house.portal.withdraw_faults()
    house.portal.order(SellerFault(chance.choice(SELLER), retry_after=1))  # type: ignore[arg-type]
    return 3


def live(customers: list[Customer], out: set[str], chance: random.Random) -> None:
    """Somebody leaves a group somewhere, or comes back."""
    customer = chance.choice(customers)
    staff = customer.tenant.find_group("Staff")
    who = customer.people[chance.choice([name for name in sorted(customer.people) if name.startswith("Person")])]
    (customer.tenant.add_member if who in out else customer.tenant.remove_member)(staff, who)
    out ^= {who}


def passes(house: House) -> int:
    return int(house.world.one("SELECT sum(fence) FROM directory"))


def held(house: House) -> int:
    return int(house.world.one("SELECT count(*) FROM assignment"))


def resident(pid: int) -> float:
    """MB that a process has in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4_096 / 1e6


def verdict(house: House, memory: list[list[float]]) -> int:
    """Whether memory stayed as it was, after it had warmed up."""
    start = int(len(memory) * WARMED_UP)
    grown = 0
    for place, role in enumerate(house.roles):
        series = [sample[place] for sample in memory[start:]]
        some = max(1, len(series) // 4)
        first, last = statistics.median(series[:some]), statistics.median(series[-some:])
        tell(f"{role}: {first:.1f} MB after warming up, {last:.1f} MB at the end")
        grown += last > first * GROWS
    tell("memory grew" if grown else "memory is flat; nothing was lost or doubled")
    return 1 if grown else 0


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
