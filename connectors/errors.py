"""What can go wrong on the wire, in the three ways that matter to whoever goes on from here.

ConnectorError
├── Transient        try again, after `retry_after` where the vendor names a time
│   └── CursorExpired    the cursor is dead: walk everybody again
├── NeedsPerson      nothing will change until a person does what `remedy` says
└── Permanent        our own request is wrong: a bug, never retried
"""


class ConnectorError(Exception):
    """A directory or seller could not be asked."""

    unsent = False
    """Nothing left this machine, so that the other side cannot have heard of the request."""

    def __init__(self, problem: str, *, feature: str = "users") -> None:
        super().__init__(problem)
        self.problem = problem
        self.feature = feature
        """What of the directory is affected: users, groups, mailboxes, deleted."""


class Transient(ConnectorError):
    """The vendor is busy or out of reach; the same request may succeed later."""

    def __init__(
        self, problem: str, *, retry_after: float | None = None, scope: str = "directory", feature: str = "users"
    ) -> None:
        super().__init__(problem, feature=feature)
        self.retry_after = retry_after
        """Seconds that the vendor asked us to wait, None where it named no time."""
        self.scope = scope
        """`directory`, or `application` where the vendor pauses us for every tenant."""


class CursorExpired(Transient):
    """The directory no longer knows the cursor; only a full walk goes on from here."""


class NeedsPerson(ConnectorError):
    """A credential, a consent or a permission is missing; a person has to act."""

    def __init__(self, problem: str, *, remedy: str, feature: str = "users") -> None:
        super().__init__(problem, feature=feature)
        self.remedy = remedy


class Permanent(ConnectorError):
    """The vendor calls our request wrong, or answers what its documentation excludes."""
