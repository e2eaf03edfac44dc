"""Before backups go: notices, their answers, and clocks that end only when everything is well (L4, R)."""

from datetime import timedelta

from tests.proves import proves
from tests.worker.test_by_hand import ask
from tests.worker.world import PERSON, Customer, World
from worker.operations.pool_pass import pass_pools
from worker.operations.retaining import acknowledge

STAFF = """
- name: staff
  groups: [Staff]
  license: standard
  on_leave: {then: release, after: 0s}
"""


def released(world: World, customer: Customer, *names: str, retention: str = "60d", **sections: str) -> None:
    """People who have lost their standard licenses just now, because they left a group."""
    customer.hire(*names)
    group = customer.people["the staff"] = customer.group("Staff", *names)
    world.add_lot("standard", len(names))
    safety = "{release: {most: 1000, share: 100%}, purge: {most: 1000, share: 100%}}"
    customer.policy(STAFF, licenses=f"{{retention: {retention}}}", **({"safety": safety} | sections))
    customer.sync()
    for name in names:
        customer.tenant.remove_member(group, customer.people[name])
    customer.sync()
    assert customer.licenses() == {}
    look(world)


def look(world: World) -> None:
    """What a timer does: the pools, and then nothing more."""
    pass_pools(world.app)


def after(world: World, customer: Customer, **of: float) -> None:
    """Time passes, the directory is read, and the pools are looked at."""
    world.later(timedelta(**of))
    customer.sync()
    look(world)


def open_notices(world: World) -> list[tuple[int, int]]:
    """Distance and number of accounts of every notice that waits for an answer."""
    with world.store.read() as tx:
        return [(notice.days, len(notice.accounts)) for notice in tx.notices.listing()]


def accept_all(world: World) -> None:
    with world.store.read() as tx:
        ids = [notice.id for notice in tx.notices.listing()]
    acknowledge(world.app, ids, PERSON)
    look(world)


def purged(world: World) -> int:
    return world.happened()["account.purge_due"]


