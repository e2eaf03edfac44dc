"""What is bought and sold: lots, orders, the portal's moods, and what people say to orders and holds."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.books import Lot
from tests.model.seller import MOODS
from tests.model.story import Story, companies, dies_before_commit, licenses, which
from tests.model.world import OWN
from tests.worker.world import PERSON
from worker.operations.approving import approve, reject, reopen
from worker.operations.lots import NewLot, add_lot, prunable, prune
from worker.operations.ordering import approve_order, cancel_order, fulfill_order, reject_order, reopen_order
from worker.operations.renewing import renew_lot

DECISIONS = {"approve": approve_order, "reject": reject_order, "cancel": cancel_order, "reopen": reopen_order}
ANSWERS = {"approve": approve, "reject": reject, "reopen": reopen}
TERMS = ("perpetual", "monthly", "monthly", "yearly", "trial")


class Trade(Story):
    """Purchases, renewals, fulfilments in part, late and twice, refusals, expiry, and removal of what ended."""

    @rule(
        company=companies, license=licenses, seats=st.integers(1, 3), term=st.sampled_from(TERMS),
        renews=st.booleans(), dies_before_commit=dies_before_commit,
    )  # fmt: skip
    def adds_a_lot(
        self, company: str, license: str, seats: int, term: str, renews: bool, dies_before_commit: int
    ) -> None:
        lot = NewLot(license, seats, company=company if company in OWN else None, term=term, renews=renews)
        self.act(lambda: add_lot(self.world.app, lot, PERSON), dies_before_commit)

    @precondition(lambda self: self.ending())
    @rule(which=which, dies_before_commit=dies_before_commit)
    def renews_a_lot(self, which: int, dies_before_commit: int) -> None:
        lot = self.ending()[which % len(self.ending())]
        self.act(lambda: renew_lot(self.world.app, self.world.id_of(lot), PERSON), dies_before_commit)

    @precondition(lambda self: self.ending())
    @rule(unheld=st.booleans())
    def prunes(self, unheld: bool) -> None:
        def prune_all() -> None:
            ids = [lot.id for lot in prunable(self.world.app, renewing=False, unheld=unheld)]
            prune(self.world.app, ids, PERSON)

        self.act(prune_all)

    @precondition(lambda self: self.orders("placed"))
    @rule(which=which, in_part=st.booleans(), twice=st.booleans(), dies_before_commit=dies_before_commit)
    def fulfills(self, which: int, in_part: bool, twice: bool, dies_before_commit: int) -> None:
        placed = self.orders("placed")
        order = placed[which % len(placed)]
        seats = 1 if in_part else None
        for _ in range(1 + twice):
            self.act(
                lambda: fulfill_order(self.world.app, self.world.id_of(order), PERSON, seats=seats),
                dies_before_commit,
            )

    @precondition(lambda self: self.books.orders)
    @rule(decision=st.sampled_from(sorted(DECISIONS)), which=which, dies_before_commit=dies_before_commit)
    def decides_about_an_order(self, decision: str, which: int, dies_before_commit: int) -> None:
        asked = {"approve": ("awaiting_approval",), "reject": ("awaiting_approval",), "cancel": ("wanted", "placed")}
        states = asked.get(decision, ("rejected", "cancelled", "failed"))
        if orders := self.orders(*states):
            order = orders[which % len(orders)]
            self.act(
                lambda: DECISIONS[decision](self.world.app, self.world.id_of(order), PERSON),
                dies_before_commit,
            )

    @precondition(lambda self: self.holds("held") or self.holds("rejected"))
    @rule(answer=st.sampled_from(("approve", "approve", "reject", "reopen")), which=which, dies=dies_before_commit)
    def answers_a_hold(self, answer: str, which: int, dies: int) -> None:
        if holds := self.holds("rejected" if answer == "reopen" else "held"):
            hold = holds[which % len(holds)]
            self.act(lambda: ANSWERS[answer](self.world.app, self.world.id_of(hold), PERSON), dies)

    @rule(mood=st.sampled_from(MOODS))
    def the_portal(self, mood: str) -> None:
        self.act(lambda: setattr(self.world.portal, "mood", mood))

    @precondition(lambda self: self.orders("wanted", "placed"))
    @rule(after=st.sampled_from((timedelta(0), timedelta(minutes=11), timedelta(days=2))), dies=dies_before_commit)
    def carries_orders(self, after: timedelta, dies: int) -> None:
        self.world.later(after)
        self.act(lambda: self.world.relay(), dies)

    def ending(self) -> list[Lot]:
        """The lots that end some day, oldest first."""
        return [lot for lot in self.books.lots.values() if lot.expires_at is not None]
