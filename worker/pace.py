"""How a daemon goes: how many threads it has, and how often it does what. Tests make it quick; nobody has to set it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """The numbers of one process."""

    threads: int = 64
    """Passes at once. At two requests of 100 ms, 34 make 170 polls a second (docs/performance.md)."""
    long: int = 16
    """How many of them may be long ones: first reads, reads of everybody, directories that have been failing."""
    connections: int = 20
    """To the database, and as many again for a while; fewer than threads, since most of them wait for a vendor."""
    batch: int = 40
    """About how many directories are in one message, and in the transaction that takes them."""
    ahead: int = 20
    """Messages that wait in a queue at most: what is said to be due far ahead of its turn is said in vain."""
    look: timedelta = timedelta(seconds=0.25)
    """Between two looks at what is due."""
    again: timedelta = timedelta(seconds=15)
    """When a directory is said to be due once more if nobody took it: its message is lost, or waits."""
    beat: timedelta = timedelta(seconds=5)
    """Between two heart-beats of a process, which keep the leases of all its runs."""
    silent: timedelta = timedelta(seconds=20)
    """After how long others take over the duties of a scheduler that is not heard of."""
    tell: timedelta = timedelta(seconds=0.5)
    """Between two words to people who wait for a pass."""
    hand_back: timedelta = timedelta(seconds=0.2)
    """How long idle passes that ended wait for others, to be handed back at once."""
    policies: timedelta = timedelta(seconds=10)
    pools: timedelta = timedelta(seconds=30)
    carry: timedelta = timedelta(seconds=2)
    """Between two looks into the outbox, and at who is to be told."""
    grace: timedelta = timedelta(seconds=25)
    """How long a stop waits for runs to come to their next write; then their leases are left to run out."""


SINGLE = Pace(threads=16, long=4, connections=16)
"""On SQLite, where one transaction writes at a time."""
