"""The audit: chains that show any tampering, and one feed over all of them."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from store.audit import CHUNK, Entry, json_text
from store.engine import Store, open_store
from store.errors import NotFound
from store.times import micros
from tests.examples import share
from tests.proves import proves
from tests.store.conftest import NOW, add_company

AT = micros(NOW)
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    ["\\", "\\N", "a\\", '\\"', "a\tb", "a\nb\r", "\\.", '"', ""]
)
OBJECTS = st.none() | WORDS.map(lambda text: json_text(name=text))


def entries(count: int, *, what: str = "license.assigned", directory: int | None = None) -> Iterator[Entry]:
    for n in range(count):
        yield Entry("rule:staff", what, f"account-{n}", directory, None, json_text(license="standard"), "staff")


def tamper(store: Store, *statements: str) -> None:
    """Change the audit as somebody with the database's own tools could, past what forbids it."""
    lift = {
        "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
        "postgresql": ["SET LOCAL session_replication_role = replica"],
    }[store.dialect.name]
    with store.begin() as tx:
        for statement in (*lift, *statements):
            tx.execute(statement)


@proves("A1")
def test_an_entry_says_when_who_what_before_after_and_why(store: Store, company: int, directory: int) -> None:
    with store.begin() as tx:
        tx.audit.append(
            company,
            [Entry("cli:kim@host", "license.released", "8d0c", directory, json_text(license="standard"), None, "left")],
            AT,
        )
    with store.read() as tx:
        [found] = tx.audit.entries(company)
    assert (found.n, found.company, found.at, found.who) == (1, "contoso", "2026-11-02T09:00:00Z", "cli:kim@host")
    assert (found.what, found.subject, found.directory) == ("license.released", "8d0c", "contoso-m365")
    assert (found.before, found.after, found.because) == ({"license": "standard"}, {}, "left")
    assert len(found.hash) == 64


@proves("A1")
def test_chains_of_several_transactions_and_companies_hold(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    for count in (3, 1, CHUNK + 5):
        with store.begin() as tx:
            tx.audit.append(company, entries(count), AT)
            tx.audit.append(other, entries(2), AT)
            tx.audit.append(company, entries(1), AT)
            tx.audit.append(0, entries(1, what="lot.added"), AT)
    with store.read() as tx:
        assert list(tx.audit.verify()) == []
        assert tx.audit.entries(company, after=CHUNK + 11)[0].n == CHUNK + 12
        assert len(tx.audit.entries(other)) == 6
        assert len(tx.audit.entries(0)) == 3


@proves("A1")
@pytest.mark.parametrize("verb", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_entries_cannot_be_changed(store: Store, company: int, verb: str) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(2), AT)
    with pytest.raises(DBAPIError, match="audit entries cannot be changed"), store.begin() as tx:
        tx.execute(verb)
    with store.read() as tx:
        assert list(tx.audit.verify()) == []


@proves("A1")
@pytest.mark.parametrize(
    "statement, n, why",
    [
        ("UPDATE audit SET because = 'nothing' WHERE n = 3", 3, "not what was written"),
        ("UPDATE audit SET before = '{}' WHERE n = 2", 2, "not what was written"),
        ("UPDATE audit SET directory = 9 WHERE n = 4", 4, "not what was written"),
        ("DELETE FROM audit WHERE n = 2", 2, "missing"),
        ("DELETE FROM audit WHERE n = 5", 5, "missing"),
        ("UPDATE company SET audit_n = 4", 5, "added behind the end of the chain"),
        ("UPDATE feed SET last = last - 1", 5, "not in the feed"),
        ("UPDATE feed SET audit_first = 2", 1, "told otherwise by the feed"),
    ],
)
def test_verify_names_the_first_entry_that_was_tampered_with(
    store: Store, company: int, statement: str, n: int, why: str
) -> None:
    other = add_company(store, "fabrikam")
    with store.begin() as tx:
        tx.audit.append(company, entries(5), AT)
    tamper(store, statement)
    with store.read() as tx:
        assert [tuple(found) for found in tx.audit.verify(company)] == [("contoso", n, why)]
        assert list(tx.audit.verify(other)) == [] or "company" in statement


@proves("A1")
def test_two_entries_in_each_others_place_are_found(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(5), AT)
    tamper(store, *(f"UPDATE audit SET n = {to} WHERE n = {n}" for n, to in ((2, 9), (4, 2), (9, 4))))
    with store.read() as tx:
        assert [tuple(found) for found in tx.audit.verify()] == [("contoso", 2, "not what was written")]


@proves("A1")
@pytest.mark.parametrize(("left", "n"), [(3, 4), (0, 1)])
def test_a_tail_that_is_cut_off_is_found_also_where_the_end_was_set_back(
    store: Store, company: int, left: int, n: int
) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(5), AT)
        tx.audit.append(0, entries(1), AT)
    tamper(store, f"DELETE FROM audit WHERE company = {company} AND n > {left}")
    with store.begin() as tx:
        last = tx.execute("SELECT hash FROM audit WHERE n = :left AND company > 0", {"left": left}).scalar()
        tx.execute(
            "UPDATE company SET audit_n = :left, audit_hash = :last WHERE key = :company",
            {"left": left, "last": last or b"", "company": company},
        )
    with store.read() as tx:
        assert [tuple(found) for found in tx.audit.verify()] == [("contoso", n, "missing")]


