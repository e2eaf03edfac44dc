"""The documented payloads, and what they become (made-up data in Microsoft's shapes)."""

import msgspec
import pytest

from connectors.asking import Unreadable
from connectors.base import Edge, Seen
from connectors.microsoft365.groups import edges_of
from connectors.microsoft365.wire import GroupDeltaPage, Purpose, codes, reader, seen_of, user_page
from tests.proves import proves

FIRST_PAGE = b"""{
  "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users(id,userPrincipalName,displayName,mail)",
  "@odata.nextLink": "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=pqwSUjGYvb3j",
  "value": [
    {"id": "6e7b768e-07e2-4810-8459-485f84f8f204", "userPrincipalName": "adele@contoso.com",
     "displayName": "Adele Vance", "mail": "adele@contoso.com", "accountEnabled": true, "userType": "Member",
     "createdDateTime": "2021-03-04T10:11:12Z", "department": "Finance", "jobTitle": "Manager",
     "companyName": "Contoso", "officeLocation": "18/2111", "city": "Seattle", "state": "WA", "country": "US",
     "employeeType": "Employee", "employeeOrgData": {"division": "North", "costCenter": "CC-1500"},
     "proxyAddresses": ["SMTP:adele@contoso.com", "smtp:av@contoso.onmicrosoft.com"],
     "assignedLicenses": [{"disabledPlans": [], "skuId": "c7df2760-2c81-4ef7-b578-5b5392b571df"}]},
    {"id": "0f1a2b3c-0000-4000-8000-0000000000aa",
     "userPrincipalName": "pat_fabrikam.com#EXT#@contoso.onmicrosoft.com", "displayName": "Pat (guest)",
     "accountEnabled": true, "userType": "Guest", "createdDateTime": "2022-06-01T00:00:00Z", "proxyAddresses": []},
    {"id": "86462606-fde0-4fc4-9e0c-a20eb73e54c6", "@removed": {"reason": "deleted"}},
    {"id": "11111111-2222-4333-8444-555555555555", "@removed": {"reason": "changed"}}
  ]
}"""
CHANGES = b"""{
  "@odata.context": "x",
  "@odata.deltaLink": "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=oEcOySpF",
  "value": [
    {"id": "6e7b768e-07e2-4810-8459-485f84f8f204", "department": null},
    {"id": "25dc0000-959e-4ece-9973-e5d9b800e8cc", "@removed": {"reason": "changed"}},
    {"id": "11111111-2222-4333-8444-555555555555", "userPrincipalName": "lidia@contoso.com",
     "displayName": "Lidia Holloway", "accountEnabled": true, "userType": "Member"}
  ]
}"""
GROUPS = b"""{
  "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#groups",
  "@odata.nextLink": "https://graph.microsoft.com/v1.0/groups/delta?$skiptoken=x",
  "value": [
    {"id": "2e5807ce-58f3-4a94-9b37-00000e085957", "displayName": "Backup-Licensed",
     "members@delta": [
       {"@odata.type": "#microsoft.graph.user", "id": "632f6bb2-3ec8-4c1f-9073-0027a8c68593"},
       {"@odata.type": "#microsoft.graph.group", "id": "37de1ae3-408f-4702-8636-20824abda004"},
       {"@odata.type": "#microsoft.graph.device", "id": "d0000000-3ec8-4c1f-9073-0027a8c68593"},
       {"@odata.type": "#microsoft.graph.user", "id": "c08a463b-7b8a-40a4-aa31-f9bf690b9551",
        "@removed": {"reason": "deleted"}}]},
    {"id": "bed7f0d4-750e-4e7e-8fff-169002d06fc9", "@removed": {"reason": "changed"}}
  ]
}"""


def test_a_first_page_tells_whole_accounts() -> None:
    page = user_page(FIRST_PAGE)

    assert page.next_link == "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=pqwSUjGYvb3j"
    assert page.delta_link is None
    assert seen_of(page.value, full=True) == [
        Seen(
            "6e7b768e-07e2-4810-8459-485f84f8f204",
            address="adele@contoso.com",
            name="Adele Vance",
            enabled=True,
            guest=False,
            mailbox=None,
            org_unit=None,
            department="Finance",
            job_title="Manager",
            company="Contoso",
            office="18/2111",
            city="Seattle",
            state="WA",
            country="US",
            employee_type="Employee",
            cost_center="CC-1500",
        ),
        Seen(
            "0f1a2b3c-0000-4000-8000-0000000000aa",
            address="pat_fabrikam.com#ext#@contoso.onmicrosoft.com",
            name="Pat (guest)",
            enabled=True,
            guest=True,
            mailbox="none",
        ),
        Seen("86462606-fde0-4fc4-9e0c-a20eb73e54c6", gone="purged"),
        Seen("11111111-2222-4333-8444-555555555555", gone="deleted"),
    ]


