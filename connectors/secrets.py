"""Reads the secrets that policy files only point to: from the environment, or from files that others cannot read."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.errors import NeedsPerson
from policies.credentials import EnvRef, FileRef

_OURS = "SEATKEEPER_"
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Secrets:
    """Where secrets lie. They are read when they are needed and never kept, so that a rotated one is found."""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def text(self, ref: EnvRef | FileRef) -> str:
        """A secret as text, without the line break that editors add. Raises NeedsPerson where there is none."""
        value = self._variable(ref) if isinstance(ref, EnvRef) else self._decoded(ref)
        if not value.strip():
            raise NeedsPerson(f"{named(ref)} is empty", remedy="put the secret there")
        return value.rstrip("\r\n")

    def data(self, ref: FileRef, *, public: bool = False) -> bytes:
        """A secret file as it is. Raises NeedsPerson where it is missing, too large or, unless it is `public`, readable
        by everybody."""
        path = self.path(ref)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if mode & stat.S_IROTH and not public:
                    raise NeedsPerson(
                        f"{named(ref)} can be read by everybody on the machine", remedy=f"chmod o= {path}"
                    )
                content = file.read(_LARGEST + 1)
        except OSError as problem:
            raise _unreadable(ref, problem) from None
        if len(content) > _LARGEST:
            raise NeedsPerson(f"{named(ref)} is larger than any secret", remedy="check which file it should be")
        return content

    def path(self, ref: FileRef) -> Path:
        """Where a secret file lies: in the secrets directory, links followed. Raises NeedsPerson otherwise."""
        home = self.directory.resolve()
        path = (home / ref.path).resolve()
        if not path.is_relative_to(home):
            raise NeedsPerson(
                f"{named(ref)} lies outside the secrets directory {home}",
                remedy="move it there, or set SEATKEEPER_SECRETS_DIR",
            )
        return path

    def _variable(self, ref: EnvRef) -> str:
        if ref.name.upper().startswith(_OURS) or ref.name not in self.environment:
            raise NeedsPerson(f"{named(ref)} is not set", remedy="set it where Seatkeeper runs, and start it again")
        return self.environment[ref.name]

    def _decoded(self, ref: FileRef) -> str:
        try:
            return self.data(ref).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise NeedsPerson(f"{named(ref)} is not text", remedy="check which file it should be") from None


def named(ref: EnvRef | FileRef) -> str:
    """A secret as people are told of it: where it lies, never what it is."""
    return f"the environment variable {ref.name}" if isinstance(ref, EnvRef) else f"the secret file {ref.path}"


def _unreadable(ref: FileRef, problem: OSError) -> NeedsPerson:
    return NeedsPerson(
        f"{named(ref)} cannot be read: {problem.strerror or type(problem).__name__}",
        remedy="put it into the secrets directory, readable for the user that Seatkeeper runs as",
    )
