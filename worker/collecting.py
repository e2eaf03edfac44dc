"""How often Python looks for garbage in cycles, in processes that read directories."""

import gc

SELDOM = 50_000
"""Objects made and not yet gone again, after which the new ones are looked at; Python's own measure is 700."""


def collect_seldom() -> None:
    """Look for cycles seldom: a pass makes values by thousands, and none is in a cycle. To look for some after every
    700 takes an eighth of the CPU of a first pass, and memory is the same without (docs/performance.md)."""
    gc.set_threshold(SELDOM, 10, 10)
