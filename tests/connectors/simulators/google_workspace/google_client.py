"""A plain HTTP client for these tests: it asks what it is told to ask, and hides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import urllib3

from connectors.simulators.google_workspace import Customer, GoogleServer

Json = dict[str, Any]
DIRECTORY, REPORTS = "/admin/directory/v1", "/admin/reports/v1"
ADMIN_EVENTS = f"{REPORTS}/activity/users/all/applications/admin"
AGENT = "tests (gzip)"


@dataclass(frozen=True)
class Reply:
    """An answer, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        decoded: Json = msgspec.json.decode(self.body)
        return decoded

    def decoded(self) -> Any:
        """The body, where it is something else than an object."""
        return msgspec.json.decode(self.body)

    @property
    def reason(self) -> str:
        """The error's reason."""
        return str(self.json()["error"]["errors"][0]["reason"])

    @property
    def message(self) -> str:
        return str(self.json()["error"]["message"])


class GoogleClient:
    """Asks about one customer, with a token that the simulator gave out of hand."""

    def __init__(self, http: urllib3.PoolManager, server: GoogleServer, customer: Customer, token: str) -> None:
        self.http = http
        self.server = server
        self.customer = customer
        self.token = token

    def ask(self, method: str, where: str, body: bytes | None = None, /, **headers: str) -> Reply:
        """`where` is a path with its query."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip", "User-Agent": AGENT, **named}
        url = f"{self.server.url}{where}"
        answer = self.http.request(method, url, body=body, headers=sent, retries=False, timeout=60)
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def get(self, where: str, /, **query: object) -> Reply:
        """`where` is a path below the Directory API, or a whole one."""
        path = where if where.startswith("/admin") else f"{DIRECTORY}{where}"
        return self.ask("GET", f"{path}?{urlencode(query, quote_via=quote)}" if query else path)

    def users(self, **query: object) -> Reply:
        return self.get("/users", **{"customer": "my_customer", **query})

    def pages(self, where: str, /, **query: object) -> Iterator[Json]:
        """Follow page tokens to the end."""
        token: str | None = None
        while True:
            reply = self.get(where, **query, **({"pageToken": token} if token else {}))
            assert reply.status == 200, reply.body
            page = reply.json()
            yield page
            token = page.get("nextPageToken")
            if not token:
                return

    def walk(self, key: str, where: str, /, **query: object) -> list[Json]:
        """Everything in a list, in the order in which it came."""
        return [entry for page in self.pages(where, **query) for entry in page.get(key, ())]

    def everybody(self, **query: object) -> list[Json]:
        return self.walk("users", "/users", **{"customer": "my_customer", **query})

    def members(self, group: str, **query: object) -> list[Json]:
        return self.walk("members", f"/groups/{group}/members", **query)

    def drive(self, path: str, body: object = None, method: str = "POST", **headers: str) -> Reply:
        """Drive the simulator."""
        return self.ask(
            method, f"/_simulator{path}", msgspec.json.encode(body) if method == "POST" else None, **headers
        )


def addresses(users: list[Json]) -> list[str]:
    return [user["primaryEmail"] for user in users]
