"""Contoso, the tenant of the demo: a few hundred people, nested groups, shared mailboxes, rooms and guests."""

from connectors.simulators.microsoft365.people import Shares
from connectors.simulators.microsoft365.simulator import Simulator
from connectors.simulators.microsoft365.tenant import Tenant

CONTOSO_TENANT = "7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10"
BACKUP_STAFF = "Backup Staff"
"""Contains the groups of the departments below, and nobody directly."""
EXECUTIVES = "Executives"
CONTRACTORS = "Contractors"
BACKED_UP = ("Engineering", "Sales", "Finance", "Legal", "IT")
_SHARED = ("Invoices", "Support", "Careers", "Press", "Facilities", "Returns")
_ROOMS = ("Room Rotterdam 1.04", "Room Bergen 2.11", "Room Porto 3.07")
_CHIEFS = ("Ada Winter", "Bram Okoro", "Chiara Lund", "Dev Anand Rao")


def contoso(simulator: Simulator, people: int = 240, seed: int = 7) -> Tenant:
    """Add Contoso to a simulator, the same one for the same numbers."""
    tenant = simulator.add_tenant(CONTOSO_TENANT, domain="contoso.example", name="Contoso Ltd")
    tenant.populate(people, seed, Shares(guests=0.04, rooms=0.0, shared=0.0, disabled=0.03))
    for name in _SHARED:
        tenant.create_mailbox(name)
    for name in _ROOMS:
        tenant.create_mailbox(name, "room")
    departments = {name: tenant.create_group(name, members=ids) for name, ids in sorted(_by_department(tenant).items())}
    tenant.create_group(BACKUP_STAFF, members=[departments[name] for name in BACKED_UP if name in departments])
    chiefs = [tenant.hire(name, department="Board", jobTitle="Chief Officer") for name in _CHIEFS]
    tenant.create_group(EXECUTIVES, mail="exec@contoso.example", unified=True, members=chiefs)
    tenant.create_group(CONTRACTORS, members=_contractors(tenant))
    return tenant


def _by_department(tenant: Tenant) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for ident in tenant.user_ids():
        department = tenant.user(ident).get("department")
        if isinstance(department, str):
            members.setdefault(department, []).append(ident)
    return members


def _contractors(tenant: Tenant) -> list[str]:
    return [ident for ident in tenant.user_ids() if tenant.user(ident).get("employeeType") == "Contractor"]
