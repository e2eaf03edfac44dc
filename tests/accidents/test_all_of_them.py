"""No accident is forgotten."""

import re
from pathlib import Path

ACCIDENTS = 29
HERE = Path(__file__).parent
RELIABILITY = HERE.parents[1] / "docs" / "reliability.md"


def test_every_accident_has_a_test() -> None:
    played = {
        int(number)
        for file in HERE.glob("test_*.py")
        for number in re.findall(r"^def test_accident_(\d\d)_", file.read_text(encoding="utf-8"), re.M)
    }
    assert played == set(range(1, ACCIDENTS + 1))


def test_the_document_lists_every_accident() -> None:
    listed = re.findall(r"^\| (\d+) \|", RELIABILITY.read_text(encoding="utf-8"), re.M)
    assert [int(number) for number in listed] == list(range(1, ACCIDENTS + 1))
