"""What happens to a tenant, as its administrators would say it."""

import pytest

from connectors.simulators.microsoft365 import Simulator, Tenant, contoso
from tests.connectors.simulators.microsoft365.conftest import ADELE, LIDIA
from tests.connectors.simulators.microsoft365.graph_client import GraphClient

NOBODY = "00000000-1111-4222-8333-444444444444"


def test_a_renamed_user_keeps_the_old_address_as_an_alias(tenant: Tenant) -> None:
    tenant.rename(ADELE, "Adele Borg")

    user = tenant.user(ADELE)
    assert (user["displayName"], user["surname"], user["mail"]) == ("Adele Borg", "Borg", "adele.borg@contoso.example")
    assert user["proxyAddresses"] == ["SMTP:adele.borg@contoso.example", "smtp:adele.vance@contoso.example"]


def test_disabled_and_enabled(tenant: Tenant) -> None:
    tenant.disable(ADELE)
    assert tenant.user(ADELE)["accountEnabled"] is False
    tenant.enable(ADELE)
    assert tenant.user(ADELE)["accountEnabled"] is True


def test_what_changes_nothing_is_no_change(tenant: Tenant) -> None:
    position = tenant.users.log.position

    tenant.enable(ADELE)
    tenant.update_user(LIDIA, department=None)

    assert tenant.users.log.position == position


def test_an_id_is_never_used_twice(tenant: Tenant) -> None:
    tenant.purge_user(ADELE)

    with pytest.raises(ValueError, match="is taken"):
        tenant.hire("Adele Again", id=ADELE)


def test_a_returning_colleague_is_another_account_with_the_same_address(tenant: Tenant) -> None:
    tenant.delete_user(ADELE)

    again = tenant.hire("Adele Vance")

    assert again != ADELE and tenant.find_user("adele.vance@contoso.example") == again


def test_somebody_without_a_name_is_made_up(tenant: Tenant) -> None:
    someone = tenant.user(tenant.hire(department="Legal", jobTitle="Counsel"))

    assert (someone["department"], someone["jobTitle"]) == ("Legal", "Counsel")
    assert str(someone["mail"]).endswith("@contoso.example")


@pytest.mark.parametrize("verb", ["delete_user", "disable", "restore_user", "purge_user", "user"])
def test_nothing_happens_to_nobody(tenant: Tenant, verb: str) -> None:
    with pytest.raises(LookupError, match=NOBODY):
        getattr(tenant, verb)(NOBODY)


def test_a_deleted_user_cannot_be_deleted_again_nor_a_live_one_restored(tenant: Tenant) -> None:
    tenant.delete_user(ADELE)

    with pytest.raises(LookupError, match="is deleted"):
        tenant.delete_user(ADELE)
    with pytest.raises(LookupError, match="not in the recycle bin"):
        tenant.restore_user(LIDIA)


def test_a_misspelled_property_is_an_error(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="'dept' is no property"):
        tenant.update_user(ADELE, dept="Legal")
    with pytest.raises(ValueError, match="'name' is no property"):
        tenant.update_group(tenant.create_group("Staff"), name="Everyone")


def test_tenants_do_not_share_an_id_or_a_domain(simulator: Simulator, tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="already"):
        simulator.add_tenant(domain="contoso.example")
    assert simulator.tenant("CONTOSO.example") is simulator.tenant(tenant.id.upper())
    with pytest.raises(LookupError, match="no tenant fabrikam"):
        simulator.tenant("fabrikam.example")


def test_contoso_has_what_the_demo_needs(simulator: Simulator, graph: GraphClient) -> None:
    simulator.remove_tenant(graph.tenant)
    tenant = contoso(simulator)
    graph.token = simulator.token(tenant)
    staff = tenant.find_group("Backup Staff")

    nested = graph.get(f"/groups/{staff}/members?$select=id,displayName").value
    everyone, _ = graph.walk(f"/groups/{staff}/transitiveMembers?$select=id&$top=999")
    kinds = [tenant.mailbox(number) for number in tenant.users.live_numbers()]

    assert [entry["displayName"] for entry in nested] == ["Engineering", "Sales", "Finance", "Legal", "IT"]
    assert 80 < sum(entry["@odata.type"].endswith("user") for entry in everyone) < 200
    assert (kinds.count("shared"), kinds.count("room"), kinds.count("none")) == (6, 3, 10)
    assert graph.get("/groups?$filter=mail eq 'exec@contoso.example'").value[0]["displayName"] == "Executives"
    assert len(graph.walk("/users/delta?$select=id")[0]) == tenant.users.live_count


def test_contoso_is_the_same_every_time() -> None:
    first, second = contoso(Simulator()), contoso(Simulator())

    assert list(first.user_ids()) == list(second.user_ids())
    assert first.user(next(first.user_ids()))["displayName"] == second.user(next(second.user_ids()))["displayName"]
