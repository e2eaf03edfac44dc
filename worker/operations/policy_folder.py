"""The policy folder as it lies there, read without a store: each file's policy, or all that is wrong with it (Z4)."""

import os
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from policies.document import Policy
from policies.errors import PolicyError, Problem
from policies.model import Mark
from policies.provider import Provider
from policies.reader import decoded, read_policy, read_provider
from policies.together import clashes

if TYPE_CHECKING:
    from policies.document import Kinds

PROVIDER_FILE = "provider.yaml"


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


def read_folder(folder: Path, kinds: "Kinds", in_force: str | None = None) -> Folder:
    """Read every policy of the folder; what is broken is reported with all its problems, the rest is read.

    `in_force` is the text of `provider.yaml` that is in force: it holds for the others where the file is broken now,
    or gone (Z4, Z11, R3).
    """
    path = folder / PROVIDER_FILE
    provider, provider_text, provider_problems = provider_file(path, kinds)
    if provider_text is None and in_force is not None:
        provider, provider_text = read_provider(in_force, PROVIDER_FILE, kinds), in_force
        provider_problems = provider_problems or (_gone(path),)
    paths = sorted(path for path in folder.glob("*.y*ml") if path.name != PROVIDER_FILE) if folder.is_dir() else []
    files = tuple(_read_file(path, kinds, provider, provider_text) for path in paths)
    return Folder(provider, provider_text, _unambiguous(files), provider_problems)


def _gone(path: Path) -> Problem:
    return Problem(Mark(str(path), 1, 1), "the file is gone; what it said last holds", expected="'{}' to say nothing")


def provider_file(path: Path, kinds: "Kinds") -> tuple[Provider, str | None, tuple[Problem, ...]]:
    """What `provider.yaml` says, its text, and everything that is wrong with it; where it is wrong, what holds without
    it."""
    if not path.is_file():
        return Provider(), None, ()
    try:
        text = _text(path)
        return read_provider(text, str(path), kinds), text, ()
    except PolicyError as error:
        return Provider(), None, error.problems


def looks(folder: Path) -> frozenset[tuple[str, int, int]]:
    """What the files of the folder look like from outside: another answer means that they have to be read again."""
    if not folder.is_dir():
        return frozenset()
    with os.scandir(folder) as entries:
        found = [(entry, entry.stat()) for entry in entries if fnmatch(entry.name, "*.y*ml") and entry.is_file()]
    return frozenset((entry.name, stat.st_mtime_ns, stat.st_size) for entry, stat in found)


def _read_file(path: Path, kinds: "Kinds", provider: Provider, provider_text: str | None) -> PolicyFile:
    """A file is parsed again when it says something else: a folder of thousands is read again and again."""
    try:
        text = _text(path)
    except PolicyError as error:
        return PolicyFile(str(path), "", None, error.problems)
    said = (text, provider_text, id(kinds))
    known = _READ.get(str(path))
    if known is None or known[0] != said:
        known = _READ[str(path)] = (said, _parsed(str(path), text, kinds, provider))
    return known[1]


_READ: dict[str, tuple[tuple[str, str | None, int], PolicyFile]] = {}
"""What each file was last read as, and what it said then."""


def _parsed(path: str, text: str, kinds: "Kinds", provider: Provider) -> PolicyFile:
    try:
        return PolicyFile(path, text, read_policy(text, path, kinds, provider))
    except PolicyError as error:
        return PolicyFile(path, text, None, error.problems)


def _text(path: Path) -> str:
    try:
        return decoded(path.read_bytes(), str(path))
    except OSError as error:
        problem = Problem(Mark(str(path), 1, 1), f"the file cannot be read: {error.strerror}", expected="a YAML file")
        raise PolicyError((problem,)) from None


def _unambiguous(files: tuple[PolicyFile, ...]) -> tuple[PolicyFile, ...]:
    """A file whose company or directory another file has already is broken."""
    clashing: dict[str, list[Problem]] = {}
    for problem in clashes(file.policy for file in files if file.policy is not None):
        clashing.setdefault(problem.mark.file, []).append(problem)
    return tuple(
        PolicyFile(file.path, file.text, None, (*file.problems, *clashing[file.path]))
        if file.path in clashing
        else file
        for file in files
    )
