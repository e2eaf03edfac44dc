"""Held plans as rows: what the store has of them, what people and scripts are shown, and how their hash is made."""

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from store.audit import Entry, json_text
from store.times import instant

if TYPE_CHECKING:
    from store.transaction import Transaction

HELD, APPROVED, REJECTED, SUPERSEDED = "held", "approved", "rejected", "superseded"
PURCHASE, READ = "purchase", "read"
REMOVALS = "('archive', 'release')"
"""The kinds that runs propose and limits stop."""
PREFIX = "sha256:"
SYSTEM = "system"
NOBODY = 0
"""The account of a purchase."""
OF_DIRECTORY = "company = (SELECT company FROM directory WHERE key = :directory) AND directory = :directory"


class HeldPlan(NamedTuple):
    """A hold as the store has it, whatever became of it."""

    key: int
    hash: str
    company: int
    directory: int | None
    """None for a purchase."""
    kind: str
    state: str
    total: int
    """Actions; of a purchase, seats."""
    since: int
    run: str | None
    policy: int | None
    why: str
    decided_by: str | None
    decided_at: int | None
    license: str | None
    """What a purchase is of; None for every other kind."""


class PlanRow(msgspec.Struct, frozen=True):
    """A hold as `plan list --json` shows it."""

    hash: str
    company: str
    directory: str | None
    kind: str
    state: str
    total: int
    since: str
    why: str
    decided_by: str | None


class PlanAccount(msgspec.Struct, frozen=True):
    id: str
    address: str


class PlanAction(msgspec.Struct, frozen=True):
    """A held action as `plan show --json` shows it, in the shape of `sync --json`; of a purchase, without account."""

    kind: str
    account: PlanAccount | None
    license: str | None
    because: str
    held_license: str | None
    rule: str | None


class PlanTable:
    """The plans themselves, under `store.holds` and `store.plans`."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx

    def _plans(self, condition: str, **values: Any) -> list[HeldPlan]:
        rows = self._tx.execute(
            "SELECT key, hash, company, directory, kind, state, total, since, run, policy, why, decided_by, decided_at,"
            f" (SELECT license FROM plan_action WHERE plan = key AND account = {NOBODY}) FROM plan WHERE {condition}",
            values,
        )
        return [HeldPlan._make(row) for row in rows]

    def _close(self, key: int, state: str, who: str, now: int, was: str | None = None) -> bool:
        only = "" if was is None else " AND state = :was"
        changed = self._tx.execute(
            f"UPDATE plan SET state = :state, decided_by = :who, decided_at = :now WHERE key = :key{only}",
            {"state": state, "who": who, "now": now, "key": key} | ({} if was is None else {"was": was}),
        )
        return changed.rowcount == 1

    def _record(self, plan: HeldPlan, what: str, who: str, state: str, now: int, because: str) -> None:
        before, after = told(plan.kind, plan.total, plan.state), told(plan.kind, plan.total, state)
        self._tx.audit.append(plan.company, [Entry(who, what, plan.hash, plan.directory, before, after, because)], now)


def digest(actions: Iterable[tuple[str, ...]]) -> str:
    """The hash of actions, whatever order they come in."""
    found = sha256()
    for action in sorted(actions):
        found.update(msgspec.json.encode(action) + b"\n")
    return PREFIX + found.hexdigest()


def told(kind: str, total: int, state: str) -> str:
    return json_text(kind=kind, total=total, state=state)


def what_became_of(plan: HeldPlan) -> str:
    """What became of a plan, in a sentence."""
    if plan.state == SUPERSEDED:
        return f"{plan.hash} is no longer held; `seatkeeper plan list` shows what is held now"
    at = "" if plan.decided_at is None else f" on {instant(plan.decided_at):%Y-%m-%d %H:%M} UTC"
    return f"{plan.hash} was {plan.state} by {plan.decided_by}{at}"
