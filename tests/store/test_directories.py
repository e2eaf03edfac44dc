"""Companies and directories follow their policy files, and a change of state is told once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from policies.document import DirectoryEntry, Licenses, NoOptions, Policy
from policies.model import CompanyId, DirectoryId
from store.engine import Store
from store.errors import Conflict, LeaseLost, NotFound
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW, add_company, add_directory

AT = micros(NOW)
MINUTE = 60_000_000


def policy(company: str, *directories: str, pool: str = "global", every: int = 1, kind: str = "file") -> Policy:
    entries = tuple(DirectoryEntry(DirectoryId(id), kind, timedelta(minutes=every), NoOptions()) for id in directories)
    licenses = Licenses(pool="own" if pool == "own" else "global")
    return Policy(CompanyId(company), company.title(), entries, licenses)


def register(store: Store, *policies: Policy, broken: Sequence[str] = (), now: int = AT) -> list[tuple[str, str]]:
    with store.begin() as tx:
        refused = tx.directories.register(policies, now, broken=frozenset(broken))
    return [(one.directory, one.why) for one in refused]


def states(store: Store) -> dict[str, str]:
    with store.read() as tx:
        return {row.id: "retired" if row.retired else row.state for row in tx.directories.all()}


def told(store: Store) -> list[tuple[str, str | None]]:
    with store.read() as tx:
        return [(event.type.removeprefix("seatkeeper."), event.directory) for event in tx.audit.feed(0)]


def everything(store: Store) -> list[object]:
    with store.read() as tx:
        return [tx.execute(f"SELECT * FROM {table} ORDER BY 1, 2").all() for table in ("company", "directory", "audit")]


@proves("Z11")
def test_what_the_policy_files_name_is_there(store: Store) -> None:
    register(store, policy("contoso", "c1", "c2", every=5), policy("fabrikam", "f1", pool="own"))
    with store.read() as tx:
        contoso, fabrikam = tx.directories.companies()
        row = tx.directories.by_id("c1")
        assert tx.directories.by_key(row.key) == row
        assert [found.id for found in tx.directories.all(contoso.key)] == ["c1", "c2"]
    assert (contoso.id, contoso.name, contoso.state, contoso.pool) == ("contoso", "Contoso", "active", 0)
    assert (fabrikam.id, fabrikam.pool) == ("fabrikam", fabrikam.key)
    assert (row.company_id, row.kind, row.every, row.due_at, row.state) == (
        "contoso", "file", 5 * MINUTE, AT, "never_run",
    )  # fmt: skip
    assert row.plan_whole is True and row.retired is False


@proves("Z8")
def test_the_same_files_again_write_nothing(store: Store) -> None:
    policies = policy("contoso", "c1"), policy("fabrikam", "f1", pool="own")
    register(store, *policies)
    before = everything(store)
    register(store, *policies, now=AT + MINUTE)
    assert everything(store) == before


@proves("Z11")
def test_a_directory_that_disappears_is_frozen_and_comes_back(store: Store) -> None:
    register(store, policy("contoso", "c1", "c2"))
    register(store, policy("contoso", "c1"), now=AT + 1)
    assert states(store) == {"c1": "never_run", "c2": "frozen"}
    register(store, policy("contoso", "c1"), now=AT + 2)
    assert told(store) == [("directory.frozen", "c2")]
    register(store, policy("contoso", "c1", "c2"), now=AT + 3)
    assert states(store) == {"c1": "never_run", "c2": "never_run"}
    assert told(store)[1:] == [], "it was not read yet"
    with store.read() as tx:
        row = tx.directories.by_id("c2")
        assert row.due_at == AT + 3 and row.plan_whole
    with store.begin() as tx:
        tx.directories.succeeded(row.key, AT + 4, due_at=AT + 5, wake_at=None)
    assert states(store) == {"c1": "never_run", "c2": "healthy"}
    assert told(store)[1:] == [("directory.recovered", "c2")]


@proves("Z9", "Z11")
def test_what_was_wrong_before_a_directory_was_frozen_is_wrong_no_more(store: Store) -> None:
    register(store, policy("contoso", "c1"))
    with store.begin() as tx:
        key = tx.directories.by_id("c1").key
        tx.directories.failed(key, AT, "the secret expired", "renew it", retry_at=AT + MINUTE)
    register(store)
    with store.read() as tx:
        row = tx.directories.by_id("c1")
    assert (row.state, row.failures, row.failing_since) == ("frozen", 0, None)
    assert "no policy file names it" in (row.problem or "") and "directory retire c1" in (row.remedy or "")
    register(store, policy("contoso", "c1"))
    with store.read() as tx:
        row = tx.directories.by_id("c1")
    assert (row.state, row.failures) == ("never_run", 0)
    assert "not read since" in (row.problem or "") and "sync c1" in (row.remedy or "")


@proves("Z11")
def test_a_company_whose_file_disappears_is_frozen_whole(store: Store) -> None:
    register(store, policy("contoso", "c1"), policy("fabrikam", "f1"))
    register(store, policy("fabrikam", "f1"))
    assert states(store) == {"c1": "frozen", "f1": "never_run"}
    with store.read() as tx:
        assert [row.state for row in tx.directories.companies()] == ["frozen", "active"]
        contoso = tx.directories.company("contoso")
        assert {entry.what for entry in tx.audit.entries(contoso.key)} == {"directory.frozen", "policy.missing"}


@proves("Z4", "Z11")
def test_a_company_whose_file_is_broken_goes_on(store: Store) -> None:
    register(store, policy("contoso", "c1"), policy("fabrikam", "f1"))
    register(store, policy("fabrikam", "f1"), broken=["contoso"])
    assert states(store) == {"c1": "never_run", "f1": "never_run"}


@proves("Z5", "Z11")
def test_a_run_under_way_cannot_write_to_a_directory_that_was_frozen(store: Store) -> None:
    register(store, policy("contoso", "c1"))
    with store.begin() as tx:
        lease = tx.leases.take(tx.directories.by_id("c1").key, "one", AT, timedelta(minutes=10))
    register(store)
    assert lease is not None
    with pytest.raises(LeaseLost), store.begin() as tx:
        tx.leases.check(lease, AT)


@proves("Z11")
def test_what_was_retired_stays_retired(store: Store) -> None:
    register(store, policy("contoso", "c1"), policy("fabrikam", "f1", "f2"))
    with store.begin() as tx:
        tx.directories.retire_directory(tx.directories.by_id("c1").key, "cli:kim@host", AT)
        tx.directories.retire_company(tx.directories.company("fabrikam").key, "cli:kim@host", AT)
    refused = register(store, policy("contoso", "c1"), policy("fabrikam", "f1", "f2"))
    assert states(store) == {"c1": "retired", "f1": "retired", "f2": "retired"}
    assert refused == [
        ("c1", "c1 is retired; use another id"),
        ("f1", "fabrikam is retired; use another id"),
        ("f2", "fabrikam is retired; use another id"),
    ]
    with pytest.raises(Conflict, match="c1 is retired already"), store.begin() as tx:
        tx.directories.retire_directory(tx.directories.by_id("c1").key, "cli:kim@host", AT)


@proves("Z11")
def test_a_directory_cannot_move_to_another_company(store: Store) -> None:
    register(store, policy("contoso", "c1"))
    refused = register(store, policy("contoso"), policy("fabrikam", "c1"))
    assert refused == [("c1", "c1 belongs to contoso; a directory cannot move to another company")]
    with store.read() as tx:
        row = tx.directories.by_id("c1")
    assert (row.company_id, row.state) == ("contoso", "frozen")


def test_a_directory_of_a_new_kind_or_pace_is_due_by_the_new_pace(store: Store) -> None:
    register(store, policy("contoso", "c1", every=60))
    with store.begin() as tx:
        tx.execute("UPDATE directory SET due_at = :due", {"due": AT + 60 * MINUTE})
    register(store, policy("contoso", "c1", every=5))
    with store.read() as tx:
        row = tx.directories.by_id("c1")
    assert (row.every, row.due_at) == (5 * MINUTE, AT + 5 * MINUTE)


@proves("Z11")
def test_a_directory_is_bound_to_one_tenant_and_a_tenant_to_one_directory(
    store: Store, company: int, directory: int
) -> None:
    other = add_directory(store, company, "second")
    with store.begin() as tx:
        assert tx.directories.bind(directory, "tenant-1") is True
        assert tx.directories.bind(directory, "tenant-1") is False
        with pytest.raises(Conflict, match="contoso-m365 is bound to tenant-1, and now tenant-2 answers"):
            tx.directories.bind(directory, "tenant-2")
        with pytest.raises(Conflict, match="second reads tenant-1, which is bound to contoso-m365"):
            tx.directories.bind(other, "tenant-1")
    with store.read() as tx:
        assert [tx.directories.by_key(key).bound_to for key in (directory, other)] == ["tenant-1", None]


@proves("Z9")
def test_a_directory_that_fails_says_what_is_wrong_and_tells_it_once(store: Store, directory: int) -> None:
    for n in range(3):
        with store.begin() as tx:
            changed = tx.directories.failed(directory, AT + n, "the secret expired", "renew it", retry_at=AT + 10 * n)
            assert changed is (n == 0)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.state, row.problem, row.remedy, row.failures, row.failing_since, row.due_at) == (
        "failing", "the secret expired", "renew it", 3, AT, AT + 20,
    )  # fmt: skip
    for n in range(2):
        with store.begin() as tx:
            assert tx.directories.succeeded(directory, AT + 50, due_at=AT + 60, wake_at=AT + 99) is (n == 0)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.state, row.problem, row.failures, row.failing_since, row.last_success, row.due_at, row.wake_at) == (
        "healthy", None, 0, None, AT + 50, AT + 60, AT + 99,
    )  # fmt: skip
    assert told(store) == [("directory.failing", "contoso-m365"), ("directory.recovered", "contoso-m365")]


@proves("Z9")
def test_a_failing_directory_is_tried_at_once_when_somebody_asks(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.directories.failed(directory, AT, "unreachable", None, retry_at=AT + 3600 * 1_000_000)
    with store.begin() as tx:
        assert tx.leases.due(AT + 5, 10, read_whole_before=0) == []
        tx.directories.ask(directory, AT + 5, full=True)
        assert [one.directory for one in tx.leases.due(AT + 5, 10, read_whole_before=0)] == [directory]


@proves("Z11")
def test_nobody_can_ask_for_a_pass_over_a_frozen_directory(store: Store) -> None:
    register(store, policy("contoso", "c1"))
    register(store)
    with store.begin() as tx, pytest.raises(Conflict, match="c1 is frozen; nothing is changed for it"):
        tx.directories.ask(tx.directories.by_id("c1").key, AT)


@proves("Z2")
def test_a_complete_read_keeps_its_cursors(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.directories.save_read(directory, AT, cursor="a", groups_cursor="g", full=True, count_off=True)
        tx.directories.save_read(directory, AT + 1, cursor="b", groups_cursor=None, full=False, plan_some=True)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.cursor, row.groups_cursor, row.read_whole_at, row.count_off, row.plan_some) == ("b", "g", AT, 1, True)
    with store.begin() as tx:
        tx.directories.save_read(
            directory, AT + 2, cursor="c", groups_cursor=None, full=True,
            mailbox_problem="refused", mailbox_remedy="grant it", mailboxes_asked=True,
        )  # fmt: skip
        tx.directories.planned(directory, AT + 3, 7, whole=True)
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert (row.count_off, row.mailbox_problem, row.mailbox_asked_at) == (0, "refused", AT + 2)
    assert (row.plan_some, row.plan_whole, row.planned_policy, row.planned_whole_at) == (False, False, 7, AT + 3)
    with store.begin() as tx:
        tx.directories.plan_whole(directory)
        tx.directories.touch([directory, directory])
    with store.read() as tx:
        row = tx.directories.by_key(directory)
    assert row.plan_whole is True and row.revision == 1


@dataclass
class Ran:
    outcome: str
    changed: int = 0
    mode: str = "delta"
    seen: int = 5
    plan_hash: str | None = None
    error: str | None = None


@proves("Z12")
def test_a_run_that_changed_nothing_leaves_no_row(store: Store, directory: int) -> None:
    with store.begin() as tx:
        tx.directories.record_run("run-1", directory, Ran("nothing_to_do"), 1, AT)
        tx.directories.record_run("run-2", directory, Ran("applied", 3), 1, AT)
    with store.read() as tx:
        assert tx.execute("SELECT id, outcome, changed FROM run").all() == [("run-2", "applied", 3)]


@proves("M8")
def test_the_company_that_waited_longest_for_what_a_free_seat_can_serve_comes_first(store: Store) -> None:
    first, second, third, own = (add_company(store, name) for name in ("fabrikam", "contoso", "adatum", "woodgrove"))
    well, failing = add_directory(store, first, "well"), add_directory(store, second, "failing")
    with store.begin() as tx:
        tx.execute("UPDATE company SET pool = key WHERE key = :own", {"own": own})
        tx.execute("UPDATE directory SET state = id", {})
        tx.execute("UPDATE directory SET state = 'healthy' WHERE id = 'well'", {})
        for n, (company, directory, reason, since, kind) in enumerate(
            [
                (first, well, "insufficient_licenses", 50, "assign"),
                (first, well, "held", 1, "assign"),
                (second, well, "insufficient_licenses", 90, "assign"),
                (second, well, "company_limit", 20, "assign"),
                (second, failing, "insufficient_licenses", 10, "assign"),
                (third, failing, "rule_limit", 5, "assign"),
                (third, failing, "insufficient_licenses", 70, "exchange"),
                (own, well, "rule_limit", 5, "assign"),
            ]
        ):
            tx.execute(
                "INSERT INTO waiting (account, company, directory, license, through, rank, rule_position, rule, since,"
                " address, id, reason, kind, source, because) VALUES (:n, :company, :directory, 'standard', 'seat', 30,"
                " 0, 'a', :since, '', '', :reason, :kind, 'rule:a', '')",
                {"n": n, "company": company, "directory": directory, "since": since, "reason": reason, "kind": kind},
            )
    with store.read() as tx:
        assert tx.directories.waiting_for(0) == [first, third, second]
        assert tx.directories.waiting_for(0, own=failing) == [second, first, third]
        assert tx.directories.waiting_for(own) == [own]


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with store.read() as tx:
        with pytest.raises(NotFound, match="there is no directory 'nowhere'"):
            tx.directories.by_id("nowhere")
        with pytest.raises(NotFound, match="there is no company 'nobody'"):
            tx.directories.company("nobody")
        assert tx.directories.next_due() is None


@proves("Z11")
def test_two_directories_that_bind_one_tenant_at_once_are_not_both_bound(
    store: Store, company: int, directory: int
) -> None:
    other = add_directory(store, company, "second")
    with store.begin() as tx:
        tx.directories.bind(directory, "tenant-1")
    with pytest.raises(IntegrityError), store.begin() as tx:  # as if it had not seen the first
        tx.execute("UPDATE directory SET bound_to = 'tenant-1' WHERE key = :key", {"key": other})
    with store.begin() as tx:
        tx.directories.retire_directory(directory, "cli:kim@host", AT)
        assert tx.directories.bind(other, "tenant-1") is True
