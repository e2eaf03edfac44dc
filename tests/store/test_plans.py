"""Holds: named by what they hold, decided once, and what limits count."""

import threading
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.model import AccountKey
from policies.planner import Proposal
from store.engine import Store
from store.errors import Ambiguous, Conflict, NotFound
from store.plans import HeldPlan, digest
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW, add_company, add_directory

AT = micros(NOW)
HOUR = 3_600_000_000
WHY = "60 in 24 hours, over the limit for archive of 50"


def proposal(n: int, *, kind: str = "archive", rule: str = "staff", footing: str = "as it was") -> Proposal:
    """What a run wants of account `n`."""
    license, held = {"archive": ("archived", "standard"), "assign": ("standard", None)}.get(kind, (None, "standard"))
    return Proposal(
        account=AccountKey(n), kind=kind, license=license, through="seat", held_license=held,
        held_through=held and "seat", rank=20, rule_position=0, rule=rule, source=f"rule:{rule}",
        because="deleted in the directory", since=AT, reason=None, address=f"user{n}@contoso.example",
        id=f"id-{n}", footing=footing,
    )  # fmt: skip


def hold(
    store: Store,
    company: int,
    directory: int,
    actions: Sequence[Proposal],
    *,
    kind: str = "archive",
    run: str | None = "run-1",
    now: int = AT,
) -> str:
    with store.begin() as tx:
        return tx.plans.hold(
            company=company, directory=directory, kind=kind, actions=actions, why=WHY, run=run, policy=1, now=now
        )


def held(store: Store, hash: str) -> HeldPlan:
    with store.read() as tx:
        return tx.plans.held(hash)


def reject(store: Store, hash: str) -> None:
    with store.begin() as tx:
        tx.plans.reject(tx.plans.held(hash), "cli:kim@host", AT)


def propose(store: Store, batch: int, proposals: Iterable[Proposal]) -> None:
    with store.begin() as tx:
        tx.proposals.add(batch, proposals)


def states(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as tx:
        return [(plan.kind, plan.state, plan.total) for plan in tx.plans.listing(all_=True)]


def events(store: Store, company: int) -> list[tuple[str, str, str]]:
    with store.read() as tx:
        return [(entry.what, entry.who, entry.subject) for entry in tx.audit.entries(company)]


def written(store: Store) -> int:
    with store.read() as tx:
        return tx.audit.feed_end()


@proves("Z1")
def test_a_hold_is_listed_with_its_actions_until_somebody_decides(store: Store, company: int, directory: int) -> None:
    hash = hold(store, company, directory, [proposal(2), proposal(1)])
    with store.read() as tx:
        [row] = tx.plans.listing()
        assert tx.plans.shown(tx.plans.held(hash)) == row
        actions = tx.plans.actions(hash, 1)
    assert (row.hash, row.company, row.directory, row.kind) == (hash, "contoso", "contoso-m365", "archive")
    assert (row.state, row.total, row.since, row.why) == ("held", 2, "2026-11-02T09:00:00Z", WHY)
    [first] = actions
    assert first.account is not None and (first.account.id, first.account.address) == ("id-1", "user1@contoso.example")
    assert (first.kind, first.license, first.held_license, first.rule) == ("archive", "archived", "standard", "staff")
    assert held(store, hash).total == 2
    assert events(store, company) == [("plan.held", "system", hash)]


@proves("Z1", "Z8")
def test_the_same_hold_is_written_once(store: Store, company: int, directory: int) -> None:
    first = hold(store, company, directory, [proposal(1), proposal(2)])
    before = written(store)
    later = proposal(2)._replace(since=AT + 1, because="purged in the directory", footing="another", rank=3)
    again = hold(store, company, directory, [later, proposal(1)], run="run-2", now=AT + HOUR)
    assert again == first
    assert written(store) == before
    assert held(store, first).since == AT


@proves("Z1")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(5)))
def test_the_hash_does_not_depend_on_the_order(order: list[int]) -> None:
    actions = [("archive", "contoso-m365", f"id-{n}", "standard", "archived", "staff") for n in range(5)]
    assert digest(actions[n] for n in order) == digest(actions)


@proves("Z1")
def test_the_hash_covers_kind_directory_account_from_to_and_rule(store: Store, company: int, directory: int) -> None:
    other = add_directory(store, company, "contoso-gws")
    one = proposal(1)
    differing = [
        hold(store, company, directory, [one]),
        hold(store, company, other, [one]),
        hold(store, company, directory, [one._replace(id="id-9")]),
        hold(store, company, directory, [one._replace(license=None)]),
        hold(store, company, directory, [one._replace(held_license="archived")]),
        hold(store, company, directory, [one._replace(rule="sales")]),
        hold(store, company, directory, [one._replace(kind="release")], kind="release"),
    ]
    assert len(set(differing)) == len(differing)


