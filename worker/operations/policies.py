"""Policy files: read in one place, stored as numbered versions, used from the store (Z4, Z11)."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from policies.document import DirectoryEntry, Policy
from policies.errors import PolicyError, Problem
from policies.model import Mark
from policies.provider import Provider
from policies.reader import read_policy, read_provider
from store.times import micros
from store.versions import PolicyVersion

if TYPE_CHECKING:
    from policies.document import Kinds
    from store.transaction import Transaction
    from worker.bootstrap import App

PROVIDER_FILE = "provider.yaml"


@dataclass(frozen=True, slots=True)
class InForce:
    """A company's policy as it is in force, the provider's defaults filled in."""

    version: int
    policy: Policy
    provider: Provider

    def entry(self, directory: str) -> DirectoryEntry | None:
        """The directory's entry, or None where the policy has none of that name."""
        return next((entry for entry in self.policy.directories if entry.id == directory), None)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A file of the policy folder: its policy, or everything that is wrong with it."""

    path: str
    text: str
    policy: Policy | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """What the policy folder says."""

    provider: Provider
    provider_text: str | None
    files: tuple[PolicyFile, ...]
    provider_problems: tuple[Problem, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return (*self.provider_problems, *(problem for file in self.files for problem in file.problems))


def read_folder(folder: Path, kinds: "Kinds") -> Folder:
    """Read every policy of the folder; what is broken is reported with all its problems, the rest is read."""
    provider, provider_text, provider_problems = _read_provider(folder / PROVIDER_FILE, kinds)
    paths = sorted(path for path in folder.glob("*.y*ml") if path.name != PROVIDER_FILE) if folder.is_dir() else []
    files = tuple(_read_file(path, kinds, provider) for path in paths)
    return Folder(provider, provider_text, _unambiguous(files), provider_problems)


def _read_provider(path: Path, kinds: "Kinds") -> tuple[Provider, str | None, tuple[Problem, ...]]:
    if not path.is_file():
        return Provider(), None, ()
    text, problem = _text(path)
    if problem is not None:
        return Provider(), None, (problem,)
    try:
        return read_provider(text, str(path), kinds), text, ()
    except PolicyError as error:
        return Provider(), None, error.problems


def _read_file(path: Path, kinds: "Kinds", provider: Provider) -> PolicyFile:
    text, problem = _text(path)
    if problem is not None:
        return PolicyFile(str(path), text, None, (problem,))
    try:
        return PolicyFile(str(path), text, read_policy(text, str(path), kinds, provider))
    except PolicyError as error:
        return PolicyFile(str(path), text, None, error.problems)


def _text(path: Path) -> tuple[str, Problem | None]:
    try:
        return path.read_text(encoding="utf-8"), None
    except (OSError, UnicodeDecodeError) as error:
        what = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        return "", Problem(Mark(str(path), 1, 1), f"the file {what}", expected="a YAML file in UTF-8")


def _unambiguous(files: tuple[PolicyFile, ...]) -> tuple[PolicyFile, ...]:
    """One company a file and one file a company; a directory id is unique in the installation."""
    companies: dict[str, str] = {}
    directories: dict[str, str] = {}
    checked = []
    for file in files:
        problems = []
        if file.policy is not None:
            policy = file.policy
            if policy.company in companies:
                problems.append(
                    Problem(policy.mark, f"company {policy.company!r} is also in {companies[policy.company]}")
                )
            companies.setdefault(policy.company, file.path)
            for entry in policy.directories:
                if entry.id in directories:
                    problems.append(Problem(entry.mark, f"directory {entry.id!r} is also in {directories[entry.id]}"))
                directories.setdefault(entry.id, file.path)
        checked.append(file if not problems else PolicyFile(file.path, file.text, None, (*file.problems, *problems)))
    return tuple(checked)


def load(app: "App") -> tuple[Problem, ...]:
    """Read the folder into the store: good files become versions, broken ones are reported, missing ones freeze
    their company. Returns every problem; nothing that is in force changes because of one (Z4)."""
    folder = read_folder(app.settings.policy_dir, app.kinds)
    now = micros(app.clock())
    with app.store.begin() as tx:
        good = [(file, file.policy) for file in folder.files if file.policy is not None]
        tx.directories.register([policy for _, policy in good], now, broken=_broken_companies(tx, folder))
        for file, policy in good:
            provider_text = folder.provider_text
            if folder.provider_problems:
                kept = tx.versions.in_force(policy.company)
                provider_text = None if kept is None else kept.provider_text
            tx.versions.store_good(policy.company, file.text, file.path, provider_text, now)
        tx.versions.report_broken({file.path: file.problems for file in folder.files if file.problems}, now)
    return folder.problems


def _broken_companies(tx: "Transaction", folder: Folder) -> frozenset[str]:
    """The companies whose file is there but broken, as it stands under the path that their version came from."""
    broken = {file.path for file in folder.files if file.policy is None}
    return frozenset(version.company for version in tx.versions.all_in_force() if version.file in broken)


def in_force(app: "App", tx: "Transaction", company: str) -> InForce | None:
    """The company's policy in force, or None where it never had a good one."""
    version = tx.versions.in_force(company)
    return None if version is None else parsed(version, app.kinds)


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


@lru_cache(maxsize=20_000)
def _parsed(key: int, text: str, file: str, provider_text: str | None, kinds: _Kinds) -> InForce:
    provider = Provider() if provider_text is None else read_provider(provider_text, PROVIDER_FILE, kinds.kinds)
    return InForce(key, read_policy(text, file, kinds.kinds, provider), provider)
