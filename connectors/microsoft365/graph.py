"""Asks one tenant's Graph: signed, patiently, and with what a refusal means for a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from connectors.asking import Asker, Refused
from connectors.errors import NeedsPerson
from connectors.http import Request
from connectors.links import Root
from connectors.tokens import TokenSource
from connectors.verdicts import Meaning

Read = TypeVar("Read")

PERMISSIONS = {
    "users": "User.Read.All",
    "deleted": "User.Read.All",
    "groups": "GroupMember.Read.All",
    "mailboxes": "MailboxSettings.Read",
}
"""The application permission that each feature needs."""
MORE = {
    "mailboxes": "; if it is granted, Exchange keeps the mailboxes from the application by a policy of its own;"
    " `unknown_mailboxes: user` on the directory goes on without"
}


@dataclass(frozen=True, slots=True)
class Graph:
    """Graph as one tenant shows it to us."""

    root: Root
    """With the version: `https://graph.microsoft.com/v1.0`."""
    tokens: TokenSource
    asker: Asker

    def ask(self, request: Request, read: Callable[[bytes], Read], feature: str) -> Read:
        """What `read` makes of the answer.

        Raises NeedsPerson where the tenant denies the feature or our token, Refused for any other final answer, and
        Transient where it is worth another try later.
        """
        try:
            return self.asker.ask(request, self.tokens.sign, read, feature=feature)
        except Refused as refused:
            refused.feature = feature
            if refused.meaning is Meaning.DENIED:
                raise denied(feature, refused.problem) from None
            if refused.meaning is Meaning.SIGN_IN:
                raise NeedsPerson(
                    f"Graph does not accept the token ({refused.problem})",
                    remedy="check that the application still has the tenant's consent, and that `cloud` is right",
                    feature=feature,
                ) from None
            raise


def denied(feature: str, problem: str) -> NeedsPerson:
    """What to do where a feature is denied."""
    permission = PERMISSIONS[feature]
    return NeedsPerson(
        f"the tenant does not permit reading {feature} ({problem})",
        remedy=f"grant the application permission {permission} and let an administrator of the tenant consent to it"
        f" (it takes some minutes){MORE.get(feature, '')}",
        feature=feature,
    )
