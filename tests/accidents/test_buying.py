"""What is bought, and what a seller answers."""

from collections.abc import Callable, Iterator

import pytest

from connectors.simulators.seller import SIMULATED_SECRET, Fault, Simulator, serve
from tests.accidents.conftest import STAFF
from tests.accidents.town import Town
from tests.proves import proves

Licensed = Callable[..., str]


@pytest.fixture
def portal(town: Town) -> Iterator[Simulator]:
    """A portal that delivers at once, and a policy that buys from it."""
    simulator = Simulator()
    with serve(simulator) as server:
        host = server.url.partition("//")[2]
        town.write(f"allowed_hosts: ['{host}']\n", "provider.yaml")
        town.environment["PORTAL_SECRET"] = SIMULATED_SECRET
        seller = f"{{kind: http, url: '{server.url}', secret: {{env: PORTAL_SECRET}}}}"
        town.policy(STAFF, purchasing=f"{{seller: {seller}, standard: {{auto: true}}}}")
        yield simulator


def sold(portal: Simulator) -> list[int]:
    return [bought.wanted.seats for bought in portal.bought()]


@proves("P2", "Z5")
def test_accident_24_what_is_delivered_twice_is_bought_once(town: Town, portal: Simulator) -> None:
    """Three processes carry the same order at once."""
    town.tenant.create_group("Staff", members=town.hire(7))
    portal.order(Fault("slow", seconds=0.5, times=3))
    running = [town.start("sync", "--json") for _ in range(3)]
    told = [command.said() for command in running]
    assert {one.code for one in told} <= {0, 1}, told
    town.sync()
    assert sold(portal) == [7]
    assert town.licenses() == {"standard": 7}
    assert town.is_sound()


@proves("P2", "Z2")
@pytest.mark.parametrize("answer", ["no_seats", "more_seats", "blank"])
def test_accident_25_a_seller_that_answers_nonsense_takes_nothing(town: Town, portal: Simulator, answer: str) -> None:
    group = town.tenant.create_group("Staff", members=town.hire(4))
    town.sync()
    town.sync()
    assert town.licenses() == {"standard": 4}
    portal.order(Fault(answer, times=None), Fault("unknown", times=None))  # type: ignore[arg-type]
    town.tenant.add_members(group, town.hire(3))
    for _ in range(2):
        town.sync()
    assert town.licenses() == {"standard": 4}, "nothing that is there is lost, and nothing made up is given"
    assert sum(lot["seats"] for lot in town("lots", "list", "--json").json) == 4
    assert len(sold(portal)) == 2


@proves("P1", "P3", "P5")
def test_accident_29_a_mistaken_addition_does_not_raise_the_bill(town: Town) -> None:
    """Three hundred people are put into the group by mistake."""
    buying = "{standard: {auto: true, most_per_order: 1000, most_per_month: 1000, price: 48.00 USD, term: yearly}}"
    group = town.tenant.create_group("Staff", members=town.hire(5))
    town.policy(STAFF, purchasing=buying)
    town.sync()
    [first] = town("orders", "list", "--json").json
    assert (first["seats"], first["estimate"]) == (5, "240.00 USD")
    town.tenant.add_members(group, town.hire(300))
    report = town.sync()
    assert report["code"] == 3 and town.holds() == [("purchase", 300)]
    assert len(town("orders", "list", "--json").json) == 1
