"""The root of the product's errors, and what is wrong with a policy file.

SeatkeeperError
├── PolicyError     every problem of one policy file, each at its place
├── store.errors    NotFound, Conflict, LeaseLost, SchemaBehind …
└── worker.errors   what an operation refuses
"""

from dataclasses import dataclass

from policies.model import Mark


class SeatkeeperError(Exception):
    """Something that Seatkeeper foresaw went wrong."""

    code = "error"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a policy file: where, what, and what would be right."""

    mark: Mark
    message: str
    found: str | None = None
    expected: str | None = None
    nearest: str | None = None
    line: str = ""
    """The source line, for the caret."""

    def __str__(self) -> str:
        return f"{self.mark}: {self.message}"

    def with_caret(self) -> str:
        """The problem with its source line and a caret below the place."""
        if not self.line:
            return str(self)
        return f"{self}\n    {self.line}\n    {' ' * (self.mark.column - 1)}^"


class PolicyError(SeatkeeperError):
    """A policy file is not valid; the last good version stays in force (Z4)."""

    code = "policy_invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
