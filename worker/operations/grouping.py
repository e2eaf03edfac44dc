"""Reading the groups that a policy names, with everything nested in them (G2, G3, Z2)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from connectors.base import Directory, Edge, SeenGroup
from connectors.errors import CursorExpired, NeedsPerson, Transient
from policies.absence import group_shrank
from policies.deciding import suspended_rules
from policies.document import group_refs
from policies.model import GroupRef
from store.groups import Binding
from worker.operations.planning import due_whole
from worker.operations.runs import Run

if TYPE_CHECKING:
    from store.transaction import Transaction

FLUSH = 10_000
REBIND = "name the group by its id in the policy, or let the name stand for it: seatkeeper policy rebind"


@dataclass
class Grouped:
    """A complete walk over the groups, not merged yet."""

    bindings: dict[str, Binding]
    new: list[Binding]
    found: dict[str, SeenGroup] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    """Groups whose members this walk listed completely."""
    edges: int = 0
    left: Sequence[str] = ()
    """Ids of accounts that hold a license, and are no longer in a group by what this walk read."""
    cursor: str | None = None
    problem: str | None = None
    remedy: str | None = None

    def whole_of(self, ids: Iterable[str]) -> bool:
        """Whether every one of these groups that this walk came to told all its members."""
        return all(id not in self.found or id in self.whole for id in ids)

    @property
    def empty(self) -> bool:
        return not self.new and not self.found and not self.edges and not self.whole


def pull_groups(run: Run, directory: Directory) -> Grouped | None:
    """Resolve the policy's group names and walk the groups; None where the policy or the directory has none.

    A directory that refuses to show groups suspends the rules that need them, and no more (G3).
    """
    refs = group_refs(run.in_force.policy, run.entry)
    if not refs or not directory.capabilities.groups:
        return None
    grouped = Grouped(dict(run.briefing.bindings), [])
    try:
        _resolve(run, directory, refs, grouped)
        _walk(run, directory, grouped)
    except NeedsPerson as refusal:
        if refusal.feature != "groups":
            raise
        grouped.problem, grouped.remedy = refusal.problem, refusal.remedy
        grouped.bindings = {ref: Binding(ref, None, "missing") for ref in refs} | grouped.bindings
    return grouped


def _resolve(run: Run, directory: Directory, refs: Sequence[GroupRef], grouped: Grouped) -> None:
    """Look up names that no group is bound to yet. A bound name stays with its id, whatever is called so now; whether
    another group has the name by now is asked where everybody is planned (G3)."""
    again = run.full or due_whole(run)
    asked = [ref for ref in refs if _is_open(ref, grouped.bindings.get(ref), again=again)]
    if not asked:
        return
    run.step("resolve")
    run.stay()
    for found in directory.find_groups(asked):
        known = grouped.bindings.get(found.ref)
        binding = _binding(found.ref, found.groups, known)
        if known != binding:
            grouped.new.append(binding)
        grouped.bindings[found.ref] = binding


def _is_open(ref: str, known: Binding | None, *, again: bool) -> bool:
    if known is None or known.group_id is None:
        return True
    return again and known.group_id.lower() != ref.lower()


def _binding(ref: str, groups: Sequence[SeenGroup], known: Binding | None) -> Binding:
    if known is not None and known.group_id is not None:
        others = [group.id for group in groups if group.id != known.group_id]
        return known._replace(namesake=min(others, default=None))
    if not groups:
        return Binding(ref, None, "missing")
    if len(groups) > 1:
        return Binding(ref, None, "ambiguous")
    return Binding(ref, groups[0].id, None)


def _walk(run: Run, directory: Directory, grouped: Grouped) -> None:
    wanted = sorted({binding.group_id for binding in grouped.bindings.values() if binding.group_id is not None})
    if not wanted:
        return
    cursor = None if run.full else run.directory.groups_cursor
    try:
        _stage(run, directory, cursor, wanted, grouped)
    except CursorExpired:
        if cursor is None:
            raise
        _forget(run, grouped)
        _stage(run, directory, None, wanted, grouped)
    _read_again(run, directory, grouped)


def _stage(run: Run, directory: Directory, cursor: str | None, wanted: Sequence[str], grouped: Grouped) -> None:
    buffer: list[Edge] = []
    for page in directory.pull_groups(cursor, wanted):  # without a name for the walk: it ends with a problem in here
        for group in page.groups:
            grouped.found[group.id] = _completed(grouped.found.get(group.id), group)
        grouped.whole.extend(id for id in page.whole if id not in grouped.whole)
        buffer.extend(page.edges)
        if len(buffer) >= FLUSH:
            _flush(run, grouped, buffer)
            buffer = []
        grouped.cursor = page.cursor
        run.step("group page")
        run.stay()
    if grouped.cursor is None:
        raise Transient("the directory ended the list of groups without saying that it was complete", feature="groups")
    _flush(run, grouped, buffer)


def _completed(before: SeenGroup | None, group: SeenGroup) -> SeenGroup:
    """A later page need not repeat what an earlier one told."""
    if before is None or group.gone:
        return group
    return group._replace(name=group.name or before.name, address=group.address or before.address)


def _flush(run: Run, grouped: Grouped, edges: Sequence[Edge]) -> None:
    if not edges:
        return
    with run.app.store.begin() as tx:
        tx.dialect.relax(tx.connection)
        run.guard(tx)
        grouped.edges = tx.staging.add_edges(run.batch, edges, grouped.edges)


def _forget(run: Run, grouped: Grouped) -> None:
    with run.app.store.begin() as tx:
        tx.staging.drop_edges(run.batch)
    grouped.edges, grouped.cursor = 0, None
    grouped.whole.clear()
    grouped.found.clear()


def _read_again(run: Run, directory: Directory, grouped: Grouped) -> None:
    """A group that reads empty, or lost half its members, is read a second time; only what both reads say counts.
    Notes who has left a group."""
    if not grouped.whole and not grouped.edges:
        return
    key = run.directory.key
    with run.app.store.read() as tx:
        sizes = tx.groups.sizes(key, run.batch, grouped.whole)
        gone = {size.id: tx.groups.lost(key, run.batch, size.id, whole=size.id in grouped.whole) for size in sizes}
        grouped.left = tx.mirror.holders(key, sorted(frozenset().union(*gone.values())))
    shrunk = [
        (size, gone[size.id])
        for size in sizes
        if group_shrank(size.before, size.after) and not _is_gone(grouped, size.id)
    ]
    for size, lost in shrunk:
        again = _members(run, directory, size.id)
        if again is None or not lost.isdisjoint(again):
            then = "was gone" if again is None else f"had some of those who were missing, and {len(again)} in all"
            raise Transient(
                f"group {size.name or size.id} had {size.before} members, then read {size.after}, then {then}:"
                " not believed",
                feature="groups",
            )


def _is_gone(grouped: Grouped, id: str) -> bool:
    return id in grouped.found and grouped.found[id].gone


def _members(run: Run, directory: Directory, id: str) -> set[str] | None:
    """All direct members of a group; None where it is gone."""
    members: set[str] = set()
    for page in directory.read_group(id):
        if any(group.gone for group in page.groups):
            return None
        members |= {edge.member for edge in page.edges if not edge.gone}
        run.stay()
    return members


@dataclass(frozen=True)
class Resolved:
    """What the policy's group names come to in this directory as things stand."""

    suspended: Mapping[str, tuple[GroupRef, ...]] = field(default_factory=dict)
    """The rules that cannot be evaluated, with the groups that are missing (G3)."""
    hash: str = ""
    """Another one means that everybody has to be planned anew."""
    problem: str | None = None
    """What to tell of the suspended rules."""
    warning: str | None = None
    """What to tell of groups that are ignored."""
    remedy: str | None = None


