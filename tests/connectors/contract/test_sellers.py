"""Stories of orders, played for every kind of seller."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from connectors import registry
from connectors.base import Order, Receipt, Seller
from connectors.context import Context
from connectors.portal import Options
from connectors.secrets import Secrets
from connectors.simulators.seller import SIMULATED_SECRET, SimulatedClock, Simulator, serve
from policies.credentials import EnvRef
from policies.document import SellerEntry
from tests.connectors.world import World
from tests.proves import proves


@contextmanager
def portal(folder: Path) -> Iterator[Seller]:
    world = World()
    secrets = Secrets(folder, {"PORTAL_SECRET": SIMULATED_SECRET})
    context = Context(secrets, allowed_hosts=frozenset({"127.0.0.1"}), world=world.surroundings())
    with serve(Simulator(SimulatedClock(world.now))) as server:
        yield registry.open_seller(SellerEntry("http", Options(server.url, EnvRef("PORTAL_SECRET"))), context)


@contextmanager
def person(folder: Path) -> Iterator[Seller]:
    yield registry.open_seller(SellerEntry(), Context(Secrets(folder, {})))


SHOPS: Mapping[str, Callable[[Path], AbstractContextManager[Seller]]] = {"http": portal, "manual": person}
"""A seller of each kind, in a folder of its own, that sells whatever is asked for."""
ORDER = Order("key-1", "contoso", "standard", 10, "yearly", "8 waiting, 0 free")


@pytest.fixture(params=sorted(SHOPS))
def seller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Seller]:
    with SHOPS[request.param](tmp_path) as opened:
        yield opened


def test_every_kind_of_seller_has_a_shop() -> None:
    """Welcome. Write a function like those above, and name it in SHOPS."""
    assert set(SHOPS) == set(registry.sellers())


@proves("P8")
def test_an_order_is_placed_or_fulfilled_with_as_many_seats_as_were_ordered(seller: Seller) -> None:
    receipt = seller.place(ORDER)

    assert isinstance(receipt, Receipt)
    assert receipt.ref and receipt.state in ("placed", "fulfilled") and receipt.seats == 10


@proves("P2")
def test_an_order_that_comes_twice_is_one(seller: Seller) -> None:
    assert seller.place(ORDER) == seller.place(ORDER)


@proves("P2")
def test_an_order_is_found_under_its_key_or_is_safe_to_place_again(seller: Seller) -> None:
    assert seller.find("key-1") is None
    placed = seller.place(ORDER)

    assert (seller.find("key-1") or seller.place(ORDER)) == placed
    assert seller.find("key-2") is None


@proves("P2")
def test_orders_of_different_keys_are_different_orders(seller: Seller) -> None:
    first, second = seller.place(ORDER), seller.place(ORDER._replace(key="key-2"))

    assert isinstance(first, Receipt) and isinstance(second, Receipt) and first.ref != second.ref