@proves("A1")
def test_chains_in_each_others_place_are_found(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    for key, count in ((company, 2), (other, 3)):
        with store.begin() as tx:
            tx.audit.append(key, entries(count), AT)
    swapped = [("audit", "company"), ("feed", "company"), ("company", "key")]
    tamper(
        store,
        *(
            f"UPDATE {table} SET {column} = {to} WHERE {column} = {key}"
            for table, column in swapped[:2]
            for key, to in ((company, 99), (other, company), (99, other))
        ),
    )
    with store.begin() as tx:
        ends = tx.execute("SELECT audit_n, audit_hash FROM company WHERE key > 0 ORDER BY key").all()
        for (n, last), key in zip(ends, (other, company), strict=True):
            tx.execute(
                "UPDATE company SET audit_n = :n, audit_hash = :last WHERE key = :key",
                {"n": n, "last": last, "key": key},
            )
    with store.read() as tx:
        assert [tuple(found) for found in tx.audit.verify()] == [
            ("contoso", 1, "not what was written"), ("fabrikam", 1, "not what was written"),
        ]  # fmt: skip


@proves("A1")
def test_a_company_that_was_deleted_with_its_chain_is_missed(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(2), AT)
    tamper(store, f"DELETE FROM audit WHERE company = {company}", f"DELETE FROM company WHERE key = {company}")
    with store.read() as tx:
        [found] = tx.audit.verify()
    assert f"key {company}" in found.company and found.why == "missing"


@proves("A1")
def test_the_end_of_a_chain_that_was_kept_elsewhere_shows_that_the_record_was_written_anew(
    store: Store, company: int
) -> None:
    """Nothing within the database can: whoever may write all of it can write all of it consistently."""
    with store.begin() as tx:
        tx.audit.append(company, entries(3), AT)
    with store.read() as tx:
        [kept] = tx.audit.heads(company)
    tamper(store, "DELETE FROM audit", "DELETE FROM feed", "UPDATE feed_head SET last = 0")
    with store.begin() as tx:
        tx.execute("UPDATE company SET audit_n = 0, audit_hash = :none", {"none": b""})
        tx.audit.append(company, entries(3, what="license.released"), AT)
    with store.read() as tx:
        assert list(tx.audit.verify()) == []
        assert tx.audit.entries(company, after=kept.n - 1, limit=1)[0].hash != kept.hash


@proves("A1")
def test_an_entry_moved_to_another_company_breaks_both_chains(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    with store.begin() as tx:
        tx.audit.append(company, entries(2), AT)
    tamper(store, f"UPDATE audit SET company = {other} WHERE n = 1")
    with store.read() as tx:
        assert [(found.company, found.n) for found in tx.audit.verify()] == [("contoso", 1), ("fabrikam", 1)]


@proves("A1", "Z6")
def test_a_transaction_that_fails_leaves_no_entry_and_no_gap(store: Store, company: int) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as tx:
        tx.audit.append(company, (entry for entry in entries(3) if 1 / (entry.subject != "account-2")), AT)
    with store.begin() as tx:
        tx.audit.append(company, entries(1), AT)
    with store.read() as tx:
        assert [found.n for found in tx.audit.entries(company)] == [1]
        assert [event.n for event in tx.audit.feed(0)] == [1]
        assert list(tx.audit.verify()) == []


@proves("Z8")
def test_nothing_to_record_writes_nothing(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, [], AT)
    with store.read() as tx:
        assert tx.audit.feed_end() == 0
        assert tx.execute("SELECT count(*) FROM feed").scalar_one() == 0


def test_a_company_that_is_not_there_has_no_chain(store: Store) -> None:
    with pytest.raises(NotFound, match="no company 77"), store.begin() as tx:
        tx.audit.append(77, entries(1), AT)


@proves("A2")
def test_the_feed_is_read_from_any_point_in_the_order_of_commits(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    for count in (2, 3):
        with store.begin() as tx:
            tx.audit.append(other, entries(1), AT)
            tx.audit.append(company, entries(count), AT)
    with store.read() as tx:
        everything = tx.audit.feed(0)
        assert [event.n for event in everything] == [1, 2, 3, 4, 5, 6, 7]
        assert [event.id for event in everything] == [
            "contoso-1", "contoso-2", "fabrikam-1", "contoso-3", "contoso-4", "contoso-5", "fabrikam-2",
        ]  # fmt: skip
        for after in range(8):
            for limit in (1, 2, 3, 10):
                assert tx.audit.feed(after, limit) == everything[after : after + limit]
        mine = [event for event in everything if event.company == "fabrikam"]
        for after in range(8):
            assert tx.audit.feed(after, 1, company=other) == [event for event in mine if event.n > after][:1]


@proves("A2")
def test_an_event_carries_its_type_its_account_and_the_change(store: Store, company: int, directory: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(1, directory=directory), AT)
        tx.audit.append(company, entries(1, what="order.wanted"), AT)
    with store.read() as tx:
        license, order = tx.audit.feed(0)
    assert (license.type, license.directory, license.account) == (
        "seatkeeper.license.assigned", "contoso-m365", "account-0",
    )  # fmt: skip
    assert license.data["after"] == {"license": "standard"} and license.data["because"] == "staff"
    assert (order.type, order.directory, order.account) == ("seatkeeper.order.wanted", None, None)
    assert order.data["subject"] == "account-0"


@proves("A2")
def test_the_feed_passes_over_what_it_does_not_tell_of(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(1), AT)
        tx.audit.append(company, entries(30, what="policy.changed"), AT)
        tx.audit.append(company, entries(2), AT)
    with store.read() as tx:
        assert [event.n for event in tx.audit.feed(0, 3)] == [1, 32, 33]
        assert [event.n for event in tx.audit.feed(1, 1)] == [32]
        assert tx.audit.feed(33) == []
        assert tx.audit.feed_end() == 33


@proves("A2")
def test_a_page_ends_inside_a_large_transaction(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(50), AT)
    with store.read() as tx:
        assert [event.n for event in tx.audit.feed(17, 5)] == [18, 19, 20, 21, 22]


@proves("A1", "A2")
def test_writers_at_once_leave_whole_chains_and_a_feed_without_gaps(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")

    def write(own: int) -> None:
        for _ in range(10):
            with store.begin() as tx:
                tx.audit.append(own, entries(2), AT)
                if own == company:
                    tx.audit.append(other, entries(1), AT)

    threads = [threading.Thread(target=write, args=(key,)) for key in (company, company, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        assert list(tx.audit.verify()) == []
        assert [event.n for event in tx.audit.feed(0)] == list(range(1, 81))
        for key in (company, other):
            numbers = [int(event.id.rpartition("-")[2]) for event in tx.audit.feed(0, company=key)]
            assert numbers == list(range(1, len(numbers) + 1))


@proves("A2")
def test_nobody_reads_past_an_event_whose_transaction_has_not_ended(fresh_postgres: str) -> None:
    """A place in the feed is given just before the commit, and whoever wants the next one waits for that commit."""
    store = open_store(fresh_postgres)
    slow, quick = add_company(store, "slow"), add_company(store, "quick")

    def write_quickly() -> None:
        with store.begin() as tx:
            tx.audit.append(quick, entries(1), AT)

    def read() -> list[str]:
        with store.read() as tx:
            return [event.id for event in tx.audit.feed(0)]

    thread = threading.Thread(target=write_quickly)
    with store.begin() as tx:
        tx.audit.append(slow, entries(2), AT)
        tx.seal()  # its places are given, and nobody sees them yet
        thread.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        while thread.is_alive() and not tx.execute(waits).scalar_one():
            pass
        assert thread.is_alive(), "the quick one waits for its place"
        assert read() == []
    thread.join()
    assert read() == ["slow-1", "slow-2", "quick-1"]
    store.close()


def test_a_page_of_the_audit_goes_backwards_and_by_subject(store: Store, company: int) -> None:
    with store.begin() as tx:
        tx.audit.append(company, entries(5), AT)
        tx.audit.append(company, entries(5), AT)
    with store.read() as tx:
        assert [found.n for found in tx.audit.latest(company, limit=3)] == [10, 9, 8]
        assert [found.n for found in tx.audit.latest(company, before=8, limit=2)] == [7, 6]
        assert [found.n for found in tx.audit.entries(company, subject="account-3")] == [4, 9]
        assert [found.n for found in tx.audit.latest(company, subject="account-3")] == [9, 4]


@proves("A1")
@given(
    st.lists(
        st.builds(
            Entry,
            who=WORDS, what=WORDS, subject=WORDS, directory=st.none() | st.integers(0, 2**31 - 1),
            before=OBJECTS, after=OBJECTS, because=st.none() | WORDS,
        ),
        max_size=5,
    )
)  # fmt: skip
@settings(max_examples=share(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_text_an_entry_has_it_is_kept_and_its_chain_holds(store: Store, written: list[Entry]) -> None:
    with store.begin() as tx:
        tx.audit.append(0, written, AT)
    with store.read() as tx:
        rows = tx.execute(
            "SELECT who, what, subject, directory, before, after, because FROM audit ORDER BY n DESC LIMIT :count",
            {"count": len(written)},
        ).all()
        assert [Entry(*row) for row in reversed(rows)] == written
        assert list(tx.audit.verify()) == []