@proves("D4")
def test_a_later_page_tells_patches_in_which_absent_is_not_said_and_null_is_not_set() -> None:
    cleared, deleted, restored = seen_of(user_page(CHANGES).value, full=False)

    assert cleared == Seen("6e7b768e-07e2-4810-8459-485f84f8f204", department="")
    assert deleted == Seen("25dc0000-959e-4ece-9973-e5d9b800e8cc", gone="deleted")
    assert restored.gone is None and restored.address == "lidia@contoso.com" and restored.department is None


@pytest.mark.parametrize(
    "user, mailbox",
    [
        ({"userPrincipalName": "a@x", "accountEnabled": True, "mail": "a@x"}, None),
        ({"userPrincipalName": "a@x", "accountEnabled": True, "mail": None}, "none"),
        ({"userPrincipalName": "a@x", "accountEnabled": True}, "none"),
        ({"displayName": "a patch in a first round"}, None),
        ({"userPrincipalName": "a@x"}, None),
    ],
)
@proves("S6")
def test_only_a_whole_entry_without_mail_has_no_mailbox(user: dict[str, object], mailbox: str | None) -> None:
    def mailbox_of(*, full: bool) -> str | None:
        page = user_page(msgspec.json.encode({"value": [{"id": "1", **user}]}))
        return seen_of(page.value, full=full)[0].mailbox

    assert (mailbox_of(full=True), mailbox_of(full=False)) == (mailbox, None)


@pytest.mark.parametrize(
    "said, seen",
    [
        ({"accountEnabled": None}, Seen("1", enabled=None)),
        ({"accountEnabled": False}, Seen("1", enabled=False)),
        ({"userType": None}, Seen("1", guest=False)),
        ({"userType": "Guest"}, Seen("1", guest=True)),
        ({"employeeOrgData": None}, Seen("1", cost_center="")),
        ({"employeeOrgData": {"division": "North"}}, Seen("1", cost_center="")),
        ({"employeeOrgData": {"costCenter": "CC-1"}}, Seen("1", cost_center="CC-1")),
        ({"@removed": {"reason": "something new"}}, Seen("1", gone="deleted")),
        ({"city": "", "country": "NO"}, Seen("1", city="", country="NO")),
        ({"unheardOf": {"a": [1]}}, Seen("1")),
    ],
)
def test_each_property_by_itself(said: dict[str, object], seen: Seen) -> None:
    page = user_page(msgspec.json.encode({"value": [{"id": "1", **said}]}))

    assert seen_of(page.value, full=False) == [seen]


@proves("Z2")
def test_a_user_that_cannot_be_read_is_there_and_nothing_is_said_of_it() -> None:
    page = user_page(b'{"value": [{"id": "1", "department": 5}, {"id": "2", "department": "Sales"}]}')

    assert seen_of(page.value, full=True) == [Seen("1"), Seen("2", department="Sales")]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"value": [{"id": "1"}', b"{}", b'{"value": [{}]}', b'{"value": null}']
)
def test_a_page_that_is_not_whole_is_none(body: bytes) -> None:
    with pytest.raises(Unreadable):
        user_page(body)


def test_groups_tell_direct_members_of_the_kinds_that_matter() -> None:
    group, removed = reader(GroupDeltaPage)(GROUPS).value

    assert edges_of(group.id, group.members) == [
        Edge(group.id, "632f6bb2-3ec8-4c1f-9073-0027a8c68593", "account"),
        Edge(group.id, "37de1ae3-408f-4702-8636-20824abda004", "group"),
        Edge(group.id, "c08a463b-7b8a-40a4-aa31-f9bf690b9551", "account", gone=True),
    ]
    assert removed.removed is not None


@pytest.mark.parametrize(
    "body, found",
    [
        (b'{"error": {"code": "syncStateNotFound", "message": "gone"}}', ("syncStateNotFound",)),
        (
            b'{"error": {"code": "TooManyRequests", "innerError": {"code": "429", "date": "x"}}}',
            ("TooManyRequests", "429"),
        ),
        (b'{"error": {"code": "a", "innererror": {"code": "b", "innerError": {"code": "c"}}}}', ("a", "b", "c")),
        (b'{"error": {"code": "", "message": "no code"}}', ()),
        (b'{"error": {"code": "<script>", "innerError": "text"}}', ()),
        (b'{"error": "invalid_token"}', ()),
        (b"<html>Bad gateway</html>", ()),
        (b'{"error": {"code": "cu', ()),
        (b"[]", ()),
        (b"", ()),
    ],
)
def test_codes_are_found_wherever_they_stand(body: bytes, found: tuple[str, ...]) -> None:
    assert codes(body) == found


@pytest.mark.parametrize(
    "body",
    [b'{"value": "shared"}', b'{"userPurpose": "shared"}', b'{"userPurpose": {"value": "shared"}}'],
)
def test_a_purpose_is_read_in_every_documented_shape(body: bytes) -> None:
    assert reader(Purpose)(body).word() == "shared"
