"""What holds after every step, whatever happened: each rule is worked out here once more, from the tables alone."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from policies.model import License
from tests.model.books import Books, Company, Entry, Held
from tests.model.paper import Paper

OPEN = ("wanted", "awaiting_approval", "placed")
ORDERED = (*OPEN, "fulfilled")
GONE = ("deleted", "purged")
BY_HAND = ("manual", "pinned")
Papers = Mapping[str, Paper]
Ledger = dict[tuple[int | None, str], dict[str, object]]
"""What each account holds by the record alone, by directory and id."""


def check(before: Books, after: Books, papers: Papers) -> None:
    """Everything that one look at the books, beside those before, can tell."""
    nobody_holds_two(after)
    seats_are_within_their_lots(after)
    stocks_are_never_mixed(after)
    counters_are_counts(after)
    entitlements_are_bought(before, after, papers)
    hands_are_respected(before, after)
    nothing_archived_is_taken(after)
    money_is_within_caps(before, after, papers)
    clocks_are_kept(before, after, papers)
    chains_are_whole(before, after)
    feed_is_gapless(before, after)


def nobody_holds_two(books: Books) -> None:
    """L2, and D5: whoever is linked holds nothing of its own."""
    holders = [held.account for held in books.held]
    assert len(holders) == len(set(holders)), f"two licenses: {Counter(holders).most_common(1)}"
    assert not books.links.keys() & set(holders), "an account holds a license beside the one that covers it"


def seats_are_within_their_lots(books: Books) -> None:
    """L3, counted from the assignments."""
    counted = Counter(held.lot for held in books.held if held.lot is not None)
    assert counted.keys() <= books.lots.keys(), "a seat of a lot that does not exist"
    for lot in books.lots.values():
        assert 0 <= counted[lot.key] == lot.held <= lot.seats, f"{counted[lot.key]} seats held of {lot}"


def stocks_are_never_mixed(books: Books) -> None:
    """L1, M1: a license rests on a seat of its own type and of its company's pool, or on an entitlement and no lot."""
    for held in books.held:
        assert (held.through == "seat") == (held.lot is not None), held
        if held.lot is not None:
            lot = books.lots[held.lot]
            assert (lot.license, lot.pool) == (held.license, books.companies[held.company].pool), (held, lot)


def counters_are_counts(books: Books) -> None:
    """What limits, shortages and entitlements are worked out from is what there is."""
    holding = Counter((h.company, h.license, h.through, h.lot or 0, h.source) for h in books.held)
    assert books.holding_counts == {(*what, n) for what, n in holding.items()}
    waiting = Counter((w.company, w.license, w.through, w.reason) for w in books.waiting.values())
    assert books.waiting_counts == {(*what, n) for what, n in waiting.items()}


def entitled(books: Books, company: Company, paper: Paper, license: str) -> int | None:
    """S1, worked out anew: None is without limit."""
    if paper.mailboxes != "one_per_license":
        return None if paper.mailboxes == "unlimited" else int(paper.mailboxes)
    bought = [
        lot
        for lot in books.lots.values()
        if lot.pool == company.pool and lot.license == license and lot.term != "trial" and lot.valid(books.now)
    ]
    if company.pool != 0:
        return sum(lot.seats for lot in bought)
    keys = {lot.key for lot in bought}
    return sum(held.lot in keys for held in books.held if held.company == company.key)


def entitlements_are_bought(before: Books, after: Books, papers: Papers) -> None:
    """S1, S4: no more mailboxes than purchased seats entitle to, unless these became fewer; then no new ones."""
    for company in after.companies.values():
        paper = papers.get(company.id)
        if company.key == 0 or paper is None:
            continue
        for license in License:
            most = entitled(after, company, paper, license)
            used, was = _through_entitlement(after, company, license), _through_entitlement(before, company, license)
            assert most is None or len(used) <= most or not used - was, f"{company.id}: {len(used)} of {most} {license}"


