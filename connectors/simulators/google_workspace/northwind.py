"""Northwind, the customer of the demo: some hundred people in units and nested groups."""

from connectors.simulators.google_workspace.customer import Customer
from connectors.simulators.google_workspace.people import Shares
from connectors.simulators.google_workspace.simulator import Simulator

NORTHWIND_CUSTOMER = "C03nw1nd7"
UNITS = ("/Sales/EMEA", "/Sales/Americas", "/Engineering", "/Finance")
TEAMS_UNIT = "/Team mailboxes"
"""Accounts that stand for what Google has no object for: mailboxes that a team shares."""
EVERYBODY, SALES, BACKED_UP = "everybody", "sales", "backup"
_TEAMS = ("Invoices", "Support", "Press")
_CHIEFS = ("Mara Lindqvist", "Theo Okafor")


def northwind(simulator: Simulator, people: int = 180, seed: int = 7) -> Customer:
    """Add Northwind to a simulator, the same one for the same numbers."""
    customer = simulator.add_customer(NORTHWIND_CUSTOMER, domain="northwind.example", name="Northwind Traders")
    for path in (*UNITS, TEAMS_UNIT):
        customer.create_unit(path)
    customer.populate(people, seed, Shares(suspended=0.03, archived=0.02), UNITS)
    for team in _TEAMS:
        customer.hire(f"{team} Team", address=f"{team.lower()}-team@northwind.example", unit=TEAMS_UNIT)
    chiefs = [customer.hire(name, unit="/") for name in _CHIEFS]
    sales = customer.create_group("Sales", address=f"{SALES}@northwind.example", members=_below(customer, "/Sales"))
    finance = customer.create_group("Finance", members=_below(customer, "/Finance"))
    backup = customer.create_group("Backup", address=f"{BACKED_UP}@northwind.example", members=[sales, finance])
    customer.add_members(backup, chiefs)
    customer.add_stranger(backup, "auditor@tailspin.example")
    customer.add_everybody(customer.create_group("Everybody", address=f"{EVERYBODY}@northwind.example"))
    return customer


def _below(customer: Customer, path: str) -> list[str]:
    return [ident for ident in customer.user_ids() if f"{customer.user(ident)['orgUnitPath']}/".startswith(f"{path}/")]
