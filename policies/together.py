"""What is wrong with policy files only in each other's company: ids given twice in one installation."""

from collections.abc import Iterable, Iterator

from policies.document import Policy
from policies.errors import Problem
from policies.model import Mark


def clashes(policies: Iterable[Policy]) -> tuple[Problem, ...]:
    """A problem for each company and each directory whose id another file has already, in the order given."""
    return tuple(_clashes(policies))


def _clashes(policies: Iterable[Policy]) -> Iterator[Problem]:
    companies: dict[str, Mark] = {}
    directories: dict[str, Mark] = {}
    for policy in policies:
        yield from _clash(companies, "company", policy.company, policy.mark)
        for entry in policy.directories:
            yield from _clash(directories, "directory", entry.id, entry.mark)


def _clash(known: dict[str, Mark], what: str, name: str, mark: Mark) -> Iterator[Problem]:
    first = known.setdefault(name, mark)
    if first != mark:
        expected = f"an id that no other {what} has"
        yield Problem(mark, f"{what} {name!r} stands in {first} already, expected {expected}", repr(name), expected)
