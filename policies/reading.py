"""One reading of one file: its lines, what it says where, and every problem found in it.

Problems are collected, never raised one by one, so that a person sees all of them at once. A secret that stands in
the file is masked wherever a problem would show it.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

from policies.errors import Problem
from policies.model import Mark

_LINE_ENDS: Final = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_LONGEST_LINE: Final = 300
_SECRET_WORDS: Final = ("secret", "password", "passwd", "token", "key", "credential")
_CLOSE: Final = 0.7


class Reading:
    """What is known while a file is read."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.lines: tuple[str, ...] = tuple(_LINE_ENDS.split(text))
        self.said: dict[str, Mark] = {}
        """The dotted keys that the file says, each at its place."""
        self.values: dict[str, object] = {}
        """What could be read below those keys, also where the file as a whole could not."""
        self._problems: list[Problem] = []
        self._secrets: dict[int, set[str]] = {}

    def mark(self, line: int, column: int) -> Mark:
        """The place that the YAML parser counts from 0."""
        return Mark(self.file, line + 1, column + 1)

    def mark_at(self, index: int) -> Mark:
        """The place of the character at this index of the text."""
        before = _LINE_ENDS.split(self.text[:index])
        return self.mark(len(before) - 1, len(before[-1]))

    def report(
        self,
        mark: Mark,
        message: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        nearest: str | None = None,
    ) -> None:
        """Note a problem; its source line is added here."""
        self._problems.append(Problem(mark, message, found, expected, nearest, self._line(mark)))

    def hide(self, mark: Mark, text: str) -> None:
        """Show this text, which stands at the place, in no problem."""
        if text:
            self._secrets.setdefault(mark.line, set()).add(text)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem, in the order of the file, with secrets masked."""
        problems = dict.fromkeys(self._masked(problem) for problem in self._problems)
        return tuple(sorted(problems, key=lambda problem: (problem.mark.line, problem.mark.column, problem.message)))

    def _line(self, mark: Mark) -> str:
        line = self.lines[mark.line - 1] if mark.line <= len(self.lines) else ""
        if mark.column > _LONGEST_LINE:
            return ""
        return "".join(sign if sign.isprintable() else " " for sign in line[:_LONGEST_LINE]).rstrip()

    def _masked(self, problem: Problem) -> Problem:
        for secret in sorted(self._secrets.get(problem.mark.line, ()), key=lambda text: (-len(text), text)):
            problem = replace(problem, line=_mask(problem.line, secret))
            if problem.found is not None and secret in problem.found:
                masked = _mask(problem.found, secret)
                problem = replace(problem, found=masked, message=problem.message.replace(problem.found, masked))
        return problem


def _mask(line: str, secret: str) -> str:
    """The line with the secret starred out; blanked from its start where it is not there letter by letter."""
    if secret in line:
        return line.replace(secret, "*" * len(secret))
    return ""


def sounds_secret(name: str) -> bool:
    """Whether what stands under a key of this name may be a secret."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    return _nearest(_plain(word[:80]), tuple(known))


@lru_cache(4096)
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    plain = {_plain(candidate): candidate for candidate in known}
    close = get_close_matches(word, plain, n=1, cutoff=_CLOSE)
    return plain[close[0]] if close else None


def did_you_mean(word: str | None) -> str:
    """The end of a message that offers the nearest word."""
    return f"; did you mean {word!r}?" if word is not None else ""


def listed(words: Iterable[str]) -> str:
    """Words as a message lists them: sorted as given, `a, b or c`."""
    known = list(words)
    if len(known) < 2:
        return "".join(known)
    return f"{', '.join(known[:-1])} or {known[-1]}"


def _plain(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).lower().replace("-", "_").replace(" ", "_")
