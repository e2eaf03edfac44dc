"""Reading a directory: pages are staged as they come, and believed only when the walk is complete (Z2, D4).

No transaction waits for a request; connectors may ask for the next page while this one is staged. What is read here
changes nothing yet: `merging` does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from connectors.base import Directory, Page, Seen
from connectors.errors import CursorExpired, NeedsPerson, Transient
from policies.absence import Absence, judge_absence, judge_count
from policies.model import DELETED, FOUND, GONE, AccountId
from store.directories import DirectoryRow
from store.mirror import Compared
from store.staging import Walk
from worker.operations.runs import Run

if TYPE_CHECKING:
    from store.transaction import Transaction

FLUSH = 3_000
"""Accounts that are staged at once: in less time than a page takes to come, so that the next one never waits for it."""
LOOK_UP = 1_000
LARGE = 500
"""Staged rows from which on the database is told how many there are before it joins them."""
DAY = 24 * 3_600 * 1_000_000
READ_WHOLE_EVERY = 7 * DAY
STALE = 12 * 3_600 * 1_000_000
"""Microseconds after which an interrupted walk is begun anew rather than taken up: page links live for a while only."""
LOST = "the database server crashed meanwhile, and what was read is gone; the directory is read anew"


@dataclass
class Pulled:
    """A complete walk, not merged yet."""

    walk: Walk
    rows: list[Seen]
    """All of a small walk, which is staged with its merge; empty where the walk is staged."""
    cursor: str
    full: bool
    repeated: dict[str, bool] = field(default_factory=dict)
    """Accounts that the walk told of several times, and whether both live and gone."""
    settled: dict[str, str | None] = field(default_factory=dict)
    """Accounts told both live and gone, and what a look-up said: None is alive."""
    states: dict[str, list[str]] = field(default_factory=dict)
    """Accounts that were absent from a complete listing, by what look-ups found them to be."""
    compared: Compared | None = None
    """How a complete listing that tells of nobody twice compares with the mirror."""
    held: Absence | None = None
    """Why the walk is not believed (Z2)."""
    count_off: bool = False

    @property
    def seen(self) -> int:
        return self.walk.staged + len(self.rows)

    @property
    def empty(self) -> bool:
        return self.seen == 0 and not self.full


def _as_told(accounts: Sequence[Seen]) -> Sequence[Seen]:
    return accounts


class Reading(NamedTuple):
    """How what a page tells is read as the policy would have it."""

    told: Callable[[Sequence[Seen]], Sequence[Seen]] = _as_told
    name: str = ""
    """Readings of one name read alike; what was staged under another one is read again."""


AS_TOLD = Reading()


def due_to_be_read_whole(row: DirectoryRow, now: int) -> bool:
    """Whether everybody has to be read, and not only those who changed: every seven days, a little earlier for some
    than for others (Z12)."""
    early = crc32(row.id.encode()) % (DAY // 1_000_000) * 1_000_000
    return now - row.read_whole_at >= READ_WHOLE_EVERY - early


def pull_accounts(run: Run, directory: Directory, reading: Reading = AS_TOLD) -> Pulled:
    """Walk the directory's accounts, going on where an interrupted walk stopped.

    Raises what the connector raises; then nothing is kept but staged pages.
    """
    walk = _under_way(run, reading)
    cursor = None if run.full else run.directory.cursor
    try:
        return _walk(run, directory, walk, None if walk.whole and walk.resume else cursor, reading)
    except CursorExpired:
        if cursor is None and walk.resume is None:
            raise
        _drop(run, walk)
        return _walk(run, directory, _new_walk(run, reading), None, reading)


def _under_way(run: Run, reading: Reading) -> Walk:
    walk = run.briefing.walk
    if walk is None:
        return _new_walk(run, reading)
    young = walk.resume is not None and run.now - walk.started_at < STALE
    if young and (walk.whole or not run.full) and walk.told == reading.name and not run.dry:
        return walk
    _drop(run, walk)
    return _new_walk(run, reading)


def _new_walk(run: Run, reading: Reading) -> Walk:
    return Walk(run.batch, None, 0, False, run.now, reading.name)


def _drop(run: Run, walk: Walk) -> None:
    with run.app.store.begin() as tx:
        run.guard(tx)
        tx.staging.drop(run.directory.key, walk.batch)


def _walk(run: Run, directory: Directory, walk: Walk, cursor: str | None, reading: Reading) -> Pulled:
    buffer: list[Seen] = []
    full = walk.whole
    for page in _pages(run, directory, cursor, walk):
        full = full or page.full
        buffer.extend(reading.told(page.accounts))
        run.progress("reading", walk.staged + len(buffer))
        if page.cursor is not None:
            run.hinted = page.unread
            return _complete(run, walk, buffer, page.cursor, full)
        if len(buffer) >= FLUSH and page.resume is not None:
            walk = _flush(run, walk._replace(resume=page.resume, whole=full), buffer)
            buffer = []
    raise Transient("the directory ended the list without saying that it was complete")


def _complete(run: Run, walk: Walk, rows: list[Seen], cursor: str, full: bool) -> Pulled:
    """A walk is staged whole or not at all: a listing, because absence is worked out in the store, and whatever is
    large; a few changes go straight into their merge."""
    if rows and (full or walk.staged):
        walk, rows = _flush(run, walk._replace(whole=full), rows), []
    if walk.staged > LARGE:
        with run.app.store.begin() as tx:
            tx.dialect.analyze(tx.connection, "stage (batch)", roughly=True)
    return Pulled(walk, rows, cursor, full)


def _pages(run: Run, directory: Directory, cursor: str | None, walk: Walk) -> Iterator[Page]:
    for page in directory.pull(cursor, walk.resume):
        if page.tenant is not None:
            bind(run, page.tenant)
        yield page
        run.step("page")
        run.stay()


def _flush(run: Run, walk: Walk, rows: Sequence[Seen]) -> Walk:
    with run.app.store.begin() as tx:
        tx.dialect.relax(tx.connection)
        run.guard(tx)
        walk = tx.staging.add(run.directory.key, walk, rows)
    run.step("staged")
    return walk


def is_staged(tx: "Transaction", pulled: Pulled) -> None:
    """Raises Transient where the database server has lost what this walk staged: the directory is read anew (Z2)."""
    if tx.staging.lost_accounts(pulled.walk):
        raise Transient(LOST)


def bind(run: Run, tenant: str) -> None:
    """Another tenant behind the same id stops the directory; the first good read binds it (Z11)."""
    bound = run.directory.bound_to
    run.tenant = tenant
    if bound is not None and bound != tenant:
        raise NeedsPerson(
            f"the directory is bound to tenant {bound}, and tenant {tenant} answers",
            remedy="correct the policy's tenant or credential; for another tenant, use another directory id",
        )


# --- evidence (D4, Z2) ---


def settle_disputed(run: Run, directory: Directory, pulled: Pulled) -> None:
    """Find accounts that the walk told of several times, and ask about those told both live and gone."""
    if pulled.walk.staged:
        with run.app.store.read() as tx:
            _compare(tx, run, pulled)
    else:
        pulled.repeated = _repeated(pulled.rows)
    disputed = {id for id, both in pulled.repeated.items() if both}
    for id, said in _look_up(run, directory, sorted(disputed)):
        if said == FOUND:
            pulled.settled[id] = None
        elif said in (DELETED, GONE):
            pulled.settled[id] = "deleted" if said == DELETED else "purged"
    unanswered = disputed - set(pulled.settled)
    if unanswered:
        raise Transient(f"{len(unanswered)} accounts were told both live and deleted, and looking them up failed")


def _compare(tx: "Transaction", run: Run, pulled: Pulled) -> None:
    """Compare a complete listing whole, and look for whom a walk told of several times where that leaves it open."""
    tx.dialect.join_whole(tx.connection)
    compared = tx.mirror.compare(run.directory.key, pulled.walk.batch) if pulled.full else None
    if compared is None or not compared.once:
        pulled.repeated = tx.staging.repeated(pulled.walk.batch)
    if not pulled.repeated:
        pulled.compared = compared


def _repeated(rows: Sequence[Seen]) -> dict[str, bool]:
    told: dict[str, list[bool]] = {}
    for row in rows:
        told.setdefault(row.id, []).append(row.gone is not None)
    return {id: any(ways) and not all(ways) for id, ways in told.items() if len(ways) > 1}


def confirm_absence(run: Run, directory: Directory, pulled: Pulled) -> None:
    """After a complete listing: look up those who are absent, and compare with the directory's own count."""
    if not pulled.full or not directory.capabilities.absence_is_evidence:
        return
    with run.app.store.read() as tx:
        is_staged(tx, pulled)
        tx.dialect.join_whole(tx.connection)
        known = tx.mirror.live(run.directory.key)
        absent = _absent(tx, run, pulled, known)
    seen: dict[str, list[str]] = {"deleted": [], "purged": []}
    alive = 0
    for id, said in _look_up(run, directory, absent):
        if said == FOUND:
            alive += 1
            break  # one is enough: the listing was not complete
        if said in (DELETED, GONE):
            seen["deleted" if said == DELETED else "purged"].append(id)
    confirmed = sum(len(ids) for ids in seen.values())
    pulled.held = judge_absence(known, absent, alive=alive, confirmed=confirmed)
    pulled.states = seen
    if pulled.held is None:
        _compare_counts(run, directory, pulled)


