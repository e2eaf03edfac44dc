"""How many examples a property is tried with that has a number of its own."""

import hypothesis

WHOLE = 50
"""Examples of a property without a number of its own, in the suite that every change has to pass."""


def share(examples: int) -> int:
    """So many in the suite that every change has to pass, and the profile's share of them in the quick one."""
    return max(1, examples * min(WHOLE, hypothesis.settings().max_examples) // WHOLE)
