"""Policies: read out of the folder in one place, stored as numbered versions, used from the store (Z4, Z11)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from policies.document import DirectoryEntry, Policy
from policies.errors import Problem
from policies.model import DirectoryId, Mark
from policies.provider import Provider
from policies.reader import read_policy, read_provider
from store.directories import Refused
from store.times import micros
from store.versions import PolicyVersion
from worker.operations.policy_folder import PROVIDER_FILE, Folder, read_folder
from worker.operations.subscribing import subscribe

if TYPE_CHECKING:
    from policies.document import Kinds
    from store.transaction import Transaction
    from worker.bootstrap import App

KNOWN = 20_000
"""Versions of policies that a process knows as values at most: some six kilobytes each, and one edit of what the
provider says makes one for every company."""


@dataclass(frozen=True, slots=True)
class InForce:
    """A company's policy as it is in force, the provider's defaults filled in."""

    version: int
    policy: Policy
    provider: Provider

    def entry(self, directory: str) -> DirectoryEntry | None:
        """The directory's entry, or None where the policy has none of that name."""
        return next((entry for entry in self.policy.directories if entry.id == directory), None)


def load(app: "App") -> tuple[Problem, ...]:
    """Read the folder into the store: good files become versions, broken ones are reported, missing ones freeze
    their company. Returns every problem; nothing that is in force changes because of one (Z4).

    A folder that is not there, as when its volume is not mounted, is a problem and not every file missing at once.
    """
    with app.store.read() as tx:
        kept, used = provider_text_in_force(tx), tx.versions.newest_in_force() is not None
    if used and not app.settings.policy_dir.is_dir():
        return _without_folder(app)
    folder = read_folder(app.settings.policy_dir, app.kinds, kept)
    now = micros(app.clock())
    with app.store.begin() as tx:
        good = [(file, file.policy) for file in folder.files if file.policy is not None]
        refused = tx.directories.register([policy for _, policy in good], now, broken=_broken_companies(tx, folder))
        known = {version.company: version for version in tx.versions.all_in_force()}
        for file, policy in good:
            last, provider_text = known.get(policy.company), folder.provider_text
            if last is not None and (last.text, last.provider_text, last.file) == (file.text, provider_text, file.path):
                continue
            tx.versions.store_good(policy.company, file.text, file.path, provider_text, now)
        tx.versions.report_broken({file.path: file.problems for file in folder.files if file.problems}, now)
        subscribe(tx, lambda version: parsed(version, app.kinds))
    return (*folder.problems, *_refusals(refused, [policy for _, policy in good]))


def _without_folder(app: "App") -> tuple[Problem, ...]:
    path = str(app.settings.policy_dir)
    problem = Problem(
        Mark(path, 1, 1),
        "there is no such folder; what its files said last holds",
        expected="the folder of the policy files, as SEATKEEPER_POLICY_DIR names it",
    )
    with app.store.begin() as tx:
        tx.versions.report_broken({path: (problem,)}, micros(app.clock()))
    return (problem,)


def provider_text_in_force(tx: "Transaction") -> str | None:
    """What `provider.yaml` said when the newest policy in force was read; None where it said nothing."""
    newest = tx.versions.newest_in_force()
    return None if newest is None else newest.provider_text


def _refusals(refused: Sequence[Refused], policies: Sequence[Policy]) -> Iterator[Problem]:
    """What the files ask for and the store does not do, at its place."""
    marks = {entry.id: entry.mark for policy in policies for entry in policy.directories}
    for refusal in refused:
        yield Problem(marks[DirectoryId(refusal.directory)], refusal.why, expected="another directory id")


def _broken_companies(tx: "Transaction", folder: Folder) -> frozenset[str]:
    """The companies whose file is there but broken, as it stands under the path that their version came from."""
    broken = {file.path for file in folder.files if file.policy is None}
    return frozenset(version.company for version in tx.versions.all_in_force() if version.file in broken)


def in_force(app: "App", tx: "Transaction", company: str) -> InForce | None:
    """The company's policy in force, or None where it never had a good one."""
    version = tx.versions.in_force(company)
    return None if version is None else parsed(version, app.kinds)


def of_version(app: "App", tx: "Transaction", key: int | None) -> InForce | None:
    """A version by its key: read from the store once a process, and again by and by where there are very many. None
    where there is none."""
    if key is None:
        return None
    known = app.policies.get(key)
    if known is None:
        if len(app.policies) >= KNOWN:  # most of them are of policies that were edited since
            app.policies.clear()
        known = app.policies[key] = parsed(tx.versions.version(key), app.kinds)
    return known


def parsed(version: PolicyVersion, kinds: "Kinds") -> InForce:
    """A stored version as values; parsing is done once a version and process."""
    return _parsed(version.key, version.text, version.file, version.provider_text, _Kinds(kinds))


class _Kinds:
    """Kinds as a cache key: there is one set of them in a process."""

    def __init__(self, kinds: "Kinds") -> None:
        self.kinds = kinds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kinds) and other.kinds is self.kinds

    def __hash__(self) -> int:
        return id(self.kinds)


@lru_cache(maxsize=KNOWN)
def _parsed(key: int, text: str, file: str, provider_text: str | None, kinds: _Kinds) -> InForce:
    provider = _provider(provider_text, kinds)
    return InForce(key, read_policy(text, file, kinds.kinds, provider), provider)


@lru_cache(maxsize=100)
def _provider(text: str | None, kinds: _Kinds) -> Provider:
    """What the provider says: one value for all companies whose versions were read under it."""
    return Provider() if text is None else read_provider(text, PROVIDER_FILE, kinds.kinds)
