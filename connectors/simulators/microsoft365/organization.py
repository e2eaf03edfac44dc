"""`GET /organization`: what the tenant says of itself."""

from connectors.simulators.bodies import Body
from connectors.simulators.microsoft365 import refusals
from connectors.simulators.microsoft365.call import Call
from connectors.simulators.microsoft365.objects import one
from connectors.simulators.microsoft365.pages import Page, render
from connectors.simulators.microsoft365.schema import Record


def organizations(call: Call) -> Body:
    """A list of one."""
    return render(call, Page([_organization(call)], "organization"))


def organization(call: Call) -> Body:
    """The one, by its id."""
    if call.ids[0].lower() != call.tenant.id:
        raise refusals.not_found(call.ids[0])
    return one(call, "organization", None, _organization(call))


def _organization(call: Call) -> Record:
    tenant = call.tenant
    whole: Record = {
        "id": tenant.id,
        "deletedDateTime": None,
        "createdDateTime": tenant.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "displayName": tenant.name,
        "countryLetterCode": "NL",
        "onPremisesSyncEnabled": None,
        "preferredLanguage": "en",
        "tenantType": "AAD",
        "verifiedDomains": [
            {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": False, "isInitial": True,
             "name": tenant.domains.initial, "type": "Managed"},
            {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": True, "isInitial": False,
             "name": tenant.domains.own, "type": "Managed"},
        ],
    }  # fmt: skip
    asked = call.query.selected(frozenset(whole))
    return {name: whole[name] for name in asked} if asked else whole
