"""Buying over HTTP: what is asked, what an answer means, and where requests may go."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from connectors import registry
from connectors.base import Order, Receipt, Refusal, Seller
from connectors.context import Context
from connectors.errors import NeedsPerson, Transient
from connectors.http import HttpClient
from connectors.links import root
from connectors.portal import Options
from connectors.portal.seller import Portal
from connectors.secrets import Secrets
from connectors.signing import key_of, verify
from connectors.simulators.seller import SIMULATED_SECRET, Fault, SimulatedClock, Simulator, serve
from connectors.simulators.serving import Answer
from policies.credentials import EnvRef
from policies.document import SellerEntry
from policies.errors import PolicyError
from policies.reader import read_policy
from tests.connectors.scripted import CUT, RESET, Script, json, scripted
from tests.connectors.world import World
from tests.proves import proves
from tests.services.kept import nobody_listens

ORDER = Order("key-1", "contoso", "standard", 10, "yearly", "8 waiting, 0 free")
PLACED = {"id": "po-1", "state": "placed", "seats": 10, "expires": "2027-03-01"}


def entry(url: str, **options: object) -> SellerEntry:
    given = {"url": url, "secret": EnvRef("PORTAL_SECRET"), **options}
    return SellerEntry("http", Options(**given))  # type: ignore[arg-type]


def context_of(folder: Path, world: World, hosts: frozenset[str], secret: str = SIMULATED_SECRET) -> Context:
    secrets = Secrets(folder, {"PORTAL_SECRET": secret})
    http = HttpClient()
    return Context(secrets, allowed_hosts=hosts, world=world.surroundings(), http=http)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def opened(tmp_path: Path, world: World) -> Callable[[str], Seller]:
    """Opens the seller at a URL, whose host the provider lists."""

    def open_at(url: str) -> Seller:
        return registry.open_seller(entry(url), context_of(tmp_path, world, frozenset({url.partition("//")[2]})))

    return open_at


@pytest.fixture
def simulator(world: World) -> Simulator:
    clock = SimulatedClock(world.now)
    world.passes = clock.advance
    return Simulator(clock)


@pytest.fixture
def seller(simulator: Simulator, opened: Callable[[str], Seller]) -> Iterator[Seller]:
    with serve(simulator) as server:
        yield opened(server.url)


@contextmanager
def answering(opened: Callable[[str], Seller], *answers: Answer) -> Iterator[tuple[Seller, Script]]:
    with scripted(*answers) as script:
        yield opened(script.url), script


# What is asked


@proves("P8")
def test_an_order_is_signed_json_with_its_key(opened: Callable[[str], Seller], world: World) -> None:
    with answering(opened, json(PLACED, 201)) as (seller, script):
        assert seller.place(ORDER) == Receipt("po-1", "placed", 10, date(2027, 3, 1))

    [request] = script.asked
    assert (request.method, request.target) == ("POST", "/orders")
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["content-type"] == "application/json"
    assert msgspec.json.decode(request.body) == {
        "company": "contoso", "license": "standard", "seats": 10, "term": "yearly", "note": "8 waiting, 0 free"
    }  # fmt: skip
    assert verify([key_of(SIMULATED_SECRET)], request.headers, request.body, world.now) == "key-1"


@proves("P8")
def test_what_is_looked_up_is_signed_too_each_time_as_a_message_of_its_own(
    opened: Callable[[str], Seller], world: World
) -> None:
    with answering(opened, json([]), json([PLACED]), json({**PLACED, "id": "a/b?"})) as (seller, script):
        assert seller.find("a key&more") is None
        assert seller.find("key-1") == Receipt("po-1", "placed", 10, date(2027, 3, 1))
        assert seller.look_up("a/b?", "key-1").ref == "a/b?"

    by_key = "/orders?idempotency_key="
    assert script.targets == [f"{by_key}a%20key%26more", f"{by_key}key-1", "/orders/a%2Fb%3F"]
    ids = [verify([key_of(SIMULATED_SECRET)], request.headers, b"", world.now) for request in script.asked]
    assert len(set(ids)) == 3
    assert [request.headers["idempotency-key"] for request in script.asked] == ["a key&more", "key-1", "key-1"]


def test_a_portal_may_answer_below_a_path(opened: Callable[[str], Seller], tmp_path: Path, world: World) -> None:
    with scripted(json(PLACED, 201), json(PLACED)) as script:
        hosts = frozenset({"127.0.0.1"})
        seller = registry.open_seller(entry(f"{script.url}/api/v2/"), context_of(tmp_path, world, hosts))
        seller.place(ORDER)
        seller.look_up("po-1", "key-1")

    assert script.targets == ["/api/v2/orders", "/api/v2/orders/po-1"]
    assert seller.address == f"{script.url}/api/v2"


def test_a_secret_is_read_anew_for_each_request_and_given_away_nowhere(tmp_path: Path, world: World) -> None:
    environment = {"PORTAL_SECRET": "first"}
    context = Context(
        Secrets(tmp_path, environment), allowed_hosts=frozenset({"127.0.0.1"}), world=world.surroundings()
    )
    with scripted(json([]), json([])) as script:
        seller = registry.open_seller(entry(script.url), context)
        seller.find("key-1")
        environment["PORTAL_SECRET"] = "second"
        seller.find("key-1")

    for request, secret in zip(script.asked, ("first", "second"), strict=True):
        verify([key_of(secret)], request.headers, b"", world.now)
    assert "second" not in repr(seller)


# What an answer means


@proves("P2")
def test_the_same_key_is_the_same_order(simulator: Simulator, seller: Seller) -> None:
    assert seller.find("key-1") is None
    first = seller.place(ORDER)

    assert seller.place(ORDER) == first == seller.find("key-1")
    assert len(simulator.bought()) == 1


def test_an_order_is_placed_until_its_seats_are_there(
    world: World, opened: Callable[[str], Seller], simulator: Simulator
) -> None:
    slow = Simulator(simulator.clock, fulfills_after=timedelta(hours=1))
    with serve(slow) as server:
        seller = opened(server.url)
        placed = seller.place(ORDER)
        assert isinstance(placed, Receipt) and placed.state == "placed"
        world.sleep(3_600)
        assert seller.look_up(placed.ref, "key-1") == placed._replace(state="fulfilled")


@proves("P7")
@pytest.mark.parametrize("status, why", [(402, "card_declined"), (409, "credit_limit")])
def test_a_refusal_is_final_and_has_its_reason(simulator: Simulator, seller: Seller, status: int, why: str) -> None:
    simulator.order(Fault("refuse", status=status, refused=why))

    assert seller.place(ORDER) == Refusal(why)
    assert simulator.bought() == []


@proves("P7")
@pytest.mark.parametrize(
    "answer, after",
    [
        (json({"error": "too many"}, 429, retry_after="30"), 30.0),
        (json({"refused": "card_declined"}, 429), None),
        (Answer(500, {}, b""), None),
        (Answer(501, {}, b""), None),
        (Answer(503, {"Content-Type": "text/html", "Retry-After": "7"}, b"<h1>503</h1>"), 7.0),
        (json(PLACED, 504), None),
        (RESET, None),
        (CUT, None),
        (Answer(200, {}, b""), None),
        (Answer(200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>"), None),
        (Answer(201, {}, b'{"id": "po-1", "sta'), None),
        (json({"state": "placed", "seats": 10}, 201), None),
        (json({**PLACED, "state": "shipped"}, 201), None),
        (json({**PLACED, "id": ".."}, 201), None),
        (json({**PLACED, "id": "a\nb"}, 201), None),
        (json({**PLACED, "expires": "next year"}, 201), None),
        (json({**PLACED, "expires": "2027-03-01T00:00:00"}, 201), None),
        (json({**PLACED, "seats": "many"}, 201), None),
        (json([PLACED], 201), None),
    ],
)  # fmt: skip
def test_an_answer_that_proves_nothing_is_worth_another_try_and_is_asked_once(
    opened: Callable[[str], Seller], world: World, answer: Answer, after: float | None
) -> None:
    with answering(opened, answer) as (seller, script):
        with pytest.raises(Transient) as caught:
            seller.place(ORDER)
        assert len(script.asked) == 1

    assert (caught.value.retry_after, caught.value.unsent, world.slept) == (after, False, [])
    assert "card_declined" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302, {"Location": "https://elsewhere.example/"}, b""),
        json({"error": "no"}, 400),
        json({"error": "no"}, 401),
        json({"error": "no"}, 403),
        json({"error": "no"}, 404),
        json({"error": "a payment is needed"}, 402),
        Answer(409, {}, b""),
        json({"refused": " "}, 409),
        json({"refused": "card_declined"}, 422),
    ],
)
def test_any_other_no_is_a_persons_matter_and_not_the_end_of_the_order(
    opened: Callable[[str], Seller], answer: Answer
) -> None:
    with answering(opened, answer) as (seller, script):
        with pytest.raises(NeedsPerson) as caught:
            seller.place(ORDER)
        assert len(script.asked) == 1

    assert str(answer.status) in str(caught.value) and caught.value.remedy


def test_nobody_home_means_that_nothing_left(opened: Callable[[str], Seller]) -> None:
    with nobody_listens() as port, pytest.raises(Transient, match="could not be reached") as caught:
        opened(f"http://127.0.0.1:{port}").place(ORDER)

    assert caught.value.unsent


@pytest.mark.parametrize("secret", ["", "whsec_%%%"])
def test_a_secret_that_is_none_is_a_persons_matter_before_anything_leaves(
    tmp_path: Path, world: World, secret: str
) -> None:
    with scripted() as script:
        seller = registry.open_seller(
            entry(script.url), context_of(tmp_path, world, frozenset({"127.0.0.1"}), secret=secret)
        )
        for ask in (lambda: seller.place(ORDER), lambda: seller.find("key-1"), lambda: seller.look_up("po-1", "key-1")):
            with pytest.raises(NeedsPerson) as caught:
                ask()
            assert caught.value.unsent
        assert script.asked == []


@pytest.mark.parametrize(
    "said, seats",
    [({}, 10), ({"seats": 0}, 0), ({"seats": None}, 0), ({"seats": -3}, 0), ({"seats": 1000}, 1000)],
)
def test_the_number_of_seats_is_told_as_it_was_answered(
    opened: Callable[[str], Seller], said: dict[str, object], seats: int
) -> None:
    with answering(opened, json({**PLACED, **said}, 201)) as (seller, _):
        receipt = seller.place(ORDER)

    assert isinstance(receipt, Receipt) and receipt.seats == seats


@pytest.mark.parametrize(
    "said, day",
    [
        (None, None),
        ("2027-03-01", date(2027, 3, 1)),
        ("2027-03-01T23:59:59Z", date(2027, 3, 1)),
        ("2027-03-01T20:00:00-05:00", date(2027, 3, 2)),
    ],
)
def test_a_last_day_is_a_date_or_an_instant(
    opened: Callable[[str], Seller], said: str | None, day: date | None
) -> None:
    with answering(opened, json({**PLACED, "id": 17, "expires": said, "license_key": "SK1.x.y"}, 201)) as (seller, _):
        assert seller.place(ORDER) == Receipt("17", "placed", 10, day, "SK1.x.y")


@proves("P2")
def test_an_order_listed_twice_is_one_and_two_orders_under_one_key_are_a_persons_matter(
    opened: Callable[[str], Seller],
) -> None:
    answers = json([PLACED, PLACED]), json([PLACED, {**PLACED, "id": "po-2"}])
    with answering(opened, *answers) as (seller, _):
        assert seller.find("key-1") == Receipt("po-1", "placed", 10, date(2027, 3, 1))
        with pytest.raises(NeedsPerson, match="2 orders under one key"):
            seller.find("key-1")


def test_another_order_than_the_one_asked_for_is_a_persons_matter(opened: Callable[[str], Seller]) -> None:
    with answering(opened, json({**PLACED, "id": "po-2"})) as (seller, _), pytest.raises(NeedsPerson):
        seller.look_up("po-1", "key-1")


def test_what_is_lost_on_the_way_is_found_under_its_key(simulator: Simulator, seller: Seller) -> None:
    for kind in ("lost_reply", "late_error", "cut", "cut_connection", "blank"):
        simulator.order(Fault(kind))
        with pytest.raises(Transient) as caught:
            seller.place(ORDER._replace(key=kind))
        assert not caught.value.unsent
        found = seller.find(kind)
        assert found is not None and found.state == "fulfilled"


# Where requests may go


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:{port}"])
def test_this_machine_must_be_listed(tmp_path: Path, world: World, host: str) -> None:
    with scripted(json([])) as script:
        for hosts in (frozenset[str](), frozenset({"localhost", "127.0.0.1:1"})):
            with pytest.raises(NeedsPerson, match="orders do not go there") as caught:
                registry.open_seller(entry(script.url), context_of(tmp_path, world, hosts))
            assert "allowed_hosts" in caught.value.remedy
        hosts = frozenset({host.format(port=script.url.rpartition(":")[2])})
        assert registry.open_seller(entry(script.url), context_of(tmp_path, world, hosts)).find("key-1") is None


def test_a_name_that_leads_inside_is_asked_nothing_unless_it_is_listed(tmp_path: Path, world: World) -> None:
    """What a name stands for is only known once there is a connection."""
    context = context_of(tmp_path, world, frozenset())
    with scripted() as script:
        seller = Portal(context.http, root(script.url), EnvRef("PORTAL_SECRET"), context.secrets, context.world, False)
        with pytest.raises(NeedsPerson, match="not a public address") as caught:
            seller.place(ORDER)
        assert script.asked == []

    assert caught.value.unsent


def test_nothing_is_asked_unencrypted_of_another_machine(tmp_path: Path, world: World) -> None:
    with pytest.raises(NeedsPerson, match="not encrypted"):
        registry.open_seller(entry("http://portal.example"), context_of(tmp_path, world, frozenset({"portal.example"})))


# What a policy says


def policy(seller: str) -> SellerEntry:
    text = f"company: contoso\nname: Contoso\npurchasing:\n  seller: {{{seller}}}\n"
    return read_policy(text, "contoso.yaml", registry.kinds()).purchasing.seller


@proves("P8")
def test_a_policy_names_a_portal_by_its_kind() -> None:
    found = policy('kind: http, url: "https://portal.example/api", secret: {env: PORTAL_SECRET}')

    assert found == entry("https://portal.example/api")


@pytest.mark.parametrize(
    "wrong",
    [
        'kind: http, url: "https://portal.example"',
        "kind: http, secret: {env: S}",
        'kind: http, url: "http://portal.example", secret: {env: S}',
        'kind: http, url: "https://kim@portal.example", secret: {env: S}',
        'kind: http, url: "https://portal.example", secret: c2VjcmV0',
        'kind: portal, url: "https://portal.example", secret: {env: S}',
    ],
)
def test_a_policy_that_names_it_wrongly_is_told_where(wrong: str) -> None:
    with pytest.raises(PolicyError, match=r"contoso\.yaml:4:"):
        policy(wrong)


def test_the_simulators_secret_has_the_form_of_the_specification() -> None:
    assert len(base64.b64decode(SIMULATED_SECRET.removeprefix("whsec_"))) >= 24
