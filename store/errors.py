"""What the store refuses.

SeatkeeperError
└── StoreError
    ├── NotFound        no such account, lot, plan …
    ├── Ambiguous       an address that several accounts share
    ├── Conflict        what the decision rested on has changed since
    ├── LeaseLost       somebody else works on the directory now (Z5)
    ├── Unavailable     the database cannot be reached, or is none
    └── SchemaBehind    the database needs `seatkeeper db upgrade`
"""

from policies.errors import SeatkeeperError


class StoreError(SeatkeeperError):
    """The store refused."""

    code = "store"


class NotFound(StoreError):
    """There is no such thing."""

    code = "not_found"


class Ambiguous(StoreError):
    """The name stands for several things."""

    code = "ambiguous"


class Conflict(StoreError):
    """What the decision rested on has changed since; decide again."""

    code = "conflict"


class LeaseLost(StoreError):
    """Another worker holds the directory now; this one must not write (Z5)."""

    code = "lease_lost"


class Unavailable(StoreError):
    """The database cannot be used."""

    code = "database"


class SchemaBehind(StoreError):
    """The database was made by another version of Seatkeeper."""

    code = "schema_behind"