def resolved(tx: "Transaction", run: Run, grouped: Grouped | None) -> Resolved:
    """What the names come to, by what was read and by what the store knows of the company's other directories."""
    if grouped is None:
        return Resolved()
    gone = tx.groups.gone(run.directory.key)
    return _come_to(run, grouped, suspended(tx, run, grouped.bindings, gone, refused=grouped.problem is not None))


def resolved_at_once(run: Run, grouped: Grouped | None) -> Resolved | None:
    """The same where nothing of the groups was read and none is missing, so that nothing else matters; None where the
    store has to be asked."""
    if grouped is None:
        return Resolved()
    lost = any(
        binding.problem is not None or binding.group_id is None or binding.group_id in run.briefing.gone
        for binding in grouped.bindings.values()
    )
    return None if lost or not grouped.empty or grouped.problem is not None else _come_to(run, grouped, {})


def _come_to(run: Run, grouped: Grouped, stopped: Mapping[str, tuple[GroupRef, ...]]) -> Resolved:
    warning = _ignored(run, grouped)
    stand_for = sorted((ref, name.group_id or "", name.problem or "") for ref, name in grouped.bindings.items())
    refused = grouped.remedy if stopped else None  # what is told of a refusal may be new each time, its remedy is not
    told = repr((stand_for, sorted(stopped.items()), warning, refused))
    problem = _suspension(stopped, grouped) if stopped else None
    remedy = grouped.remedy if stopped and grouped.remedy else REBIND if problem or warning else None
    return Resolved(stopped, sha256(told.encode()).hexdigest()[:32], problem, warning, remedy)


def _ignored(run: Run, grouped: Grouped) -> str | None:
    if all(binding.namesake is None for binding in grouped.bindings.values()):
        return None
    named = [grouped.bindings[ref] for ref in group_refs(run.in_force.policy, run.entry) if ref in grouped.bindings]
    told = [
        f"another group is called {name.ref!r} by now, {name.namesake}: it is ignored, the name stands for"
        f" {name.group_id}"
        for name in named
        if name.namesake is not None
    ]
    return "; ".join(told) or None


def _suspension(stopped: Mapping[str, tuple[GroupRef, ...]], grouped: Grouped) -> str:
    if grouped.problem is not None:
        return f"groups cannot be read: {grouped.problem}"
    told = []
    for rule, refs in sorted(stopped.items()):
        for ref in refs:
            told.append(f"rule {rule!r} is suspended: the group {ref!r} {why_lost(grouped.bindings[ref])}")
    return "; ".join(told)


def why_lost(binding: Binding) -> str:
    """What is wrong with a name that stands for no group."""
    return {"missing": "matches no group", "ambiguous": "matches several groups"}.get(binding.problem or "", "is gone")


def suspended(
    tx: "Transaction", run: Run, bindings: dict[str, Binding], gone: Sequence[str], refused: bool
) -> dict[str, tuple[GroupRef, ...]]:
    """The rules that cannot be evaluated in this directory, with the groups that are missing (G3).

    A name that no group answers to here is no error for a rule if another of its directories has it; it then simply
    matches nobody here.
    """
    lost = {
        GroupRef(ref)
        for ref, binding in bindings.items()
        if refused or binding.problem is not None or binding.group_id is None or binding.group_id in gone
    }
    missing = [] if refused else [ref for ref in sorted(lost) if bindings[ref].problem == "missing"]
    elsewhere = tx.groups.bound_in_company(run.directory.company, run.directory.key, missing) if missing else {}
    return suspended_rules(run.in_force.policy, lost, elsewhere, run.entry)
