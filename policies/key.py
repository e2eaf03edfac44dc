"""What a field of the policy file says about itself beyond its type: `Annotated[int, Key("Seats.", at_least=1)]`.

The fields of frozen dataclasses are the schema: the reader, the JSON Schema for editors and the documentation read
them. A field's type says what may be written, its default that it may be left out, its Key the rest.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Key:
    """One key of a mapping in a policy file, or one kind of value."""

    help: str = ""
    """One sentence for editors and documentation."""
    name: str | None = None
    """How the file spells it, where Python cannot (`except`); else the field's own name."""
    pattern: str | None = None
    """A regular expression that the whole text must match; the same in Python and in JSON Schema."""
    expected: str | None = None
    """What an error says was expected, as in `a domain name, as in contoso.example`."""
    at_least: int | None = None
    at_most: int | None = None
    filled: bool = False
    """A list or mapping must have at least one entry."""
    instead: str | None = None
    """What an error says where a bare value stands in place of one of the documented forms."""
    secret: bool = False
    """A bare value in its place is taken for a secret, and shown to nobody."""
    written: bool = True
    """False for a field that the reader fills by itself: a place, a position."""


NOT_WRITTEN: Final = Key(written=False)
"""Marks a field that is no key of the file."""
