"""Two worlds with one clock and the same customers: in one of them processes are killed, in the other never."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from store.times import micros
from tests.model.books import Books, read
from tests.model.story import MOST_ROUNDS
from tests.model.world import Ground, World
from tests.model.years import Years

_CHANCE = re.compile(r"\b(order|lot|notice)-[0-9a-f]+|/\S+/(?=[a-z]+\.yaml)|sha256:[0-9a-f]+|\d{4}-\d\d-\d\dT[\d:.]+Z")
"""What differs from one run of the same story to the next."""


class Twins(Years):
    """Whatever is done is done in both worlds. Once a kill was made good, both have come to the same (Z6)."""

    calm_ground: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.calm = World(self.calm_ground, self.world.clock)
        self.calm.tenants = self.world.tenants
        self.calm.app = replace(self.calm.app, tenants=self.world.tenants)
        self.last = self.calm_books()

    def act(self, do: Callable[[], object], dies_before_commit: int = 0) -> bool:
        before = self.world.app.owner
        done = super().act(do, dies_before_commit)
        troubled = self.world
        self.world = self.calm
        try:
            self.attempt(do)
        finally:
            self.world = troubled
        if self.world.app.owner != before:
            self.settle()
        return done

    def settle(self) -> None:
        """Let everything have its turn in both, and compare."""
        for _ in range(MOST_ROUNDS):
            before = self.look().essence(), self.calm_books().essence()
            self.one_round()
            if before == (self.books.essence(), self.calm_books().essence()):
                break
        troubled, calm = (essentials(world, books) for world, books in self.both())
        for what, found in troubled.items():
            assert found == calm[what], f"{what} after a kill: {found - calm[what]}; without: {calm[what] - found}"
        self.done = 0

    def both(self) -> tuple[tuple[World, Books], tuple[World, Books]]:
        return (self.world, self.look()), (self.calm, self.calm_books())

    def calm_books(self) -> Books:
        return read(self.calm.store, micros(self.calm.clock()), None)


def essentials(world: World, books: Books) -> dict[str, Counter[Any]]:
    """What a story came to, without times and made-up ids. Keys are the same in both worlds."""
    with world.store.read() as tx:
        record = tx.execute("SELECT company, who, what, subject, before, after, because FROM audit").all()
    return {
        "licenses": Counter(books.held),
        "waiting": Counter(books.waiting.values()),
        "decided by hand": Counter(books.by_hand.items()),
        "links": Counter(books.links.items()),
        "clocks": Counter((c.account, c.license, c.purge_due) for c in books.clocks.values()),
        "lots": Counter((lot.key, lot.pool, lot.license, lot.seats, lot.held, lot.term) for lot in books.lots.values()),
        "orders": Counter((o.key, o.company, o.license, o.seats, o.state) for o in books.orders.values()),
        "holds": Counter((hold.kind, hold.state) for hold in books.holds),
        "record": Counter(tuple(_without_chance(value) for value in row) for row in record),
    }


def _without_chance(value: object) -> object:
    return _CHANCE.sub(r"\1", value) if isinstance(value, str) else value