@proves("R1", "L4")
def test_people_are_told_30_7_and_1_days_before_and_then_the_backups_may_go(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada", "Ben")
    after(world, contoso, days=29, hours=23)
    assert open_notices(world) == []
    told = []
    for hours in (1, 23 * 24, 6 * 24):
        after(world, contoso, hours=hours)
        told += open_notices(world)
        accept_all(world)
    assert told == [(30, 2), (7, 2), (1, 2)]
    assert world.happened()["notice.due"] == 6
    after(world, contoso, hours=23)
    assert purged(world) == 0
    after(world, contoso, hours=1)
    assert purged(world) == 2
    after(world, contoso, days=1)
    assert purged(world) == 2
    assert world.is_sound()


@proves("R1")
def test_without_an_answer_nothing_goes_and_status_says_so(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    for days in (30, 23, 6, 1, 100):
        after(world, contoso, days=days)
    assert purged(world) == 0
    with world.store.read() as tx:
        assert tx.views.status(0).notices == 3
    before = world.dump()
    look(world)
    assert world.dump() == before


@proves("R1")
def test_the_end_moves_back_until_the_days_of_a_notice_have_passed_since_its_answer(
    world: World, contoso: Customer
) -> None:
    released(world, contoso, "Ada")
    after(world, contoso, days=30)
    world.later(days=10)
    accept_all(world)
    assert contoso.clocks() == {"Ada": timedelta(days=30)}


@proves("R1")
def test_after_a_standstill_nothing_is_gone_in_a_minute(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    after(world, contoso, days=100)
    assert open_notices(world) == [(30, 1)]
    accept_all(world)
    assert contoso.clocks() == {"Ada": timedelta(days=30)}
    after(world, contoso, days=23)
    assert open_notices(world) == [(7, 1)]
    accept_all(world)
    after(world, contoso, days=6)
    accept_all(world)
    assert purged(world) == 0
    after(world, contoso, days=1)
    assert purged(world) == 1


@proves("R1")
def test_a_late_answer_makes_the_shorter_notices_go_out_again(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    for days in (30, 23, 6):
        after(world, contoso, days=days)
    assert open_notices(world) == [(30, 1), (7, 1), (1, 1)]
    with world.store.read() as tx:
        longest = tx.notices.listing()[0].id
    acknowledge(world.app, [longest], PERSON)
    look(world)
    assert open_notices(world) == []
    after(world, contoso, days=23)
    assert open_notices(world) == [(7, 1)]


@proves("R1")
def test_a_retention_that_is_shorter_than_every_notice_has_one_all_the_same(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada", retention="12h")
    assert open_notices(world) == [(1, 1)]
    after(world, contoso, hours=12)
    assert purged(world) == 0
    accept_all(world)
    after(world, contoso, hours=23)
    assert purged(world) == 0
    after(world, contoso, hours=1)
    assert purged(world) == 1


@proves("L4", "R1")
def test_a_license_that_comes_back_stops_the_clock_and_its_notices(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    after(world, contoso, days=30)
    contoso.tenant.add_member(contoso.people["the staff"], contoso.people["Ada"])
    after(world, contoso, minutes=1)
    assert (contoso.licenses(), contoso.clocks(), open_notices(world)) == ({"Ada": "standard"}, {}, [])
    after(world, contoso, days=90)
    assert purged(world) == 0


def run_out(world: World, customer: Customer) -> None:
    """Everything is accepted, and the clocks are an hour from their end."""
    for days in (30, 23, 6):
        after(world, customer, days=days)
        accept_all(world)
    world.later(hours=23)


@proves("R4")
def test_a_directory_that_was_not_read_for_a_day_ends_no_clock(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    run_out(world, contoso)
    world.later(hours=25)
    look(world)
    assert purged(world) == 0
    contoso.sync()
    look(world)
    assert purged(world) == 1


@proves("R4")
def test_a_look_up_that_does_not_agree_ends_no_clock(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    run_out(world, contoso)
    contoso.sync()
    contoso.delete("Ada")
    world.later(hours=2)
    look(world)
    assert purged(world) == 0


@proves("R4", "Z11")
def test_a_frozen_directory_ends_no_clock(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    run_out(world, contoso)
    contoso.sync()
    contoso.file.unlink()
    world.load()
    world.later(hours=2)
    look(world)
    assert purged(world) == 0


@proves("R2")
def test_a_legal_hold_stops_the_end_of_a_clock(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada", "Ben")
    with world.store.begin() as tx:
        key = tx.views.account_by_name("ada@contoso.example").key
        tx.legal_holds.hold(tx.by_hand.subjects([key]), PERSON, 0)
    run_out(world, contoso)
    after(world, contoso, hours=2)
    assert purged(world) == 1
    assert contoso.clocks().keys() == {"Ada", "Ben"}
    with world.store.begin() as tx:
        tx.legal_holds.lift(tx.by_hand.subjects([key]), PERSON, 0)
    after(world, contoso, hours=1)
    assert purged(world) == 2


@proves("R3")
def test_an_edit_lengthens_clocks_that_run_and_never_shortens_them(world: World, contoso: Customer) -> None:
    released(world, contoso, "Ada")
    after(world, contoso, days=30)
    assert open_notices(world) == [(30, 1)]
    contoso.policy(STAFF, licenses="{retention: 90d}")
    look(world)
    assert contoso.clocks() == {"Ada": timedelta(days=60)}
    assert open_notices(world) == []
    contoso.policy(STAFF, licenses="{retention: 10d}")
    look(world)
    assert contoso.clocks() == {"Ada": timedelta(days=60)}
    after(world, contoso, days=30)
    assert open_notices(world) == [(30, 1)]


@proves("Z1")
def test_more_ends_than_the_limit_wait_for_a_person(world: World, contoso: Customer) -> None:
    limits = "{release: {most: 1000, share: 100%}, purge: {most: 1, share: 100%}}"
    released(world, contoso, "Ada", "Ben", safety=limits)
    run_out(world, contoso)
    after(world, contoso, hours=2)
    assert (purged(world), world.holds()) == (0, [("purge", 2)])
    before = world.rows("SELECT * FROM plan")
    look(world)
    assert world.rows("SELECT * FROM plan") == before
    assert world.approve(world.hold("purge")) is None
    assert (purged(world), world.holds()) == (2, [])
    assert world.is_sound()


@proves("Z1", "L5")
def test_what_a_person_let_go_by_hand_counts_with_the_clocks_that_end(world: World, contoso: Customer) -> None:
    limits = "{release: {most: 1000, share: 100%}, purge: {most: 2, share: 100%}}"
    released(world, contoso, "Ada", "Ben", safety=limits)
    run_out(world, contoso)
    contoso.hire("Cy")
    world.add_lot("archived", 1)
    contoso.sync()
    ask(world, "assign", "Cy", license="archived")
    ask(world, "deactivate", "Cy")
    assert purged(world) == 1
    after(world, contoso, hours=2)
    assert (purged(world), world.holds()) == (1, [("purge", 2)])


@proves("Z1")
def test_ends_that_a_person_refused_are_not_proposed_again(world: World, contoso: Customer) -> None:
    limits = "{release: {most: 1000, share: 100%}, purge: {most: 0, share: 100%}}"
    released(world, contoso, "Ada", safety=limits)
    run_out(world, contoso)
    after(world, contoso, hours=2)
    hash = world.hold("purge")
    world.reject(hash)
    after(world, contoso, days=2)
    assert (purged(world), world.holds()) == (0, [])
    world.reopen(hash)
    look(world)
    assert world.holds() == [("purge", 1)]
