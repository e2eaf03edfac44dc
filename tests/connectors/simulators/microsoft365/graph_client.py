"""A plain HTTP client for these tests: it asks what it is told to ask, and hides nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import urllib3

from connectors.simulators.microsoft365 import GraphServer, Tenant

Json = dict[str, Any]
SELECT = "id,userPrincipalName,displayName,mail,accountEnabled,userType,createdDateTime,department"


@dataclass(frozen=True)
class Reply:
    """An answer, header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        decoded: Json = msgspec.json.decode(self.body)
        return decoded

    def decoded(self) -> object:
        """The body, where it is something else than an object."""
        return msgspec.json.decode(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json()["error"]["code"])

    @property
    def value(self) -> list[Json]:
        listed: list[Json] = self.json()["value"]
        return listed


class GraphClient:
    """Asks one tenant's Graph, with a token that the simulator gave out of hand."""

    def __init__(self, http: urllib3.PoolManager, server: GraphServer, tenant: Tenant, token: str) -> None:
        self.http = http
        self.server = server
        self.tenant = tenant
        self.token = token

    def get(self, where: str, **headers: str) -> Reply:
        """`where` is a path below the version, or a whole link."""
        return self.ask("GET", where, None, **headers)

    def post(self, where: str, body: object, **headers: str) -> Reply:
        return self.ask("POST", where, msgspec.json.encode(body), **headers)

    def ask(self, method: str, where: str, body: bytes | None, **headers: str) -> Reply:
        url = where if where.startswith("http") else f"{self.server.graph_url}/v1.0{where}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "gzip", **named}
        answer = self.http.request(method, url, body=body, headers=sent, retries=False, timeout=60)
        return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def pages(self, where: str, **headers: str) -> Iterator[Json]:
        """Follow next links to the end."""
        link: str | None = where
        while link is not None:
            reply = self.get(link, **headers)
            assert reply.status == 200, reply.body
            page = reply.json()
            yield page
            link = page.get("@odata.nextLink")

    def walk(self, where: str, **headers: str) -> tuple[list[Json], str]:
        """Everything in a round or a list, and the delta link at its end (empty for lists)."""
        pages = list(self.pages(where, **headers))
        return [entry for page in pages for entry in page["value"]], pages[-1].get("@odata.deltaLink", "")
