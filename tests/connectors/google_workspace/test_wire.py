"""Users, errors and pages as Google documents them, and what they mean here."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.asking import Unreadable
from connectors.base import Seen
from connectors.google_workspace.faults import grant_codes
from connectors.google_workspace.wire import DIALECT, GroupPage, answers_to, codes, reader, seen_of, user_page
from connectors.verdicts import Meaning, judge
from tests.connectors.world import World
from tests.proves import proves

ADA = b"""{
  "id": "103918273645546372819",
  "primaryEmail": "Ada.King@customer.example",
  "name": {"givenName": "Ada", "familyName": "King", "fullName": "Ada King"},
  "suspended": false,
  "archived": false,
  "creationTime": "2019-03-04T09:11:12.000Z",
  "aliases": ["ada@customer.example"],
  "nonEditableAliases": ["ada.king@customer.example.test-google-a.com"],
  "customerId": "C03az79cb",
  "orgUnitPath": "/Sales/EMEA",
  "isMailboxSetup": true,
  "organizations": [{"title": "old", "department": "x"},
    {"primary": true, "name": "Customer Ltd", "title": "Engineer", "department": "R&D", "costCenter": "42",
     "description": "Permanent"}]
}"""


def one(user: bytes) -> Seen:
    """The only user of a page."""
    [seen] = seen_of(user_page(b'{"users":[' + user + b"]}").users)
    return seen


def test_a_user_as_documented() -> None:
    assert one(ADA) == Seen(
        id="103918273645546372819",
        address="ada.king@customer.example",
        name="Ada King",
        enabled=True,
        guest=False,
        mailbox="user",
        org_unit="/Sales/EMEA",
        department="R&D",
        job_title="Engineer",
        company="Customer Ltd",
        employee_type="Permanent",
        cost_center="42",
    )


@proves("Z2")
@pytest.mark.parametrize(
    "flags, enabled",
    [
        (b'"suspended": false, "archived": false', True),
        (b'"suspended": true, "archived": false', False),
        (b'"suspended": false, "archived": true', False),
        (b'"suspended": true', False),
        (b'"archived": true', False),
        (b'"suspended": false', None),
        (b'"archived": false', None),
        (b'"suspended": null', None),
        (b'"agreedToTerms": true', None),
    ],
)
def test_a_flag_that_is_missing_is_unknown(flags: bytes, enabled: bool | None) -> None:
    assert one(b'{"id": "1", "primaryEmail": "a@b.example", ' + flags + b"}").enabled is enabled


@proves("Z2", "S6")
def test_whoever_may_be_suspended_is_of_no_kind_yet() -> None:
    """The store takes whoever is new for enabled; one whose kind is not known gets nothing."""
    seen = one(b'{"id": "1", "primaryEmail": "a@b.example", "suspended": false}')
    assert (seen.address, seen.enabled, seen.mailbox) == ("a@b.example", None, None)


def test_of_a_user_without_an_address_nothing_is_said() -> None:
    assert one(b'{"id": "1", "name": {"fullName": "Ada"}, "suspended": true}') == Seen("1")


@pytest.mark.parametrize(
    "name, said",
    [
        (b'{"givenName": "\xe2\x80\x8b", "familyName": "Cher"}', "Cher"),
        (b'{"givenName": "Ada", "familyName": "King"}', "Ada King"),
        (b'{"fullName": "  Ada   King "}', "Ada King"),
        (b"{}", None),
        (b"null", None),
    ],
)
def test_names_of_one_part_are_whole(name: bytes, said: str | None) -> None:
    assert one(b'{"id": "1", "primaryEmail": "a@b.example", "name": ' + name + b"}").name == said


@proves("Z2")
def test_a_user_that_cannot_be_read_is_there_and_nothing_is_said_of_it() -> None:
    page = user_page(b'{"users":[{"id": "1", "suspended": "perhaps", "customerId": "C1"}, ' + ADA + b"]}")
    assert [user.id for user in page.users] == ["1", "103918273645546372819"]
    assert seen_of(page.users)[0] == Seen("1")
    assert page.users[0].customerId == "C1"


def test_a_last_page_may_have_no_users_at_all() -> None:
    page = user_page(b'{"kind": "admin#directory#users", "etag": "x"}')
    assert (page.users, page.nextPageToken) == ([], None)


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"users": [{"primaryEmail": "a@b.example"}]}', ADA[:40]])
def test_what_is_no_page_is_asked_again(body: bytes) -> None:
    with pytest.raises(Unreadable):
        user_page(body)


@pytest.mark.parametrize(
    "address, theirs",
    [
        ("ada.king@customer.example", True),
        ("ada@customer.example", True),
        ("ada.king@customer.example.test-google-a.com", True),
        ("king@customer.example", False),
        ("da@customer.example", False),
        ("aliases", False),
    ],
)
def test_every_address_counts_for_the_administrator_and_no_part_of_one(address: str, theirs: bool) -> None:
    assert answers_to(user_page(b'{"users":[' + ADA + b"]}").users[0], address) is theirs


ADDRESSES = st.text(st.characters(codec="utf-8"), max_size=6)
WANTED = ADDRESSES.map(lambda address: address.strip().lower()).filter(bool)


@example(["\u212a"], "k", False)
@given(st.lists(ADDRESSES, max_size=3), WANTED, st.booleans())
def test_an_address_is_found_however_it_is_written(aliases: list[str], wanted: str, escaped: bool) -> None:
    page = json.dumps({"users": [{"id": "1", "nonEditableAliases": aliases}]}, ensure_ascii=escaped).encode()
    theirs = wanted in {alias.strip().lower() for alias in aliases}
    assert answers_to(user_page(page).users[0], wanted) is theirs


def test_a_group_counts_its_members_in_text() -> None:
    body = b'{"groups":[{"id":"01ksv4uv1d2x3ab","email":"backup@b.example","name":"B","directMembersCount":"37"}]}'
    assert reader(GroupPage)(body).groups[0].directMembersCount == "37"


def error(status: int, reason: str, message: str = "", more: str = "", domain: str = "global") -> bytes:
    return (
        f'{{"error":{{"code":{status},"message":"{message}","errors":[{{"message":"{message}","domain":"{domain}",'
        f'"reason":"{reason}"}}]{more}}}}}'
    ).encode()


DETAILS = ',"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"%s"}]'


@pytest.mark.parametrize(
    "status, body, meaning",
    [
        (403, error(403, "userRateLimitExceeded"), Meaning.RETRY),
        (403, error(403, "rateLimitExceeded"), Meaning.RETRY),
        (403, error(403, "quotaExceeded", "Request rate higher than configured."), Meaning.RETRY),
        (403, b"Quota exceeded for quota group", Meaning.RETRY),
        (403, error(403, "concurrentLimitExceeded", domain="usageLimits"), Meaning.RETRY),
        (403, error(403, "accessNotConfigured", domain="usageLimits"), Meaning.DENIED),
        (403, error(403, "", "", DETAILS % "RATE_LIMIT_EXCEEDED"), Meaning.RETRY),
        (429, error(429, "rateLimitExceeded"), Meaning.RETRY),
        (429, b"<html>", Meaning.RETRY),
        (500, error(500, "internalError"), Meaning.RETRY),
        (502, b"<html>Bad Gateway</html>", Meaning.RETRY),
        (503, error(503, "backendError"), Meaning.RETRY),
        (401, error(401, "authError"), Meaning.SIGN_IN),
        (403, error(403, "forbidden"), Meaning.DENIED),
        (403, error(403, "insufficientPermissions"), Meaning.DENIED),
        (404, error(404, "notFound", "Resource Not Found: userKey"), Meaning.GONE),
        (412, error(412, "conditionNotMet", "User is deleted."), Meaning.BUG),
        (400, error(400, "invalid", "Invalid Input"), Meaning.BUG),
    ],
)
def test_what_an_error_means_is_in_its_reason(status: int, body: bytes, meaning: Meaning) -> None:
    assert judge(status, codes(body), {}, DIALECT, World().now).meaning is meaning


def test_a_tenant_that_is_not_found_is_no_user_that_is_not_found() -> None:
    assert codes(error(404, "notFound", "Domain not found.")) == ("notFound", "domainNotFound")
    assert codes(error(404, "notFound", "Resource Not Found: userKey")) == ("notFound",)


@pytest.mark.parametrize(
    "body, said",
    [
        (b'{"error": "unauthorized_client", "error_description": "Client is unauthorized"}', ("unauthorized_client",)),
        (b'{"error": "invalid_grant", "error_description": "Invalid email or User ID"}', "unknownAdmin"),
        (b'{"error": "invalid_grant", "error_description": "The account has been deleted"}', "deletedAdmin"),
        (
            b'{"error": "invalid_request", "error_description": "Impersonation \\"sub\\" field."}',
            "unknownAdmin",
        ),
        (b'{"error": "invalid_grant", "error_description": "Invalid JWT: a reasonable timeframe"}', "clock"),
        (b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}', "key"),
        (b"<html>", ()),
    ],
)
def test_the_cause_of_a_refused_token_is_in_its_description(body: bytes, said: str | tuple[str, ...]) -> None:
    found = grant_codes(body)
    assert found == said if isinstance(said, tuple) else found[-1] == said