@proves("Z1")
def test_a_grown_hold_takes_the_place_of_the_older_one(store: Store, company: int, directory: int) -> None:
    older = hold(store, company, directory, [proposal(1)])
    newer = hold(store, company, directory, [proposal(1), proposal(2)])
    assert states(store) == [("archive", "superseded", 1), ("archive", "held", 2)]
    with pytest.raises(NotFound, match="no longer held"):
        held(store, older)
    assert held(store, newer).total == 2
    with store.read() as tx:
        [_, entry] = tx.audit.entries(company)
    assert entry.before == {"hash": older, "kind": "archive", "total": 1}


def test_what_a_person_asked_for_is_not_superseded_by_a_run(store: Store, company: int, directory: int) -> None:
    asked = hold(store, company, directory, [proposal(1)], run=None)
    hold(store, company, directory, [proposal(2)])
    with store.begin() as tx:
        tx.plans.supersede_others(directory, [], AT)
    assert held(store, asked).state == "held"


@proves("Z1")
def test_a_hold_whose_kind_is_no_longer_held_is_closed(store: Store, company: int, directory: int) -> None:
    hold(store, company, directory, [proposal(1)])
    hold(store, company, directory, [proposal(2, kind="release")], kind="release")
    other = add_directory(store, company, "contoso-gws")
    hold(store, company, other, [proposal(3)])
    with store.begin() as tx:
        tx.plans.supersede_others(directory, ["release"], AT)
    assert states(store) == [("archive", "superseded", 1), ("release", "held", 1), ("archive", "held", 1)]
    before = written(store)
    with store.begin() as tx:
        tx.plans.supersede_others(directory, ["release"], AT)
    assert written(store) == before


@proves("Z1", "A1")
def test_a_decision_is_made_once_and_says_who(store: Store, company: int, directory: int) -> None:
    hash = hold(store, company, directory, [proposal(1)])
    plan = held(store, hash)
    with store.begin() as tx:
        tx.plans.approve(plan, "cli:kim@host", AT)
    with pytest.raises(Conflict, match="was approved by cli:kim@host on 2026-11-02 09:00 UTC"), store.begin() as tx:
        tx.plans.reject(plan, "cli:sam@host", AT)
    with pytest.raises(NotFound, match="was approved by cli:kim@host"):
        held(store, hash)
    assert events(store, company)[1:] == [("plan.approved", "cli:kim@host", hash)]


@proves("Z1")
def test_an_approval_lasts_for_that_hold_alone(store: Store, company: int, directory: int) -> None:
    hash = hold(store, company, directory, [proposal(1)])
    with store.begin() as tx:
        tx.plans.approve(tx.plans.held(hash), "cli:kim@host", AT)
    assert hold(store, company, directory, [proposal(1)]) == hash
    assert states(store) == [("archive", "approved", 1), ("archive", "held", 1)]


def test_a_plan_is_found_by_the_beginning_of_its_hash(store: Store, company: int, directory: int) -> None:
    hash = hold(store, company, directory, [proposal(1)])
    digits = hash.removeprefix("sha256:")
    for name in (hash, digits, hash[:15], digits[:8], digits[:8].upper()):
        assert held(store, name).hash == hash
    for name in (digits[:7], "sha256:", "%" * 8, "0" * 64):
        with pytest.raises(NotFound):
            held(store, name)


def test_the_beginning_of_several_hashes_is_ambiguous(store: Store, company: int, directory: int) -> None:
    with store.begin() as tx:
        for end in ("0", "1"):
            tx.execute(
                "INSERT INTO plan (hash, company, directory, kind, state, total, since)"
                " VALUES (:hash, :company, :directory, 'archive', 'held', 0, 0)",
                {"hash": f"sha256:{'a' * 63}{end}", "company": company, "directory": directory},
            )
    with pytest.raises(Ambiguous, match="give more"):
        held(store, "aaaaaaaa")


@proves("Z1")
def test_what_was_rejected_is_recognised_on_the_same_footing_only(store: Store, company: int, directory: int) -> None:
    reject(store, hold(store, company, directory, [proposal(n) for n in range(1, 7)]))
    propose(
        store,
        8,
        [
            proposal(1),
            proposal(2, footing="changed since"),
            proposal(3, rule="sales"),
            proposal(4, kind="release"),
            proposal(9),
        ],
    )
    propose(store, 9, [proposal(5)])
    with store.read() as tx:
        assert tx.plans.rejected(directory, 8) == {"archive": [1]}


