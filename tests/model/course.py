"""The course of things: passes, time, policies that change, processes that stop."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.paper import Paper, papers
from tests.model.story import Story, companies, dies_before_commit
from worker.operations.syncing import Asked, sync

SPELLS = (
    timedelta(hours=2), timedelta(days=1), timedelta(days=8), timedelta(days=16), timedelta(days=31),
    timedelta(days=63), timedelta(days=200),
)  # fmt: skip
SLICES = timedelta(days=8), timedelta(days=16), timedelta(days=24)
"""Between two looks of a daemon: a notice before the last day may be due at one of them, or two at once."""


class Course(Story):
    """Passes of every sort, hours and months, and edits of policies."""

    @rule(company=companies, dies_before_commit=dies_before_commit)
    def a_pass(self, company: str, dies_before_commit: int) -> None:
        self.passes(company, dies_before_commit)

    @rule(company=companies, dies_before_commit=dies_before_commit, full=st.booleans())
    def a_whole_pass(self, company: str, dies_before_commit: int, full: bool) -> None:
        self.passes(company, dies_before_commit, full=full, whole=True)

    @rule(company=companies)
    def a_dry_run(self, company: str) -> None:
        """Writes nothing (Z3), but that a directory cannot be read if it cannot."""
        before = self.look()
        self.act(lambda: self.world.sync(company, dry=True))
        if self.tenant(company).outage is None:
            assert before.essence() == self.books.essence(), "a dry run wrote"

    @rule(company=companies, step=st.integers(0, 6))
    def a_pass_that_is_told_to_stop(self, company: str, step: int) -> None:
        """It ends before its next write (Z10), and the next one finishes."""
        self.act(lambda: sync(self.world.stopped_at(step), f"{company}-m365", Asked(whole=True)))
        self.passes(company)

    @rule(dies_before_commit=dies_before_commit)
    def a_pass_over_the_pools(self, dies_before_commit: int) -> None:
        self.act(lambda: self.world.pass_pools(), dies_before_commit)

    @precondition(lambda self: self.done > 3)
    @rule()
    def everything_has_its_turn(self) -> None:
        self.settle()

    @rule(spell=st.sampled_from(SPELLS), pools=st.booleans())
    def time_passes(self, spell: timedelta, pools: bool) -> None:
        self.world.later(spell)
        self.look()
        if pools:
            self.act(lambda: self.world.pass_pools())

    @rule(
        looks=st.integers(2, 3), slice=st.sampled_from(SLICES), people_answer=st.booleans(), orders_come=st.booleans()
    )
    def months_pass(self, looks: int, slice: timedelta, people_answer: bool, orders_come: bool) -> None:
        """A daemon that looks now and then, and people who take note of notices and fulfill orders, or do not. It looks
        a few times only, since no step takes as long."""
        for _ in range(looks):
            self.world.later(slice)
            self.one_round()
            if people_answer:
                self.acknowledge_all()
            if orders_come:
                self.fulfill_all()

    @rule(company=companies, paper=papers)
    def edits_the_policy(self, company: str, paper: Paper) -> None:
        self.act(lambda: self.world.write(company, paper))
        self.passes(company)

    @rule(company=companies)
    def loses_the_policy_file(self, company: str) -> None:
        """Nothing is taken because of it (Z11), until the file is there again."""
        self.act(lambda: self.world.lose(company))
        self.passes(company)
        self.act(lambda: self.world.write(company, self.world.papers[company]))
