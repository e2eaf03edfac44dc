"""Asking for mailbox kinds, where a directory tells them one by one (S6).

Kinds are asked for when an account is new or was touched by a change, and again every two weeks, because turning a
mailbox into a shared one need not touch anything else that the directory shows (Graph, mailboxSettings).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

from connectors.base import Directory
from connectors.errors import NeedsPerson, Transient
from worker.operations.pulling import Pulled
from worker.operations.runs import Run

if TYPE_CHECKING:
    from store.transaction import Transaction

PER_RUN = 1_000
_HOUR = 3_600 * 1_000_000
_DAY = 24 * _HOUR
AGAIN = 14 * _DAY
AGAIN_REFUSED = _DAY
AGAIN_SILENT = _HOUR // 6


@dataclass
class Answers:
    """What was asked and what was said, by the directory's id."""

    asked: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    """What the mirror has for those that were due."""
    kinds: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    remedy: str | None = None
    more: bool = False
    """There are more to ask than one run asks."""

    def changed(self) -> dict[str, str]:
        """The kinds that differ from what is known. What is refused for one mailbox stays as it was."""
        return {id: kind for id, kind in self.kinds.items() if kind not in ("unknown", self.known.get(id, ""))}

    def again_at(self, id: str, now: int) -> int:
        """When to ask for an account again; spread by its id, so that a tenant does not come due all at once."""
        if id not in self.kinds:
            return now + AGAIN_SILENT
        if self.kinds[id] == "unknown":
            return now + AGAIN_REFUSED
        return now + AGAIN - _DAY + crc32(id.encode()) % (2 * _DAY // 1_000_000) * 1_000_000


def ask_mailboxes(run: Run, directory: Directory, pulled: Pulled) -> Answers:
    """Ask for the mailboxes that are due and those of accounts that the walk brought, up to a bound per run."""
    answers = Answers()
    if not directory.capabilities.mailbox_queue or _refused_lately(run) or (pulled.empty and not run.is_awake):
        return answers
    _collect(run, pulled, answers)
    if not answers.asked:
        return answers
    run.step("mailboxes")
    run.progress("mailboxes", len(answers.asked))
    try:
        for answer in directory.mailboxes(answers.asked):  # type: ignore[arg-type]
            answers.kinds[answer.id] = answer.mailbox
            run.stay()
    except NeedsPerson as refusal:
        answers.problem, answers.remedy = refusal.problem, refusal.remedy
        answers.asked, answers.more = [], False
    except Transient:
        answers.more = False  # those without an answer are asked again later; everything else goes on
    return answers


def _refused_lately(run: Run) -> bool:
    """A permission that is missing is tried again once an hour, or when somebody asks for a sync."""
    row = run.directory
    if row.mailbox_problem is None or row.asked_at is not None or run.full:
        return False
    return row.mailbox_asked_at is not None and run.now - row.mailbox_asked_at < _HOUR


def next_mailbox(tx: "Transaction", run: Run) -> int | None:
    """When the next mailbox is to be asked for; where we are refused, when that is tried again."""
    row = run.directory
    if row.mailbox_problem is not None:
        return (row.mailbox_asked_at or run.now) + _HOUR
    return tx.mirror.next_mailbox(row.key)


def _collect(run: Run, pulled: Pulled, answers: Answers) -> None:
    """Changes first: what touched an account may have been its mailbox. Then new ones, then those due again."""
    wanted: dict[str, None] = {}
    if not pulled.full:
        wanted.update((row.id, None) for row in pulled.rows if row.gone is None and not row.guest)
    with run.app.store.read() as tx:
        due = tx.mirror.mailboxes_due(run.directory.key, run.now, PER_RUN + 1)  # first, for it reads no whole set
        if pulled.walk.staged and (pulled.compared is None or pulled.compared.open):
            tx.dialect.join_whole(tx.connection)
            wanted.update(
                (id, None) for id in tx.staging.without_mailbox(run.directory.key, pulled.walk.batch, PER_RUN + 1)
            )
        wanted.update((id, None) for _, id, _ in due)
        answers.more = len(wanted) > PER_RUN
        answers.asked = list(wanted)[:PER_RUN]
        answers.known = tx.mirror.mailboxes_of(run.directory.key, answers.asked)
