"""The idiom that msgraph-sdk's documentation shows: its client and models, page by page, and an ORM object per user."""

import asyncio
from typing import Any

from azure.core.credentials import AccessToken
from azure.identity import ClientSecretCredential  # noqa: F401  (what the documentation imports; its cost is part of it)
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph_core import GraphClientFactory
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from connectors.microsoft365.wire import USER_SELECT
from tests.bench.idiom_tables import Base, User


class _Token:
    """A token that was fetched already: signing in is not what is compared."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken(self._token, 4_000_000_000)


def sync_users(options: dict[str, Any]) -> int:
    """List everybody and license everybody; returns how many."""
    engine = create_engine(options["database"])
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    seen = asyncio.run(_sync(options, engine))
    engine.dispose()
    return seen


async def _sync(options: dict[str, Any], engine: Engine) -> int:
    provider = AzureIdentityAuthenticationProvider(
        _Token(options["token"]), scopes=[f"{options['url']}/.default"], allowed_hosts=["127.0.0.1"]
    )
    adapter = GraphRequestAdapter(provider, GraphClientFactory.create_with_default_middleware())
    adapter.base_url = f"{options['url']}/v1.0"
    client = GraphServiceClient(request_adapter=adapter)
    query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=list(USER_SELECT))
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    page = await client.users.delta.get(RequestConfiguration(query_parameters=query))
    seen = 0
    with Session(engine) as session:
        while page is not None:
            for user in page.value or []:
                session.merge(
                    User(
                        id=user.id,
                        address=user.mail,
                        name=user.display_name,
                        department=user.department,
                        license="standard",
                    )
                )
                seen += 1
            session.commit()
            if not page.odata_next_link:
                break
            page = await client.users.delta.with_url(page.odata_next_link).get()
    return seen
