"""Receivers: one position each and company, told by one at a time, and beginnings that leave nothing out (A2)."""

from datetime import timedelta

from store.audit import Entry
from store.engine import Store
from store.receivers import Address, Claim
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW, add_company

AT = micros(NOW)
CLAIM = timedelta(minutes=10)
LATER = AT + 601_000_000
HOOK = Address("a", "webhook", "https://a.example/hooks")
OTHER = Address("b", "webhook", "https://b.example/hooks")
MAIL = Address("c", "email", "ops@contoso.example")


def happen(store: Store, company: int, *what: str) -> None:
    """One transaction in which these things happened."""
    with store.begin() as tx:
        tx.audit.append(company, [Entry("system", one, "ada", None, None, None, None) for one in what], AT)


def follow(store: Store, wanted: dict[int, list[Address]]) -> None:
    with store.begin() as tx:
        tx.receivers.follow(wanted)


def claim(store: Store, at: int = AT) -> Claim | None:
    with store.begin() as tx:
        return tx.receivers.claim(at, CLAIM)


def positions(store: Store) -> dict[tuple[str, int], int]:
    with store.read() as tx:
        rows = tx.execute(
            "SELECT r.id, s.company, s.told FROM subscription AS s JOIN receiver AS r ON r.key = s.receiver"
        )
        return {(row[0], row[1]): row[2] for row in rows}


@proves("A2")
def test_a_receiver_begins_with_what_comes_and_is_one_row_however_much_that_is(store: Store, company: int) -> None:
    happen(store, company, "license.assigned")
    follow(store, {company: [HOOK]})
    assert claim(store) is None
    happen(store, company, *["license.assigned"] * 50)
    happen(store, company, "policy.changed")
    found = claim(store)
    assert found is not None and found.who == "webhook:https://a.example/hooks"
    with store.read() as tx:
        [news] = tx.receivers.news(found, 10)
        assert (news.told, news.end, len(tx.audit.feed(news.told, 1_000, company=company))) == (1, 52, 50)
        assert [e.n for e in tx.audit.feed(0, 2, company=company, types={"license.assigned"}, upto=3)] == [1, 2]
        assert tx.audit.feed(51, 2, company=company, types={"license.assigned"}) == []
    assert positions(store) == {("a", company): 1}


@proves("A2")
def test_who_was_overtaken_records_nothing_any_more(store: Store, company: int) -> None:
    follow(store, {company: [HOOK]})
    happen(store, company, "license.assigned")
    slow = claim(store)
    assert slow is not None and claim(store) is None
    quick = claim(store, LATER)
    assert quick is not None and quick.fence > slow.fence
    with store.begin() as tx:
        assert tx.receivers.told(slow, {company: 1}, LATER, accepted=True) is False
        assert tx.receivers.sends(slow, {company: 1}) is False
        tx.receivers.fail(slow, "status 500", None, LATER, LATER)
        tx.receivers.rest(slow, LATER)
    assert claim(store, LATER) is None, "the quick one still has it"
    with store.begin() as tx:
        assert tx.receivers.told(quick, {company: 1}, LATER, accepted=True)
        tx.receivers.rest(quick, LATER)
    assert positions(store) == {("a", company): 1}
    assert claim(store, LATER) is None, "there is nothing more to tell"


@proves("A2")
def test_what_a_policy_names_instead_goes_on_and_what_it_names_no_more_is_gone(store: Store, company: int) -> None:
    other = add_company(store, "fabrikam")
    follow(store, {company: [HOOK, MAIL], other: [HOOK]})
    happen(store, company, "license.assigned", "license.assigned")
    follow(store, {company: [OTHER], other: [HOOK]})
    assert positions(store) == {("b", company): 0, ("a", other): 0}
    follow(store, {company: [OTHER, MAIL]})
    assert positions(store) == {("b", company): 0, ("c", company): 2}
    follow(store, {})
    assert positions(store) == {}
    with store.read() as tx:
        assert tx.receivers.listing() == []


@proves("A2")
def test_a_failing_receiver_is_shown_with_its_companies_and_hastened_when_a_person_asks(
    store: Store, company: int
) -> None:
    follow(store, {company: [HOOK, MAIL]})
    happen(store, company, "license.assigned")
    found = claim(store)
    assert found is not None
    with store.begin() as tx:
        tx.receivers.fail(found, "status 410", "take it out", AT + 5_000_000, AT)
        [first, second] = tx.receivers.listing()
    assert (first.state, first.companies, first.problem, first.remedy) == (
        "failing", ["contoso"], "status 410", "take it out",
    )  # fmt: skip
    assert (first.failing_since, first.next_attempt) == ("2026-11-02T09:00:00Z", "2026-11-02T09:00:05Z")
    assert second.state == "healthy"
    assert claim(store) is not None and claim(store) is None
    with store.begin() as tx:
        tx.receivers.hasten(AT)
    again = claim(store)
    assert again is not None and (again.key, again.failures) == (found.key, 1)


@proves("A2")
def test_receivers_that_fail_are_counted_until_they_accept_or_are_named_no_more(store: Store, company: int) -> None:
    def counted() -> int:
        with store.read() as tx:
            return tx.views.gauges(AT).receivers

    follow(store, {company: [HOOK, MAIL, OTHER]})
    happen(store, company, "license.assigned")
    claims = [claim(store) for _ in range(3)]
    assert counted() == 0
    with store.begin() as tx:
        for one in claims:
            assert one is not None
            tx.receivers.fail(one, "status 503", None, AT, AT)
    assert counted() == 3
    again = claim(store)
    assert again is not None
    with store.begin() as tx:
        tx.receivers.told(again, {company: 1}, AT, accepted=True)
    assert counted() == 2
    follow(store, {})
    assert counted() == 0
