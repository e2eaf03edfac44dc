"""What to ask Graph: msgraph-sdk's request builders write the requests, and nothing else of the SDK is used.

Its request builders are synchronous and know Graph's paths and options; its pipeline, pages and models are not used
(docs/decisions.md). A request is written once and kept: what follows it are links, which are sent as they came. The
SDK is imported when the first request is written, so that a poll that only follows a link never pays for it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from connectors.http import Request
from connectors.microsoft365.wire import USER_SELECT

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.graph_service_client import GraphServiceClient

GROUP_SELECT = ("id", "displayName", "mail", "members")
_GROUP_NAMES = ("id", "displayName", "mail")
MOST_FILTERED = 50
"""Ids in the filter of a delta stream (Microsoft, "group: delta")."""
MOST_BY_ID = 1_000
_LARGEST_PAGE = 999
_EVENTUAL = {"consistencylevel": "eventual"}


@lru_cache(maxsize=64)
def users_delta(root: str) -> Request:
    """A first round over everybody."""
    from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder as Delta

    query = Delta.DeltaRequestBuilderGetQueryParameters(select=list(USER_SELECT))
    return _written(_client().users.delta.to_get_request_information(_with(query)), root)


def groups_delta(root: str, ids: Sequence[str]) -> Request:
    """A first round over these groups, 50 at most."""
    from msgraph.generated.groups.delta.delta_request_builder import DeltaRequestBuilder as Delta

    chosen = " or ".join(f"id eq '{id}'" for id in ids)
    query = Delta.DeltaRequestBuilderGetQueryParameters(select=list(GROUP_SELECT), filter=chosen)
    return _written(_client().groups.delta.to_get_request_information(_with(query)), root)


def members(root: str, group: str) -> Request:
    """The direct members of a group."""
    from msgraph.generated.groups.item.members.members_request_builder import MembersRequestBuilder as Members

    query = Members.MembersRequestBuilderGetQueryParameters(select=["id"], top=_LARGEST_PAGE)
    return _written(_client().groups.by_group_id(group).members.to_get_request_information(_with(query)), root)


def groups_where(root: str, condition: str) -> Request:
    """The groups that a filter finds."""
    from msgraph.generated.groups.groups_request_builder import GroupsRequestBuilder as Groups

    query = Groups.GroupsRequestBuilderGetQueryParameters(select=list(_GROUP_NAMES), filter=condition)
    return _written(_client().groups.to_get_request_information(_with(query)), root)


def group(root: str, id: str) -> Request:
    """One group."""
    from msgraph.generated.groups.item.group_item_request_builder import GroupItemRequestBuilder as Item

    query = Item.GroupItemRequestBuilderGetQueryParameters(select=list(_GROUP_NAMES))
    return _written(_client().groups.by_group_id(id).to_get_request_information(_with(query)), root)


def deleted_item(root: str, id: str) -> Request:
    """One object in the recycle bin."""
    from msgraph.generated.directory.deleted_items.item.directory_object_item_request_builder import (
        DirectoryObjectItemRequestBuilder as Item,
    )

    query = Item.DirectoryObjectItemRequestBuilderGetQueryParameters(select=["id"])
    item = _client().directory.deleted_items.by_directory_object_id(id)
    return _written(item.to_get_request_information(_with(query)), root)


def users_by_id(root: str, ids: Sequence[str]) -> Request:
    """The live ones among up to 1,000 users; selecting makes it cheaper, which the SDK has no option for."""
    from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody

    body = GetByIdsPostRequestBody(ids=list(ids), types=["user"])
    request = _written(_client().directory_objects.get_by_ids.to_post_request_information(body), root)
    return request._replace(url=f"{request.url}?$select=id")


def some_users(root: str, most: int) -> Request:
    """A few users, by their ids alone."""
    from msgraph.generated.users.users_request_builder import UsersRequestBuilder as Users

    query = Users.UsersRequestBuilderGetQueryParameters(select=["id"], top=most)
    return _written(_client().users.to_get_request_information(_with(query)), root)


@lru_cache(maxsize=64)
def user_count(root: str) -> Request:
    """How many users there are, from an index that may lag."""
    request = _written(_client().users.count.to_get_request_information(), root)
    return request._replace(headers={**request.headers, **_EVENTUAL})


@lru_cache(maxsize=64)
def organization(root: str) -> Request:
    """The tenant itself."""
    return _written(_client().organization.to_get_request_information(), root)


def mailbox_purpose(root: str, user: str) -> Request:
    """What a user's mailbox is for. The SDK knows the settings, but not the path to this one of them."""
    request = _written(_client().users.by_user_id(user).mailbox_settings.to_get_request_information(), root)
    return request._replace(url=f"{request.url}/userPurpose")


def batch(root: str, body: bytes) -> Request:
    """Up to 20 requests in one."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    return Request("POST", f"{root}/$batch", headers, body)


@lru_cache(maxsize=1)
def _client() -> "GraphServiceClient":
    from kiota_abstractions.authentication import AnonymousAuthenticationProvider
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    return GraphServiceClient(request_adapter=GraphRequestAdapter(AnonymousAuthenticationProvider()))


def _with(query: Any) -> Any:
    from kiota_abstractions.base_request_configuration import RequestConfiguration

    return RequestConfiguration(query_parameters=query)


def _written(info: "RequestInformation", root: str) -> Request:
    # The SDK's builders share one dictionary, and so do all threads and tenants.
    info.path_parameters = {**info.path_parameters, "baseurl": root}
    assert info.http_method is not None
    headers: Mapping[str, str] = {name: ", ".join(sorted(values)) for name, values in info.headers.get_all().items()}
    return Request(info.http_method.value, info.url, headers, info.content or None)