@proves("Z1")
def test_a_rejection_stands_on_what_the_last_run_saw(store: Store, company: int, directory: int) -> None:
    hash = hold(store, company, directory, [proposal(1), proposal(2)])
    assert hold(store, company, directory, [proposal(1), proposal(2, footing="changed while it was held")]) == hash
    reject(store, hash)
    propose(store, 8, [proposal(1), proposal(2, footing="changed while it was held")])
    propose(store, 9, [proposal(2)])
    with store.read() as tx:
        assert tx.plans.rejected(directory, 8) == {"archive": [1, 2]}
        assert tx.plans.rejected(directory, 9) == {}


@proves("Z1")
def test_of_two_who_decide_at_once_one_is_refused(store: Store, company: int, directory: int) -> None:
    plan = held(store, hold(store, company, directory, [proposal(1)]))
    outcomes: list[str] = []

    def decide(verb: str) -> None:
        try:
            with store.begin() as tx:
                getattr(tx.plans, verb)(plan, f"cli:{verb}", AT)
            outcomes.append(verb)
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=decide, args=(verb,)) for verb in ("approve", "reject")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("refused") == 1
    assert len(events(store, company)) == 2


@proves("Z1")
def test_what_was_rejected_is_proposed_again_once_reopened(store: Store, company: int, directory: int) -> None:
    hash = hold(store, company, directory, [proposal(1), proposal(2)])
    reject(store, hash)
    with store.begin() as tx:
        tx.plans.reopen(hash, "cli:kim@host", AT)
    propose(store, 8, [proposal(1)])
    with store.read() as tx:
        assert tx.plans.rejected(directory, 8) == {}
        noted = tx.execute("SELECT account FROM unplanned WHERE directory = :d ORDER BY account", {"d": directory})
        assert [row[0] for row in noted] == [1, 2]
        assert tx.execute("SELECT plan_some FROM directory WHERE key = :d", {"d": directory}).scalar_one()
    assert [what for what, _, _ in events(store, company)] == ["plan.held", "plan.rejected", "plan.reopened"]
    with pytest.raises(Conflict, match="only what was rejected"), store.begin() as tx:
        tx.plans.reopen(hash, "cli:kim@host", AT)


@proves("Z1")
def test_an_approval_counts_what_is_no_longer_proposed(store: Store, company: int, directory: int) -> None:
    plan = held(store, hold(store, company, directory, [proposal(n) for n in range(1, 5)]))
    propose(store, 8, [proposal(1, footing="another"), proposal(2, rule="sales"), proposal(3), proposal(7)])
    propose(store, 9, [proposal(4)])
    with store.read() as tx:
        assert tx.plans.no_longer_proposed(plan, 8) == 2
        assert tx.plans.accounts(plan) == {1, 2, 3, 4}


def test_what_is_held_is_planned_again(store: Store, company: int, directory: int) -> None:
    hold(store, company, directory, [proposal(1), proposal(2)])
    with store.begin() as tx:
        tx.execute("INSERT INTO unplanned (account, directory) VALUES (1, :d)", {"d": directory})
        tx.plans.plan_held_again(directory)
        noted = tx.execute("SELECT account FROM unplanned WHERE directory = :d ORDER BY account", {"d": directory})
        assert [row[0] for row in noted] == [1, 2]


