"""What a person's approval of a hold brings about, and what it leaves as it is (Z1)."""

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID
from tests.proves import proves
from tests.worker.test_holds import STAFF_LEAVE_AT_ONCE, licensed, people
from tests.worker.world import Customer, World, counted


@proves("Z1", "Z2")
def test_an_approval_does_what_was_shown_and_not_what_has_come_to_it_since(world: World, contoso: Customer) -> None:
    licensed(world, contoso, rule=STAFF_LEAVE_AT_ONCE.replace("0s", "1d"))
    staff = contoso.tenant.find_group("Staff")
    for name in people(0, 6):
        contoso.tenant.remove_member(staff, contoso.people[name])
    contoso.sync()
    world.later(hours=2)
    for name in people(6, 9):
        contoso.tenant.remove_member(staff, contoso.people[name])
    contoso.sync()
    world.later(hours=22)
    contoso.sync()
    shown = world.hold("release")
    world.later(hours=3)
    result = world.approve(shown)
    assert result is not None and counted(result) == {"release": 6}, "three more graces have ended, and were not shown"
    assert world.holds() == [("release", 3)]
    assert len(contoso.licenses()) == 14


@proves("Z1", "Z2", "Z9", "R4", "M9")
def test_an_approval_reads_nothing_and_makes_no_failing_directory_well(world: World, contoso: Customer) -> None:
    licensed(world, contoso, rule=STAFF_LEAVE_AT_ONCE.replace("0s", "1d"))
    contoso.delete(*people(0, 6))
    contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Person 010"])
    [zoe] = contoso.hire("Zoe")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), zoe)
    contoso.sync()
    contoso.tenant.withdraw_consent(SIMULATED_CLIENT_ID)
    world.later(days=2)
    assert contoso.sync().outcome == "failed"
    before = contoso.row()
    result = world.approve(world.hold("archive"))
    assert result is not None and counted(result) == {"archive": 6}, "nobody else is touched while it cannot be read"
    assert contoso.licenses()["Person 010"] == "standard", "whoever left may have come back"
    assert contoso.waiting() == {"Zoe": "insufficient_licenses"}
    row = contoso.row()
    assert (row.state, row.problem, row.last_success) == ("failing", before.problem, before.last_success)
    assert "directory.recovered" not in world.record()
    contoso.tenant.consent(SIMULATED_CLIENT_ID)
    world.later(hours=2)
    assert counted(contoso.sync()) == {"release": 1, "assign": 1}


@proves("Z1", "Z11", "M9")
def test_an_approval_makes_no_directory_well_that_was_not_read_since_it_came_back(
    world: World, contoso: Customer
) -> None:
    licensed(world, contoso, rule=STAFF_LEAVE_AT_ONCE.replace("0s", "1d"))
    contoso.delete(*people(0, 6))
    contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Person 010"])
    contoso.sync()
    text = contoso.file.read_text(encoding="utf-8")
    contoso.file.unlink()
    world.load()
    world.later(days=2)
    contoso.file.write_text(text, encoding="utf-8")
    world.load()
    result = world.approve(world.hold("archive"))
    assert result is not None and counted(result) == {"archive": 6}
    assert contoso.licenses()["Person 010"] == "standard", "whoever left may have come back"
    assert contoso.row().state == "never_run"
    assert counted(contoso.sync()) == {"release": 1}
