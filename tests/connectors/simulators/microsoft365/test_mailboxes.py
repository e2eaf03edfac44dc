"""`mailboxSettings`, as the reference describes it."""

from dataclasses import replace

import pytest

from connectors.simulators.microsoft365 import Tenant
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA, PAT
from tests.connectors.simulators.microsoft365.graph_client import GraphClient


def purpose(graph: GraphClient, ident: str) -> object:
    return graph.get(f"/users/{ident}/mailboxSettings/userPurpose").json().get("value")


def test_the_kind_alone_has_the_documented_shape(graph: GraphClient, tenant: Tenant) -> None:
    tenant.convert_mailbox(ADELE, "shared")

    root = f"{graph.server.graph_url}/v1.0"
    assert graph.get(f"/users/{ADELE}/mailboxSettings/userPurpose").json() == {
        "@odata.context": f"{root}/$metadata#users('{ADELE}')/mailboxSettings/userPurpose",
        "value": "shared",
    }


def test_a_converted_mailbox_is_told_by_no_delta(graph: GraphClient, tenant: Tenant) -> None:
    _, link = graph.walk("/users/delta")

    tenant.convert_mailbox(ADELE, "shared")

    assert graph.get(link).value == []
    assert purpose(graph, ADELE) == "shared" and purpose(graph, LIDIA) == "user"


def test_rooms_and_shared_mailboxes_are_users_that_cannot_sign_in(graph: GraphClient, tenant: Tenant) -> None:
    invoices = tenant.create_mailbox("Invoices")
    room = tenant.create_mailbox("Room 1.04", "room")

    assert (purpose(graph, invoices), purpose(graph, room)) == ("shared", "room")
    entry = graph.get(f"/users/{invoices}?$select=accountEnabled,userType,mail,assignedLicenses").json()
    assert (entry["accountEnabled"], entry["userType"], entry["mail"], entry["assignedLicenses"]) == (
        False,
        "Member",
        "invoices@contoso.example",
        [],
    )


@pytest.mark.parametrize("as_object, told", [(False, "user"), (True, {"value": "user"})])
def test_inside_the_settings_the_kind_is_text_or_an_object(
    graph: GraphClient, tenant: Tenant, as_object: bool, told: object
) -> None:
    tenant.habits = replace(tenant.habits, purpose_as_object=as_object)

    whole = graph.get(f"/users/{ADELE}/mailboxSettings").json()
    part = graph.get(f"/users/{ADELE}/mailboxSettings?$select=userPurpose").json()

    assert whole["userPurpose"] == told and "timeZone" in whole
    assert part == {"@odata.context": whole["@odata.context"] + "(userPurpose)", "userPurpose": told}


def test_guests_and_the_soft_deleted_have_no_mailbox(graph: GraphClient, tenant: Tenant) -> None:
    tenant.delete_user(LIDIA)

    for ident in (PAT, LIDIA):
        reply = graph.get(f"/users/{ident}/mailboxSettings/userPurpose")
        assert reply.status == 404 and reply.code == "MailboxNotEnabledForRESTAPI"


def test_nobody_has_no_mailbox(graph: GraphClient) -> None:
    assert graph.get("/users/00000000-0000-4000-8000-000000000000/mailboxSettings").status == 404


def test_exchange_may_keep_one_mailbox_from_the_app(graph: GraphClient, tenant: Tenant) -> None:
    tenant.convert_mailbox(ADELE, "denied")

    reply = graph.get(f"/users/{ADELE}/mailboxSettings/userPurpose")

    assert reply.status == 403 and reply.code == "ErrorAccessDenied"
    assert purpose(graph, LIDIA) == "user"


def test_a_single_user_may_carry_the_settings(graph: GraphClient, tenant: Tenant) -> None:
    asked = f"/users/{ADELE}?$select=id,mailboxSettings"

    assert graph.get(asked).json()["mailboxSettings"]["userPurpose"] == "user"
    tenant.revoke("MailboxSettings.Read")
    assert graph.get(asked).status == 403


def test_there_is_no_kind_of_mailbox_that_nobody_documented(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="no mailbox is of the kind 'common'"):
        tenant.convert_mailbox(ADELE, "common")