def _absent(tx: "Transaction", run: Run, pulled: Pulled, known: int) -> list[str]:
    """Who is missing from the listing. They are looked for one by one only where there are any."""
    if known == (0 if pulled.compared is None else pulled.compared.known):
        return []
    return [id for _, id in tx.mirror.absent(run.directory.key, pulled.walk.batch, known)]


def confirm_departures(run: Run, directory: Directory, pulled: Pulled, left: Sequence[str]) -> None:
    """Look up those who are in a group no more: a deletion takes people out of their groups, too, and these may have
    been read after it, and the accounts before it. Whoever is deleted is archived, and has not left (D1, G4).

    More than `LOOK_UP` at once are no deletions that came in the middle of a read; limits look after them (Z1).
    """
    told = {row.id for row in pulled.rows if row.gone is not None}.union(*pulled.states.values())
    if pulled.walk.staged:
        with run.app.store.read() as tx:
            told |= tx.staging.told_gone(pulled.walk.batch, left)
    for id, said in _look_up(run, directory, [id for id in left if id not in told][:LOOK_UP]):
        if said in (DELETED, GONE):
            pulled.states.setdefault("deleted" if said == DELETED else "purged", []).append(id)


def _compare_counts(run: Run, directory: Directory, pulled: Pulled) -> None:
    said = directory.count()
    if said is None:
        return
    if pulled.compared is not None:
        listed = pulled.compared.alive
    else:
        with run.app.store.read() as tx:
            tx.dialect.join_whole(tx.connection)
            listed = tx.staging.live(pulled.walk.batch)
    pulled.count_off = judge_count(listed, said)
    if pulled.count_off and run.directory.count_off > 0:
        pulled.held = Absence(f"the directory lists {listed} accounts and counts {said}, twice in a row", ())


def _look_up(run: Run, directory: Directory, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    for start in range(0, len(ids), LOOK_UP):
        run.step("look-up")
        run.stay()
        yield from directory.look_up([AccountId(id) for id in ids[start : start + LOOK_UP]])
