"""Linking the account of somebody who came back to the one that was deleted, so that nobody pays twice (D5)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.model import License, State
from store.by_hand import Subject
from store.errors import Conflict
from store.times import micros
from worker.errors import Insufficient, Usage
from worker.operations.by_hand import Touched, carry_out, open_pools_of, touched, work_out
from worker.operations.handing import ASSIGN, Intent, person_of
from worker.operations.pools import serve_pool

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

ALIVE = (State.ACTIVE, State.DISABLED)


@dataclass(frozen=True)
class Linked:
    """Two accounts that are one holder from now on."""

    old: Touched
    new: Touched
    freed: str | None
    """The license that the old account held."""
    served: dict[str, int]
    """What was done for those who waited, with the seat that came free, by kind."""


@dataclass(frozen=True)
class Unlinked:
    """An account that stands for itself again."""

    old: Touched
    license: str


def link(app: "App", new: str, old: str, who: str) -> Linked:
    """Let the license of `new` cover the backups of `old`: its seat is freed without a clock, and serves who waits.

    Raises Conflict unless `new` holds a license and `old` is gone from the directory and not purged, and Usage for two
    accounts that cannot be one holder.
    """
    with app.store.begin() as tx:
        newer, older = _pair(tx, new, old)
        _check(tx, newer, older)
        company, now = tx.directories.company_by_key(older.company), micros(app.clock())
        tx.lots.lock_pool(company.pool)
        tx.audit.open({company.key, *tx.directories.waiting_for(company.pool)})
        tx.links.link(older, newer, who, now)
        tx.by_hand.take([older.key])
        if older.license is not None:
            tx.plans.note_movement(company.key, older.license, -1, now)
        served = serve_pool(app, tx, company.pool, now).counts
    return Linked(touched(older), touched(newer), older.license, served)


def unlink(app: "App", old: str, who: str) -> Unlinked:
    """Part an account from the one that covers it. It needs a license of its own first: `archived`, or `standard` if
    it lives in the directory again. Raises Conflict if it is not linked, and Insufficient."""
    with app.store.begin() as tx:
        key = tx.views.account_by_name(old).key
        directories = tx.by_hand.directories_of([key])
        tx.directories.touch(directories)
        open_pools_of(app, tx, directories, micros(app.clock()))
        [subject] = tx.by_hand.subjects([key])
        if subject.linked_to is None:
            raise _not_linked(tx, subject)
        license = License.STANDARD if subject.state in ALIVE else License.ARCHIVED
        because = f"no longer linked to {subject.linked_to}, by {person_of(who)}"
        intent = Intent(subject, ASSIGN, license.value, because)
        parts = work_out(app, tx, {subject.company: [intent]}, who)
        if parts[0].left_out:
            raise Insufficient(license, wanted=1, free=0, because=[reason for _, reason in parts[0].left_out])
        tx.links.unlink(subject, who, parts[0].now)
        carry_out(app, tx, parts)
    return Unlinked(touched(subject), license.value)


def _not_linked(tx: "Transaction", subject: Subject) -> Conflict:
    """Two accounts with one address: the living one was meant to be the other."""
    others = ", ".join(old.id for old in tx.links.covered_by([subject.key]))
    hint = f"; those that are linked to it: {others}" if others else ""
    return Conflict(f"{subject.name} ({subject.id}) is not linked to any account{hint}")


def _pair(tx: "Transaction", new: str, old: str) -> tuple[Subject, Subject]:
    """Both accounts as they are once their directories are locked."""
    keys = [tx.views.account_by_name(new).key, tx.views.account_by_name(old).key]
    tx.directories.touch(tx.by_hand.directories_of(keys))
    subjects = {subject.key: subject for subject in tx.by_hand.subjects(keys)}
    if len(subjects) == 1:
        raise Usage(f"{new} and {old} are the same account; name the old one by the directory's id")
    return subjects[keys[0]], subjects[keys[1]]


def _check(tx: "Transaction", new: Subject, old: Subject) -> None:
    if new.company != old.company:
        raise Usage(f"{new.name} and {old.name} are of different companies")
    if old.linked_to is not None:
        raise Conflict(f"{old.name} is linked to {old.linked_to} already; `accounts unlink` parts them")
    if new.held is None:
        raise Conflict(f"{new.name} holds no license that could cover the backups of {old.name}")
    if old.state in ALIVE:
        raise Conflict(f"{old.name} is {old.state} in the directory; two people who both work there need two licenses")
    if tx.by_hand.is_purge_due(old.key):
        raise Conflict(f"the backups of {old.name} may be gone already: it is purge_due")
