"""The `$filter` expressions that the directory understands, as predicates over records."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from connectors.simulators.microsoft365.refusals import Refusal, not_played
from connectors.simulators.microsoft365.schema import Record

Predicate = Callable[[Record], bool]
MOST_IDS = 50

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<word>[\w/.:-]+)|(?P<mark>[(),]))",
)
_LITERALS: dict[str, object] = {"true": True, "false": False, "null": None}
_ONE_ID = re.compile(r"\s*\(?\s*id\s+eq\s+'([^']*)'\s*\)?\s*", re.IGNORECASE)


class Filter(NamedTuple):
    """What a `$filter` lets through; `advanced` ones need `ConsistencyLevel: eventual` and `$count=true`."""

    matches: Predicate
    advanced: bool = False


EVERYTHING = Filter(lambda _record: True)


def compile_filter(text: str, known: frozenset[str]) -> Filter:
    """Read `$filter` over these properties. Raises Refusal for what is malformed, unknown or not played here."""
    if not text.strip():
        return EVERYTHING
    return _Parser(text, known).parse()


def only_ids(text: str) -> tuple[str, ...]:
    """The ids of the one filter that delta allows: `id eq '…' or id eq '…'`, at most 50. Empty for no filter."""
    if not text.strip():
        return ()
    matches = [_ONE_ID.fullmatch(part) for part in re.split(r"\s+or\s+", text, flags=re.IGNORECASE)]
    ids = tuple(dict.fromkeys(match[1].lower() for match in matches if match))
    if not all(matches):
        raise Refusal(
            400, "Request_UnsupportedQuery", "The specified filter is not supported; delta filters by id only."
        )
    if len(matches) > MOST_IDS:
        raise Refusal(
            400, "Request_BadRequest", f"Too many ids in the filter: {len(matches)}, the maximum is {MOST_IDS}."
        )
    return ids


class _Parser:
    """Reads `or` of `and` of comparisons, by descent."""

    def __init__(self, text: str, known: frozenset[str]) -> None:
        self._text = text
        self._known = {name.lower(): name for name in known}
        self._tokens = list(_tokens(text))
        self._next = 0
        self._advanced = False

    def parse(self) -> Filter:
        predicate = self._either()
        if self._next < len(self._tokens):
            raise self._wrong()
        return Filter(predicate, self._advanced)

    def _either(self) -> Predicate:
        choices = [self._both()]
        while self._take_word("or"):
            choices.append(self._both())
        return choices[0] if len(choices) == 1 else lambda record: any(choice(record) for choice in choices)

    def _both(self) -> Predicate:
        parts = [self._single()]
        while self._take_word("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def _single(self) -> Predicate:
        if self._take_word("not"):
            self._advanced = True
            inner = self._single()
            return lambda record: not inner(record)
        if self._take("("):
            predicate = self._either()
            self._expect(")")
            return predicate
        return self._comparison()

    def _comparison(self) -> Predicate:
        name = self._word()
        if name.lower() in ("startswith", "endswith"):
            return self._affix(name.lower())
        if "/" in name:
            raise not_played(f"the filter '{self._text}'")
        name = self._property(name)
        operator = self._word().lower()
        if operator == "in":
            return self._one_of(name)
        wanted = _folded(self._literal())
        if operator == "eq":
            return lambda record: _folded(record.get(name)) == wanted
        if operator == "ne":
            self._advanced = True
            return lambda record: _folded(record.get(name)) != wanted
        raise not_played(f"the operator '{operator}' in a filter")

    def _affix(self, function: str) -> Predicate:
        self._expect("(")
        name = self._property(self._word())
        self._expect(",")
        affix = str(_folded(self._literal()))
        self._expect(")")
        if function == "startswith":
            return lambda record: str(_folded(record.get(name)) or "").startswith(affix)
        self._advanced = True
        return lambda record: str(_folded(record.get(name)) or "").endswith(affix)

    def _one_of(self, name: str) -> Predicate:
        self._expect("(")
        wanted = [_folded(self._literal())]
        while self._take(","):
            wanted.append(_folded(self._literal()))
        self._expect(")")
        return lambda record: _folded(record.get(name)) in wanted

    def _property(self, name: str) -> str:
        found = self._known.get(name.lower())
        if found is None:
            raise Refusal(400, "BadRequest", f"Could not find a property named '{name}'.")
        return found

    def _take(self, token: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next] == token:
            self._next += 1
            return True
        return False

    def _take_word(self, word: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next].lower() == word:
            self._next += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._wrong()

    def _word(self) -> str:
        if self._next >= len(self._tokens):
            raise self._wrong()
        self._next += 1
        return self._tokens[self._next - 1]

    def _literal(self) -> object:
        text = self._word()
        return text[1:-1].replace("''", "'") if text.startswith("'") else _LITERALS.get(text.lower(), text)

    def _wrong(self) -> Refusal:
        return Refusal(400, "BadRequest", f"Invalid filter clause: '{self._text}'.")


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise Refusal(400, "BadRequest", f"Invalid filter clause: '{text}'.")
        place = match.end()
        yield match[0].strip()


def _folded(value: object) -> object:
    """The directory compares text without case."""
    return value.lower() if isinstance(value, str) else value
