"""How a story is told: each step is done, perhaps by a process that dies on the way, and then looked at."""

from collections.abc import Callable
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from policies.errors import SeatkeeperError
from store.times import micros
from tests.model import invariants
from tests.model.books import Books, Hold, Order, read
from tests.model.tenant import Person, Tenant
from tests.model.world import COMPANIES, Ground, Killed, World
from tests.worker.world import PERSON
from worker.operations.ordering import fulfill_order
from worker.operations.retaining import acknowledge
from worker.operations.runs import RunResult

NAMES = ("Ada", "Bert", "Cleo", "Dora")
MOST_ROUNDS = 12
ENDED = ("applied", "nothing_to_do", "partly_held", "held")

companies = st.sampled_from(COMPANIES)
names = st.sampled_from(NAMES)
licenses = st.sampled_from(("standard", "standard", "archived"))
followed_by = st.sampled_from(("nothing", "a pass", "a pass"))
"""What comes after something happened in a directory."""
dies_before_commit = st.sampled_from((0, 0, 0, 0, 0, 0, 1, 2, 3, 4))
"""Where the process is killed, to be started again; 0 is nowhere."""
which = st.integers(0, 3)
"""One of several, counted from the oldest."""


class Story(RuleBasedStateMachine):
    """A world, and what its books were at the last look."""

    ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.ground)
        self.ledger: invariants.Ledger = {}
        self.done = 0
        """Steps since everything had its turn."""
        self.books = read(self.world.store, micros(self.world.clock()), None)
        invariants.follow(self.ledger, self.books)

    def teardown(self) -> None:
        with self.world.store.read() as tx:
            assert not list(tx.audit.verify())

    # --- doing ---

    def act(self, do: Callable[[], object], dies_before_commit: int = 0) -> bool:
        """Do something, and look. A refusal changes no license, lot or order. Who dies is started again and does it
        once more. Returns whether it was done at the first attempt."""
        self.done += 1
        done, refused = True, False
        try:
            with self.world.dying(dies_before_commit):
                refused = not self.attempt(do)
        except Killed:
            done = False
            self.look()
            self.world.restart()
            self.attempt(do)  # what was half done need not be possible twice
        before = self.books
        now = self.look()
        if refused:
            assert (before.held, before.lots, before.orders) == (now.held, now.lots, now.orders), "a refusal wrote"
        return done and not refused

    def attempt(self, do: Callable[[], object]) -> bool:
        """Do something; returns whether it was not refused."""
        try:
            do()
        except SeatkeeperError:
            return False
        return True

    def look(self) -> Books:
        """Read the books, and check them against those before."""
        before, self.books = self.books, read(self.world.store, micros(self.world.clock()), self.books)
        invariants.check(before, self.books, self.world.papers)
        invariants.follow(self.ledger, self.books)
        return self.books

    def passes(self, company: str, dies_before_commit: int = 0, *, full: bool = False, whole: bool = False) -> None:
        """A pass over a company's directory; another one right after it finds nothing to do (Z8)."""
        results: list[RunResult] = []

        def one() -> None:
            results.append(self.world.sync(company, full=full, whole=whole))

        self.act(one, dies_before_commit)
        while results[-1].outcome in ENDED and self.world.goes_on(company):
            self.act(one)
        if results[-1].outcome not in ENDED:
            return
        before = self.books
        self.act(one)
        assert before.held == self.books.held, "the second pass changed licenses"
        if before.orders == self.books.orders:  # a cap may keep a pass from ordering all at once
            assert before.essence() == self.books.essence(), "the second pass wrote"

    def then(self, followed_by: str, company: str) -> None:
        if followed_by == "a pass":
            self.passes(company)

    def settle(self) -> None:
        """Let everything have its turn, until nothing changes any more; then nobody waits for what there is."""
        for _ in range(MOST_ROUNDS):
            before = self.look()
            self.one_round()
            if before.essence() == self.books.essence():
                invariants.nobody_waits_beside_free_seats(self.books)
                self.done = 0
                return
        raise AssertionError(f"it did not settle in {MOST_ROUNDS} rounds")

    def one_round(self) -> None:
        """What a daemon does when everything is due."""
        self.act(lambda: self.world.pass_pools())
        for company in COMPANIES:
            self.act(lambda company=company: self.world.sync(company))  # type: ignore[misc]
        self.act(lambda: self.world.relay())

    def acknowledge_all(self, dies_before_commit: int = 0) -> None:
        """People take note of every notice."""

        def take_note() -> None:
            with self.world.store.read() as tx:
                ids = [notice.id for notice in tx.notices.listing()]
            acknowledge(self.world.app, ids, PERSON)

        self.act(take_note, dies_before_commit)

    def fulfill_all(self) -> None:
        """Whatever is placed has come."""
        for order in self.orders("placed"):
            self.act(lambda order=order: fulfill_order(self.world.app, self.world.id_of(order), PERSON))  # type: ignore[misc]

    # --- finding ---

    def orders(self, *states: str) -> list[Order]:
        """The orders in one of these states, oldest first."""
        return [order for order in self.books.orders.values() if order.state in states]

    def holds(self, state: str) -> list[Hold]:
        return [hold for hold in self.books.holds if hold.state == state]

    def tenant(self, company: str) -> Tenant:
        return self.world.tenants[f"{company}-m365"]

    def person(self, company: str, name: str) -> Person | None:
        return self.tenant(company).called(name)
