"""Finding groups by what a policy calls them: immutable id, address or display name (G3).

Only names that are not bound yet are looked for. Google's search by name lags by up to a day and a half, so all groups
are listed, once for all names together, and compared here.
"""

import re
from collections.abc import Iterator, Sequence

from connectors.asking import Refused
from connectors.base import Found, SeenGroup
from connectors.google_workspace.google import Google
from connectors.google_workspace.groups import seen
from connectors.google_workspace.wire import GROUP_FIELDS, GROUPS_FIELDS, Group, GroupPage, reader
from connectors.verdicts import Meaning

NAME = "groups"
_ID = re.compile(r"0[0-9a-z]{9,31}")
_group = reader(Group)
_groups = reader(GroupPage)


def find_groups(google: Google, refs: Sequence[str]) -> Iterator[Found]:
    """Every reference with the groups that it means, as `Directory.find_groups` promises. An id means an id alone; an
    address may also be somebody's display name."""
    by_id = {ref: group for ref in refs if _ID.fullmatch(ref) and (group := _by_id(google, ref)) is not None}
    by_name = _by_name(google, [ref for ref in refs if ref not in by_id])
    for ref in refs:
        yield Found(ref, (by_id[ref],) if ref in by_id else tuple(by_name[ref]))


def _by_id(google: Google, id: str) -> SeenGroup | None:
    try:
        return seen(google.ask(google.request((NAME, id), {"fields": GROUP_FIELDS}), _group, NAME, of_one=True))
    except Refused as refused:
        if refused.meaning not in (Meaning.GONE, Meaning.DENIED):
            raise
        return None


def _by_name(google: Google, refs: Sequence[str]) -> dict[str, list[SeenGroup]]:
    found: dict[str, list[SeenGroup]] = {ref: [] for ref in refs}
    if not refs:
        return found
    asked = {ref.casefold(): ref for ref in reversed(refs)}
    query = {"customer": google.customer, "maxResults": "200", "fields": GROUPS_FIELDS}
    for page in google.pages((NAME,), query, _groups, NAME):
        for group in page.groups:
            for name in _names(group) & asked.keys():
                found[asked[name]].append(seen(group))
    for ref in refs:
        found[ref] = found[asked[ref.casefold()]]
    return found


def _names(group: Group) -> set[str]:
    told = (group.name or "", group.email or "", *group.aliases, *group.nonEditableAliases)
    return {name.casefold() for name in told if name}