def _through_entitlement(books: Books, company: Company, license: str) -> set[int]:
    return {
        h.account
        for h in books.held
        if h.company == company.key and h.license == license and h.through == "entitlement"
    }


def hands_are_respected(before: Books, after: Books) -> None:
    """L8: rules neither give to nor take from whom a person decided about; only a deletion archives, unless pinned, and
    once it is undone they have what they had (D3)."""
    for entry in after.new_entries:
        if entry.by_person or not entry.what.startswith("license.") or entry.what == "license.exchanged":
            continue
        key = after.key_of(entry.directory, entry.subject)
        if key is None or key not in before.by_hand or key not in after.by_hand or entry.what == "license.expired":
            continue
        gone = after.accounts[key].state in GONE
        archived = entry.what == "license.archived" and gone
        back = entry.what == "license.restored" and entry.was["source"] == "deleted_user" and not gone
        allowed = (archived or back) and not before.by_hand[key]
        assert allowed, f"{entry.who} changed what a person decided: {entry}"


def nothing_archived_is_taken(books: Books) -> None:
    """L5: whoever loses an archived license, or any license with nothing in its place, loses it to a person, or as a
    standard one by a rule that says so."""
    for entry in books.new_entries:
        if entry.what == "license.released" and not entry.by_person:
            assert entry.was["license"] == "standard", f"an archived license was taken: {entry}"
            assert entry.who.startswith("rule:") or "in the directory" in (entry.because or ""), entry


