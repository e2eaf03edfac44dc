"""Checking policy files as they lie in the folder, without a store: every problem at its place (Z4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.registry import kinds
from policies.errors import Problem
from policies.schema import policy_schema, provider_schema
from worker.errors import Usage
from worker.operations.policy_folder import PROVIDER_FILE, read_folder


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check looked at, and all that is wrong with it."""

    files: int
    problems: tuple[Problem, ...]


def check(folder: Path, only: Sequence[Path] = ()) -> Checked:
    """Read the folder's files; with `only`, report on these alone. Raises Usage where there is nothing to check."""
    if not folder.is_dir():
        raise Usage(f"there is no policy folder {folder}; `seatkeeper init` makes one, SEATKEEPER_POLICY_DIR names it")
    read = read_folder(folder, kinds())
    wanted = {path.resolve(): path for path in only}
    known = {Path(file.path).resolve() for file in read.files} | {(folder / PROVIDER_FILE).resolve()}
    if missing := [path for resolved, path in wanted.items() if resolved not in known]:
        raise Usage(f"{missing[0]} is not a policy file of {folder}")
    problems = [p for p in read.problems if not wanted or Path(p.mark.file).resolve() in wanted]
    files = len(read.files) + (folder / PROVIDER_FILE).is_file()
    if not files:
        raise Usage(f"there is no policy file in {folder}; `seatkeeper init` writes one to start from")
    return Checked(len(wanted) or files, tuple(problems))


def schema(*, of_provider: bool = False) -> dict[str, Any]:
    """The JSON Schema of a company's policy file, or of `provider.yaml`, for the kinds that are installed."""
    return provider_schema(kinds()) if of_provider else policy_schema(kinds())
