"""Texts that a policy file may come to hold, from noise to nearly right, for Hypothesis."""

from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

EXAMPLES: Final = Path(__file__).parents[2] / "policies" / "examples"
BROKEN: Final = Path(__file__).parent / "broken"

_FILES: Final = sorted([*EXAMPLES.glob("*.yaml"), *BROKEN.glob("*.yaml")])
_TEXTS: Final = tuple(path.read_text(encoding="utf-8", errors="surrogateescape") for path in _FILES)
_BITS: Final = (
    *"[]{}:,-?&*!|>'\"%@`#\t\n ~\\\r\x85\u2028\ufeff\x00é",
    *("null", "- ", "? ", ": ", "<<: ", "*a", "&a ", "!!str ", "---\n", "...\n"),
    *("%YAML 1.1\n", "%TAG ! x\n", "|2\n"),
    *(
        "\\U00110000",
        "\\ud800",
        "0123",
        "-1",
        "9" * 30,
        "company: a\n",
        "rules:\n",
        "  - name: x\n",
        "true",
        "7d",
        "5%",
    ),
)

noise = st.text(max_size=60)
"""Any text whatever, lone surrogates included."""

bits = st.lists(st.sampled_from(_BITS), max_size=25).map("".join)
"""The signs of YAML in any order."""


@st.composite
def nearly_right(draw: st.DrawFn) -> str:
    """A few lines of a real file with something put in, taken out or put in another's place."""
    lines = draw(st.sampled_from(_TEXTS)).splitlines(keepends=True)
    start = draw(st.integers(0, max(len(lines) - 1, 0)))
    text = "".join(lines[start : start + draw(st.integers(1, 14))])
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.sampled_from(_BITS)) + text[place + draw(st.integers(0, 3)) :]
    return text


texts = st.one_of(noise, bits, nearly_right())

_words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
_names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs", "Cn")), min_size=1, max_size=20)
_seats = st.integers(0, 1_000_000)
_durations = st.builds("{}{}".format, st.integers(1, 90), st.sampled_from("smhd"))
_leaves = st.one_of(
    st.sampled_from(["keep", "release", "archive"]),
    st.fixed_dictionaries({"then": st.sampled_from(["release", "archive"])}, optional={"after": _durations}),
)
_conditions: dict[str, st.SearchStrategy[Any]] = {
    "groups": st.lists(_names, min_size=1, max_size=3),
    "org_units": st.lists(_words.map("/{}".format), min_size=1, max_size=3),
    "domains": st.lists(_words.map("{}.example".format), min_size=1, max_size=3),
    "attributes": st.dictionaries(
        st.sampled_from(["department", "country", "cost_center"]), st.lists(_names, min_size=1, max_size=2), min_size=1
    ),
}
_rules = st.fixed_dictionaries(
    {"everyone": st.just(True), "license": st.just("standard")},
    optional=_conditions
    | {
        "limit": _seats,
        "on_leave": _leaves,
        "on_disable": _leaves,
        "except": st.fixed_dictionaries({"groups": _conditions["groups"]}),
    },
)

right = st.fixed_dictionaries(
    {"company": _words},
    optional={
        "name": _names,
        "licenses": st.fixed_dictionaries(
            {},
            optional={
                "pool": st.sampled_from(["global", "own"]),
                "limit": st.dictionaries(st.sampled_from(["standard", "archived"]), _seats),
                "retention": _durations,
                "trial": st.booleans(),
                "shared_mailboxes": st.one_of(_seats, st.sampled_from(["one_per_license", "unlimited"])),
            },
        ),
        "rules": st.lists(_rules, max_size=4).map(
            lambda rules: [{"name": f"rule {position}", **rule} for position, rule in enumerate(rules)]
        ),
        "deleted_users": st.sampled_from(["archive", "keep", "release"]),
        "warn_below": st.dictionaries(st.sampled_from(["standard", "archived"]), _seats),
    },
)
"""The content of a right policy file, as JSON has it; every JSON text is YAML too."""