@proves("Z1")
def test_a_share_is_of_what_was_held_a_day_ago_or_now_if_more(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    with store.begin() as tx:
        for account in range(10):
            tx.execute(
                "INSERT INTO assignment (account, company, directory, license, through, source, because, since)"
                " VALUES (:account, :company, 1, 'standard', 'entitlement', 'imported', '', 0)",
                {"account": account, "company": company},
            )
        tx.plans.note_removals(company, "archive", "standard", 3, AT - 23 * HOUR)
        tx.plans.note_removals(company, "archive", "standard", 4, AT - 24 * HOUR)
        tx.plans.note_removals(company, "release", "standard", 5, AT)
        tx.plans.note_removals(company, "archive", "archived", 6, AT)
        tx.plans.note_removals(other, "archive", "standard", 7, AT)
        tx.plans.note_movement(company, "standard", -30, AT - 25 * HOUR)
        tx.plans.note_movement(company, "standard", -3, AT - HOUR)
        assert tx.plans.recent(company, "archive", "standard", AT) == (3, 13)
        tx.plans.note_movement(company, "standard", 8, AT - HOUR)
        assert tx.plans.recent(company, "archive", "standard", AT) == (3, 10)
        assert tx.plans.recent(company, "archive", "standard", AT + 24 * HOUR) == (0, 10)


@proves("P1", "Z1")
def test_a_purchase_is_held_by_company_license_and_seats(store: Store, company: int) -> None:
    with store.begin() as tx:
        first = tx.plans.hold_purchase(company, "standard", 60, WHY, AT)
        assert tx.plans.hold_purchase(company, "standard", 60, "other numbers", AT + HOUR) == first
        other = tx.plans.hold_purchase(company, "archived", 60, WHY, AT)
        more = tx.plans.hold_purchase(company, "standard", 70, WHY, AT)
    assert states(store) == [("purchase", "superseded", 60), ("purchase", "held", 60), ("purchase", "held", 70)]
    assert len({first, other, more}) == 3
    plan = held(store, more)
    assert (plan.company, plan.directory, plan.license, plan.total) == (company, None, "standard", 70)
    with store.read() as tx:
        [action] = tx.plans.actions(more, 10)
        assert tx.plans.accounts(plan) == frozenset()
    assert (action.kind, action.account, action.license) == ("purchase", None, "standard")


@proves("Z1")
def test_a_rejected_purchase_is_not_held_again_until_it_is_for_more(store: Store, company: int) -> None:
    with store.begin() as tx:
        first = tx.plans.hold_purchase(company, "standard", 60, WHY, AT)
    reject(store, first)
    with store.begin() as tx:
        assert tx.plans.hold_purchase(company, "standard", 60, WHY, AT) == first
        assert tx.plans.hold_purchase(company, "standard", 55, WHY, AT) == first
    assert states(store) == [("purchase", "rejected", 60)]
    with store.begin() as tx:
        tx.plans.hold_purchase(company, "standard", 61, WHY, AT)
    assert states(store) == [("purchase", "rejected", 60), ("purchase", "held", 61)]


def test_a_purchase_that_is_not_needed_any_more_is_withdrawn(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.plans.hold_purchase(company, "standard", 60, WHY, AT)
        tx.plans.withdraw_purchase(company, "archived", AT)
        tx.plans.withdraw_purchase(company, "standard", AT)
    assert states(store) == [("purchase", "superseded", 60)]


@proves("Z2")
def test_a_reading_is_believed_once_a_person_approved_it_and_once_only(
    store: Store, company: int, directory: int
) -> None:
    with store.begin() as tx:
        tx.execute(
            "INSERT INTO account (directory, id, address, kind, state) VALUES (:d, 'a', 'ada@x', 'user', 'active'),"
            " (:d, 'b', 'bob@x', 'user', 'active'), (:d, 'c', 'cy@x', 'user', 'active')",
            {"d": directory},
        )
        hash = tx.plans.hold_read(company, directory, ("b", "a"), "missing", "run-1", AT)
        assert tx.plans.hold_read(company, directory, ("a", "b"), "missing", "run-2", AT) == hash
        assert not tx.plans.read_approved(directory, ("a", "b"))
        assert [action.account and action.account.id for action in tx.plans.actions(hash, 9)] == ["a", "b"]
        tx.plans.approve(tx.plans.held(hash), "cli:kim@host", AT)
        assert tx.plans.read_approved(directory, ("a", "b"))
        assert not tx.plans.read_approved(directory, ("a", "b", "c"))
        tx.execute("UPDATE directory SET read_whole_at = :now WHERE key = :d", {"now": AT + 1, "d": directory})
        assert not tx.plans.read_approved(directory, ("a", "b"))
    assert states(store) == [("read", "approved", 2)]


@proves("Z2")
def test_a_held_reading_stays_until_a_whole_one_was_believed(store: Store, company: int, directory: int) -> None:
    with store.begin() as tx:
        tx.plans.hold_read(company, directory, (), "counts differ", "run-1", AT)
        tx.plans.supersede_others(directory, [], AT + 1)
        tx.plans.plan_held_again(directory)
    assert states(store) == [("read", "held", 0)]
    with store.begin() as tx:
        tx.execute("UPDATE directory SET read_whole_at = :now WHERE key = :d", {"now": AT + 1, "d": directory})
        tx.plans.supersede_others(directory, [], AT + 1)
    assert states(store) == [("read", "superseded", 0)]
