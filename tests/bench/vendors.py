"""What a benchmark has to know of each vendor: a policy, how to fetch the bytes alone, and the vendor's idiom."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

POLICY = """
company: contoso
name: Contoso Ltd
directories:
  {directory}:
    kind: {kind}
{entry}
rules:
  - name: subsidiary
    domains: [fabrikam.example]
    license: standard
  - name: board
    attributes: {{department: [Board]}}
    license: standard
  - name: staff
    everyone: true
    license: standard
"""


@dataclass(frozen=True, slots=True)
class Vendor:
    """A kind of directory, as the processes of a benchmark see it. Options are what its simulator told of itself."""

    kind: str
    directory: str
    """The id of the directory in the policy."""
    entry: Callable[[dict[str, Any]], str]
    """The directory's entry in the policy, from its second key on."""
    bodies: Callable[[dict[str, Any]], Iterator[bytes]]
    """Every page of the listing, unzipped; the way to the next one is found without decoding the page."""
    idiom: Callable[[dict[str, Any]], int]
    paced: bool = True
    """Whether our own pauses between requests are measured, too."""

    def policy(self, options: dict[str, Any]) -> str:
        return POLICY.format(directory=self.directory, kind=self.kind, entry=self.entry(options))


def vendor_of(options: dict[str, Any]) -> Vendor:
    return GOOGLE if "admin" in options else MICROSOFT


# --- Microsoft 365 ---


def _tenant(options: dict[str, Any]) -> str:
    from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, SIMULATED_SECRET

    os.environ["BENCH_SECRET"] = SIMULATED_SECRET
    return (
        f"    tenant: {options['tenant']}\n"
        f"    credential: {{client_id: {SIMULATED_CLIENT_ID}, secret: {{env: BENCH_SECRET}}}}\n"
        f"    graph_url: {options['url']}\n    login_url: {options['url']}\n    unknown_mailboxes: user"
    )


def _pages_of_graph(options: dict[str, Any]) -> Iterator[bytes]:
    from connectors.microsoft365.wire import USER_SELECT

    url = f"{options['url']}/v1.0/users/delta?$select={','.join(USER_SELECT)}"
    return _followed(url, _token(options), lambda body: _after(b'"@odata.nextLink":', body))


def _token(options: dict[str, Any]) -> str:
    import urllib3

    from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, SIMULATED_SECRET

    form = {
        "client_id": SIMULATED_CLIENT_ID, "client_secret": SIMULATED_SECRET, "grant_type": "client_credentials",
        "scope": f"{options['url']}/.default",
    }  # fmt: skip
    url = f"{options['url']}/{options['tenant']}/oauth2/v2.0/token"
    answer = urllib3.PoolManager().request_encode_body("POST", url, fields=form, encode_multipart=False)
    return str(json.loads(answer.data)["access_token"])


def _graph_idiom(options: dict[str, Any]) -> int:
    from tests.bench.idiom import sync_users

    return sync_users({**options, "token": _token(options)})


# --- Google Workspace ---


def _customer(options: dict[str, Any]) -> str:
    return (
        f"    admin: {options['admin']}\n    credential: {{key: {{file: {options['key']}}}}}\n"
        f"    directory_url: {options['url']}"
    )


def _pages_of_google(options: dict[str, Any]) -> Iterator[bytes]:
    from connectors.google_workspace.wire import DELETED_FIELDS, USER_FIELDS

    living, deleted = {"fields": USER_FIELDS}, {"fields": DELETED_FIELDS, "showDeleted": "true"}
    for what in (living, deleted):
        asked = {"customer": "my_customer", "maxResults": "500", "prettyPrint": "false", **what}
        url = f"{options['url']}/admin/directory/v1/users?{urlencode(asked)}"
        yield from _followed(url, options["token"], partial(_next_of_google, url))


def _next_of_google(url: str, body: bytes) -> str:
    token = _after(b'"nextPageToken":', body)
    return f"{url}&{urlencode({'pageToken': token})}" if token else ""


def _google_idiom(options: dict[str, Any]) -> int:
    from tests.bench.google_idiom import sync_users

    return sync_users(options)


def _followed(url: str, token: str, next_of: Callable[[bytes], str]) -> Iterator[bytes]:
    from connectors.http import HttpClient, Request

    client, headers = HttpClient(), {"authorization": f"Bearer {token}", "user-agent": "bench (gzip)"}
    while url:
        answer = client.send(Request("GET", url, headers))
        assert answer.status == 200, (answer.status, answer.body[:200])
        yield answer.body
        url = next_of(answer.body)


def _after(key: bytes, body: bytes) -> str:
    """The text that a key has in a page; '' where it is missing."""
    at = body.find(key)
    return "" if at < 0 else str(msgspec.json.decode(body[at + len(key) : body.index(b'"', at + len(key) + 1) + 1]))


MICROSOFT = Vendor("microsoft365", "contoso-m365", _tenant, _pages_of_graph, _graph_idiom)
GOOGLE = Vendor("google_workspace", "contoso-gws", _customer, _pages_of_google, _google_idiom, paced=False)
