"""Trying what the policies of an installation point to: their files, secrets, sellers and directories.

Policies are those of the folder; where a file is broken, the version that is in force for it. Directories are tried
several at once, so that one that does not answer delays few.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import msgspec

from connectors import examining
from connectors.context import Context
from connectors.examining import Finding, Needed
from connectors.registry import directories, kinds
from policies.credentials import EnvRef, FileRef
from policies.document import DirectoryEntry, Policy, group_refs, unit_refs
from policies.provider import Provider
from store.directories import DirectoryRow
from store.engine import Store
from store.orders import MANUAL
from worker.operations.policies import parsed
from worker.operations.policy_folder import Folder, read_folder

AT_ONCE = 8


class Checked(msgspec.Struct, frozen=True):
    """One thing that was tried: of the installation, or `of` a directory, a file or a company."""

    what: str
    of: str | None
    ok: bool
    detail: str | None = None
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class _Tried:
    """A directory that is to be tried."""

    entry: DirectoryEntry
    needed: Needed
    context: Context
    bound_to: str | None
    """The tenant that it was bound to at the first good read (Z11)."""


Policies = Sequence[tuple[Policy, Provider]]


def checked(of: str | None, finding: Finding) -> Checked:
    """A finding as it is told."""
    return Checked(finding.what, of, finding.ok, finding.detail or None, finding.problem, finding.remedy)


def examine_policies(folder: Path, store: Store | None, context: Context) -> Iterator[Checked]:
    """Try everything that policies point to. Without a store nothing is known of versions and tenants."""
    read = read_folder(folder, kinds())
    yield from _files(folder, read)
    rows, kept = ({}, []) if store is None else _stored(store, read)
    policies = [*((file.policy, read.provider) for file in read.files if file.policy is not None), *kept]
    refs = sorted({*_refs(read.provider), *(ref for policy, _ in policies for ref in _refs(policy))}, key=repr)
    for finding in examining.examine_secrets(refs, context):
        yield checked(finding.what, finding._replace(what="secret"))
    for policy, provider in policies:
        if policy.purchasing.seller.kind != MANUAL:
            own = _provided(context, provider)
            yield checked(policy.company, examining.examine_seller(policy.purchasing.seller, own))
    yield from _directories(policies, rows, context)


def _files(folder: Path, read: Folder) -> Iterator[Checked]:
    if not folder.is_dir():
        remedy = "make one with `seatkeeper init`, or set SEATKEEPER_POLICY_DIR"
        yield Checked("policies", str(folder), False, None, "there is no such folder", remedy)
        return
    good = sum(file.policy is not None for file in read.files)
    yield Checked("policies", str(folder), True, f"{good} of {len(read.files)} files are good")
    for problem in read.problems:
        remedy = "correct it there; until then the last good version stays in force"
        yield Checked("policy", problem.mark.file, False, None, str(problem), remedy)


def _stored(store: Store, read: Folder) -> tuple[Mapping[str, DirectoryRow], Policies]:
    broken = {file.path for file in read.files if file.policy is None}
    with store.read() as tx:
        rows = {row.id: row for row in tx.directories.all()}
        kept = [parsed(version, kinds()) for version in tx.versions.all_in_force() if version.file in broken]
    return rows, [(version.policy, version.provider) for version in kept]


def _refs(value: object) -> Iterator[EnvRef | FileRef]:
    """Every secret that a value points to. What the platform keeps a fresh token in is left to signing in: it may be
    readable for others."""
    if isinstance(value, EnvRef | FileRef):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _refs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _refs(part)
    elif is_dataclass(value):
        for field in fields(value):
            if field.name != "federated":
                yield from _refs(getattr(value, field.name))


def _directories(policies: Policies, rows: Mapping[str, DirectoryRow], context: Context) -> Iterator[Checked]:
    wanted = [
        _Tried(
            entry, _needed(policy, entry), _provided(context, provider),
            rows[entry.id].bound_to if entry.id in rows else None,
        )
        for policy, provider in policies
        for entry in policy.directories
        if entry.id not in rows or not rows[entry.id].retired
    ]  # fmt: skip
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="doctor") as pool:
        for found in pool.map(_examined, sorted(wanted, key=lambda one: one.entry.id)):
            yield from found


def _needed(policy: Policy, entry: DirectoryEntry) -> Needed:
    can = directories()[entry.kind].capabilities
    asks = entry.unknown_mailboxes is None
    return Needed(
        groups=can.groups and bool(group_refs(policy, entry)),
        mailboxes=can.mailbox_queue and asks,
        org_units=can.unit_ids and bool(unit_refs(policy, entry)),
    )


def _examined(one: _Tried) -> list[Checked]:
    found = examining.examine_directory(one.entry, one.context, one.needed)
    return [checked(one.entry.id, _bound(finding, one.bound_to)) for finding in found]


def _bound(finding: Finding, bound_to: str | None) -> Finding:
    """Another tenant than the one that was first read behind this id is an error (Z11)."""
    if finding.what != examining.TENANT or not finding.ok or bound_to in (None, finding.detail):
        return finding
    problem = f"it is bound to {bound_to}, and {finding.detail} answers"
    return finding._replace(ok=False, problem=problem, remedy="use another directory id for another tenant")


def _provided(context: Context, provider: Provider) -> Context:
    return context.provided(provider.credentials, frozenset(provider.allowed_hosts))
