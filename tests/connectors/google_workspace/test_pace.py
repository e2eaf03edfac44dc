"""How fast requests are let through."""

from datetime import timedelta

from connectors.google_workspace.pace import Pace, of_customer, of_project
from tests.connectors.world import World


def waits(pace: Pace, world: World, number: int) -> list[float]:
    """How long each of so many requests at once has to wait, in hundredths of a second."""
    return [round(pace.take(world.now), 2) for _ in range(number)]


def test_a_few_go_at_once_and_the_rest_in_step() -> None:
    assert waits(Pace(rate=10, burst=3), World(), 6) == [0, 0, 0, 0.1, 0.2, 0.3]


def test_a_pause_lets_a_few_go_at_once_again() -> None:
    world = World()
    pace = Pace(rate=10, burst=3)
    waits(pace, world, 5)
    world.now += timedelta(minutes=1)
    assert waits(pace, world, 4) == [0, 0, 0, 0.1]


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    world = World()
    pace = Pace(rate=10, burst=1)
    waits(pace, world, 2)
    world.now -= timedelta(hours=1)
    assert waits(pace, world, 1) == [0.2]


def test_whoever_asks_too_often_goes_half_as_fast_and_recovers_by_the_minute() -> None:
    world = World()
    pace = Pace(rate=10, burst=20)
    pace.take(world.now)
    pace.slow_down(world.now)
    assert waits(pace, world, 3) == [0.2, 0.4, 0.6]
    world.now += timedelta(minutes=2)
    assert waits(pace, world, 15)[-2:] == [0, round(1 / 7, 2)]
    world.now += timedelta(minutes=5)
    assert waits(pace, world, 21)[-1] == 0.1


def test_however_often_google_says_so_it_is_asked_once_a_second() -> None:
    world = World()
    pace = Pace(rate=10, burst=20)
    for _ in range(10):
        pace.slow_down(world.now)
    assert waits(pace, world, 2) == [1, 2]


def test_all_customers_of_a_project_stay_below_its_quota() -> None:
    """Google: 2,400 requests a minute for a user of a project."""
    world, project = World(), of_project()
    customers = [of_customer() for _ in range(1_000)]
    sent = 0
    until = world.now + timedelta(minutes=10)
    while world.now < until:
        customer = customers[sent % 1_000]
        world.sleep(customer.take(world.now))
        world.sleep(project.take(world.now))
        sent += 1
    assert 2_000 * 10 < sent < 2_200 * 10
