"""The columns of the exports that we know, by the names that the vendors give them.

    Microsoft 365 admin center, Users > Active users > Export users
    Entra admin center, Users > Download users (two generations of column names)
    Google Admin console, Directory > Users > Download users

Names are compared by their letters and digits alone, without what stands in brackets, so that `User principal name` is
`userPrincipalName` and `Email Address [Required]` is `Email Address`. A column that nobody knows is left alone.
"""

import re
from collections.abc import Mapping, Sequence

KNOWN: Mapping[str, str] = {
    # who it is
    "objectid": "id",
    "id": "id",
    "userprincipalname": "upn",
    "emailaddress": "upn",
    "primaryemail": "upn",
    "mail": "mail",
    # what it is called
    "displayname": "name",
    "firstname": "first",
    "givenname": "first",
    "lastname": "last",
    "surname": "last",
    # whether it may sign in, and whether it is still there
    "accountenabled": "enabled",
    "blockcredential": "blocked",
    "signinstatus": "status",
    "status": "status",
    "softdeletiontimestamp": "deleted",
    "usertype": "user_type",
    # what rules select by
    "orgunitpath": "org_unit",
    "department": "department",
    "title": "job_title",
    "jobtitle": "job_title",
    "employeetitle": "job_title",
    "companyname": "company",
    "office": "office",
    "officelocation": "office",
    "physicaldeliveryofficename": "office",
    "city": "city",
    "state": "state",
    "stateorprovince": "state",
    "country": "country",
    "countryregion": "country",
    "countryorregion": "country",
    "employeetype": "employee_type",
    "costcenter": "cost_center",
}
"""By plain name: what we call it. An export has at most one column of each."""

_BRACKETED = re.compile(r"\[[^\]]*\]")
_OTHER = re.compile(r"[^a-z0-9]")


def plain(name: str) -> str:
    """A column's name as it is compared."""
    return _OTHER.sub("", _BRACKETED.sub("", name).lower())


def places(header: Sequence[str]) -> dict[str, int]:
    """Where each known column stands; the first one where a name comes twice."""
    found: dict[str, int] = {}
    for place, name in enumerate(header):
        known = KNOWN.get(plain(name))
        if known is not None:
            found.setdefault(known, place)
    return found


def is_header(header: Sequence[str]) -> bool:
    """Whether a row names the columns of a user list: an address, and something else that we know."""
    found = places(header)
    return ("upn" in found or "mail" in found) and len(found) > 1
