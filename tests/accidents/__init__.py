"""The accidents that happened to systems of this kind, each played over the wire, and what must not come of it.

Every test names its accident by the number that docs/reliability.md lists it under.
"""