def money_is_within_caps(before: Books, after: Books, papers: Papers) -> None:
    """P1: what was ordered since is within what one order, one month and the company's limit allow. A renewal, and
    what a person approved beyond a limit, is under none of these caps."""
    month = datetime.fromtimestamp(after.now / 1_000_000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = int(month.timestamp()) * 1_000_000
    for key in after.orders.keys() - before.orders.keys():
        order = after.orders[key]
        company = after.companies[order.company]
        if order.renews_lot is not None or order.decided_by is not None:
            continue
        paper = papers[company.id]
        assert paper.auto, f"nobody asked for {order}"
        mine = [o for o in after.orders.values() if (o.company, o.license) == (order.company, order.license)]
        mine = [o for o in mine if o.renews_lot is None]
        assert order.seats % paper.pack == 0, order
        assert 0 < order.seats <= max(paper.pack, paper.most_per_order), order
        assert sum(o.seats for o in mine if o.created_at >= since and o.state in ORDERED) <= paper.most_per_month, mine
        if company.pool == 0 and paper.limit is not None and order.license == "standard":
            held = sum((h.company, h.license, h.through) == (company.key, "standard", "seat") for h in after.held)
            coming = sum(o.seats for o in mine if o.state in OPEN)
            assert held + coming <= paper.limit, f"{held} held and {coming} on order with a limit of {paper.limit}"


def clocks_are_kept(before: Books, after: Books, papers: Papers) -> None:
    """L4, R2: who lost a standard license keeps its data for as long as the policy says; nobody's clock runs beside a
    license; and under a legal hold nothing goes."""
    holders = after.by_account
    for key, clock in after.clocks.items():
        assert key not in holders, "a clock runs for an account that holds a license"
        was = before.clocks.get(key)
        company = after.companies[clock.company]
        if was is None and clock.license == "standard" and company.id in papers:
            kept = timedelta(days=papers[company.id].retention) // timedelta(microseconds=1)
            assert clock.ends >= clock.started_at + kept, clock
        if was is not None and was.started_at == clock.started_at:
            assert clock.ends >= was.ends, "a retention was shortened"
        if clock.purge_due and not (was is not None and was.purge_due):
            on_hold = {(clock.company, key), (clock.company, 0)}
            assert not on_hold & before.legal_holds, "backups under a legal hold may go"
    for held in before.held:
        if held.account not in holders and held.account not in after.links:
            assert held.account in after.clocks, f"a license was taken, and no clock started: {held}"


def chains_are_whole(before: Books, after: Books) -> None:
    """A1: every chain goes on from where it ended, each entry's hash covers the one before it, and nothing is missing.
    Worked out here without the product's code."""
    for company in after.companies.values():
        was = before.companies.get(company.key)
        n, last = (0, b"") if was is None else (was.audit_n, was.audit_hash)
        for entry in after.new_entries:
            if entry.company != company.key:
                continue
            n += 1
            assert entry.n == n, f"{company.id}: entry {n} is missing"
            last = hashlib.sha256(_body(company.id, entry) + last).digest()
            assert entry.hash == last, f"{company.id}: entry {n} is not what was written"
        assert (company.audit_n, company.audit_hash) == (n, last), f"the chain of {company.id} ends elsewhere"


def _body(company: str, entry: Entry) -> bytes:
    said = [company, *entry[1:-1]]
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def feed_is_gapless(before: Books, after: Books) -> None:
    """A2: each entry has one place in the feed, places have no gaps, and one company's entries keep their order."""
    last = before.feed_last
    ends = {key: company.audit_n for key, company in before.companies.items()}
    for stretch in after.new_stretches:
        assert stretch.first == last + 1, f"positions {last + 1} to {stretch.first - 1} are missing"
        assert stretch.audit_first == ends.get(stretch.company, 0) + 1, stretch
        last = stretch.last
        ends[stretch.company] = stretch.audit_first + stretch.last - stretch.first
    assert last == after.feed_last
    assert ends == {key: company.audit_n for key, company in after.companies.items()} | {
        key: n for key, n in ends.items() if key not in after.companies
    }


def follow(ledger: Ledger, after: Books) -> None:
    """Play the record into the ledger: each change goes on from what was held before, and in the end everybody holds
    what the assignments say. So nobody was without a license on the way between two (D3, S5, L1)."""
    for entry in after.new_entries:
        if not _changes_a_license(entry):
            continue
        holder = (entry.directory, entry.subject)
        if entry.what == "account.linked":
            assert ledger.get(holder, {}).get("license") == entry.was.get("license"), entry
            ledger.pop(holder, None)
            continue
        assert _license(ledger.get(holder, {})) == _license(entry.was), f"{ledger.get(holder)} before {entry}"
        if entry.is_.get("license") is None:
            ledger.pop(holder, None)
        else:
            ledger[holder] = entry.is_
    found = {_holder(after, held): _told(after, held) for held in after.held}
    assert found == ledger


def _changes_a_license(entry: Entry) -> bool:
    return entry.what == "account.linked" or (
        entry.what.startswith(("license.", "account."))
        and ("through" in entry.was or "through" in entry.is_)
        and entry.what not in ("license.expired", "account.waiting")
    )


def _license(told: dict[str, object]) -> object:
    return told if told.get("license") is not None else {}


def _holder(books: Books, held: Held) -> tuple[int | None, str]:
    account = books.accounts[held.account]
    return account.directory, account.id


def _told(books: Books, held: Held) -> dict[str, object]:
    lot = None if held.lot is None else books.lots[held.lot].id
    return {"license": held.license, "through": held.through, "lot": lot, "source": held.source}


def nobody_waits_beside_free_seats(books: Books) -> None:
    """G5, M9: once everything has had its turn, whoever still waits for want of seats waits because there are none."""
    for wait in books.waiting.values():
        if wait.reason != "insufficient_licenses" or wait.through != "seat":
            continue
        company = books.companies[wait.company]
        if company.state != "active" or books.directories.get(wait.directory, ("", ""))[1] != "healthy":
            continue
        free = sum(
            lot.seats - lot.held
            for lot in books.lots.values()
            if lot.pool == company.pool and lot.license == wait.license and lot.valid(books.now)
        )
        assert free == 0, f"{books.accounts[wait.account]} waits for {wait.license} beside {free} free seats"
