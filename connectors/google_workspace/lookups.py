"""Looking users up by id: the evidence of D4, without which nobody is taken for deleted.

users.get finds it                                              found
412, the user is deleted (for 20 days)                          deleted
404, and it is the user that is not found                       gone
anything else: denied, or an answer about somebody else         unknown
"""

from collections.abc import Iterator, Sequence

import msgspec

from connectors.asking import Refused
from connectors.google_workspace.google import Google
from connectors.google_workspace.wire import reader
from connectors.verdicts import Meaning
from policies.model import DELETED, FOUND, GONE, UNKNOWN, AccountId, Sighting


class _Named(msgspec.Struct):
    id: str


_named = reader(_Named)


def look_up(google: Google, ids: Sequence[AccountId]) -> Iterator[Sighting]:
    """What became of each account, as `Directory.look_up` promises; always by id, since addresses are given away."""
    return (Sighting(id, _look_up(google, id)) for id in ids)


def _look_up(google: Google, id: AccountId) -> str:
    request = google.request(("users", id), {"fields": "id"})
    try:
        found = google.ask(request, _named, "users", of_one=True)
    except Refused as refused:
        if refused.status == 412 and "conditionNotMet" in refused.codes:
            return DELETED
        return GONE if refused.meaning is Meaning.GONE and "notFound" in refused.codes else UNKNOWN
    return FOUND if found.id == id else UNKNOWN
