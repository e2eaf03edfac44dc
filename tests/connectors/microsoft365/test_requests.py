"""What Graph is asked, letter by letter: the SDK writes it, and the documentation is what it has to match."""

import subprocess
import sys
from urllib.parse import unquote

import pytest

from connectors.http import Request
from connectors.microsoft365 import requests

ROOT = "https://graph.microsoft.com/v1.0"
SELECTED = (
    "id,userPrincipalName,displayName,mail,accountEnabled,userType,department,jobTitle,companyName,officeLocation,"
    "city,state,country,employeeType,employeeOrgData,proxyAddresses,assignedLicenses"
)


@pytest.mark.parametrize(
    "request_, method, path",
    [
        (requests.users_delta(ROOT), "GET", f"/users/delta()?$select={SELECTED}"),
        (
            requests.groups_delta(ROOT, ["a", "b"]),
            "GET",
            "/groups/delta()?$filter=id eq 'a' or id eq 'b'&$select=id,displayName,mail,members",
        ),
        (requests.members(ROOT, "g"), "GET", "/groups/g/members?$select=id&$top=999"),
        (
            requests.groups_where(ROOT, "displayName eq 'O''Hara & Søn + Co'"),
            "GET",
            "/groups?$filter=displayName eq 'O''Hara & Søn + Co'&$select=id,displayName,mail",
        ),
        (requests.group(ROOT, "g"), "GET", "/groups/g?$select=id,displayName,mail"),
        (requests.deleted_item(ROOT, "u"), "GET", "/directory/deletedItems/u?$select=id"),
        (requests.users_by_id(ROOT, ["a"]), "POST", "/directoryObjects/getByIds?$select=id"),
        (requests.user_count(ROOT), "GET", "/users/$count"),
        (requests.organization(ROOT), "GET", "/organization"),
        (requests.mailbox_purpose(ROOT, "u"), "GET", "/users/u/mailboxSettings/userPurpose"),
        (requests.batch(ROOT, b"{}"), "POST", "/$batch"),
    ],
)
def test_each_request_is_what_the_documentation_shows(request_: Request, method: str, path: str) -> None:
    assert request_.method == method
    assert unquote(request_.url) == ROOT + path
    assert "authorization" not in request_.headers


def test_what_would_end_an_option_is_escaped_in_it() -> None:
    url = requests.groups_where(ROOT, "displayName eq 'A&B=C#D+E%F'").url

    assert "A%26B%3DC%23D%2BE%25F" in url


def test_ids_are_asked_for_as_users_only() -> None:
    assert requests.users_by_id(ROOT, ["a", "b"]).body == b'{"ids": ["a", "b"], "types": ["user"]}'


def test_a_count_accepts_the_index_that_counts() -> None:
    assert requests.user_count(ROOT).headers["consistencylevel"] == "eventual"


@pytest.mark.parametrize("root", ["https://dod-graph.microsoft.us/v1.0", "http://127.0.0.1:8000/v1.0"])
def test_the_same_is_asked_of_every_cloud(root: str) -> None:
    assert requests.users_delta(root).url == requests.users_delta(ROOT).url.replace(ROOT, root)


def test_nothing_of_one_tenants_root_stays_where_another_tenants_request_is_written() -> None:
    requests.groups_delta("http://127.0.0.1:8000/v1.0", ["a"])

    assert "baseurl" not in requests._client().path_parameters


def test_a_request_that_is_asked_for_every_walk_is_written_once() -> None:
    assert requests.users_delta(ROOT) is requests.users_delta(ROOT)


def test_finding_the_kinds_imports_nothing_that_talks() -> None:
    heavy = {"urllib3", "requests", "azure", "msal", "msgraph", "msgraph_core", "kiota_abstractions"}
    program = "import sys; from connectors import registry; registry.kinds(); print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
