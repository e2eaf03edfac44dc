"""Made-up populations: the same people every time, in the shares that were asked for, at any size."""

import tracemalloc

import msgspec
import pytest

from connectors.simulators.microsoft365 import Shares, SimulatedClock, Simulator, Tenant
from connectors.simulators.microsoft365.identifiers import Identifiers
from connectors.simulators.microsoft365.newcomers import Domains
from connectors.simulators.microsoft365.people import Population
from connectors.simulators.microsoft365.schema import USER_PROPERTIES, Record, only


def people(count: int, seed: int = 0, shares: Shares | None = None, domain: str = "contoso.example") -> Tenant:
    tenant = Simulator(SimulatedClock()).add_tenant(domain=domain)
    tenant.populate(count, seed, shares)
    return tenant


def records(tenant: Tenant) -> list[Record]:
    return [tenant.users.record(number) for number in tenant.users.live_numbers()]


def test_the_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    assert records(people(500, 1)) == records(people(500, 1))
    assert records(people(500, 1)) != records(people(500, 2))
    assert records(people(500, 1)) != records(people(500, 1, domain="fabrikam.example"))


@pytest.mark.parametrize("count", [1, 7, 200, 1000])
def test_shares_are_exact(count: int) -> None:
    shares = Shares(guests=0.1, rooms=0.05, shared=0.2, disabled=0.15)
    tenant = people(count, 5, shares)

    kinds = [tenant.mailbox(number) for number in range(count)]
    staff = [record for record in records(tenant) if "department" in record]

    assert [kinds.count(kind) for kind in ("none", "room", "shared")] == [
        round(count * share) for share in (0.1, 0.05, 0.2)
    ]
    assert sum(record["accountEnabled"] is False for record in staff) == round(count * 0.15)
    assert sum(record["userType"] == "Guest" for record in records(tenant)) == round(count * 0.1)


def test_shares_that_are_no_shares_are_refused() -> None:
    with pytest.raises(ValueError, match="sum up to 1 at most"):
        Shares(guests=0.9, shared=0.2)
    with pytest.raises(ValueError, match="not negative"):
        Shares(guests=-0.1)


def test_nobody_shares_an_id_or_a_sign_in_name() -> None:
    tenant = people(60_000)
    tenant.populate(1000, 9)

    assert len({str(record["userPrincipalName"]).lower() for record in records(tenant)}) == 61_000
    assert len(set(tenant.user_ids())) == 61_000


def test_an_id_leads_back_to_its_user() -> None:
    ids = Identifiers("tenant", "users")

    assert all(ids.number(ids.of(number)) == number for number in range(0, 2_000_000, 9973))
    assert ids.number("6e7b768e-07e2-4810-8459-485f84f8f204") is None
    assert ids.number("nobody") is None
    assert Identifiers("other", "users").number(ids.of(1)) is None


def test_records_hold_only_what_graph_has() -> None:
    assert {name for record in records(people(2000)) for name in record} <= USER_PROPERTIES


@pytest.mark.parametrize(
    "names",
    [("id", "displayName"), ("id", "department", "proxyAddresses", "employeeOrgData"), tuple(sorted(USER_PROPERTIES))],
)
def test_a_page_of_json_says_what_the_records_say(names: tuple[str, ...]) -> None:
    population = Population(100, 3000, 4, Shares(), Domains("contoso.example", "contoso.onmicrosoft.example"))
    numbers = range(100, 3100)
    ids = [f"id-{number}" for number in numbers]

    page = [msgspec.json.decode(text) for text in population.json(numbers, ids, names)]

    assert page == [only(population.record(number, ident), names) for number, ident in zip(numbers, ids, strict=True)]


def test_a_million_people_take_no_room_until_something_happens_to_them() -> None:
    tracemalloc.start()
    tenant = people(1_000_000)
    somebody = tenant.users.id(777_777)

    tenant.update_user(somebody, department="Board")
    tenant.delete_user(tenant.users.id(5))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert tenant.users.live_count == 999_999
    assert tenant.user(somebody)["department"] == "Board"
    assert taken < 100_000


def test_those_who_come_later_are_told_as_changes() -> None:
    tenant = people(10)
    position = tenant.users.log.position

    tenant.populate(5)

    assert list(tenant.users.touched(position, tenant.users.log.position)) == [10, 11, 12, 13, 14]
