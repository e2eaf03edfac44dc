"""JSON that many objects have in common, cut where their own texts belong: a third of the work of encoding each."""

import re
from collections.abc import Sequence

_PLACEHOLDER = re.compile("<([0-9]+)>")


def placeholders(count: int) -> list[str]:
    """What stands for the texts in the JSON that a template is cut from."""
    return [f"<{place}>" for place in range(count)]


class Template:
    """The JSON of objects that differ in their own texts only."""

    __slots__ = ("_order", "_pieces")

    def __init__(self, encoded: bytes) -> None:
        cut = _PLACEHOLDER.split(encoded.decode())
        self._pieces = cut[0::2]
        self._order = [int(place) for place in cut[1::2]]

    def filled(self, own: Sequence[str]) -> str:
        """The JSON of one of them; its texts go in as they are."""
        parts = [""] * (2 * len(self._order) + 1)
        parts[0::2] = self._pieces
        parts[1::2] = [own[place] for place in self._order]
        return "".join(parts)
