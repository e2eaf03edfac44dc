"""What a policy calls a group, and what becomes of a rule whose group cannot be found (G3)."""

from textwrap import indent

from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, Fault, Tenant
from tests.proves import proves
from tests.worker.world import SECRET, Customer, World
from worker.operations.syncing import sync

STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"
EVERYONE = "\n- {name: everyone, everyone: true, license: standard}"


@proves("G3")
def test_a_name_that_no_group_has_suspends_the_rule_and_takes_nothing(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.policy(STAFF.replace("[Staff]", "[Staf]") + EVERYONE)
    result = contoso.sync()
    assert result.outcome in ("applied", "nothing_to_do")
    assert result.error is not None and "'staff' is suspended" in result.error and "'Staf'" in result.error
    assert contoso.licenses() == {"Ada": "standard"}
    assert contoso.waiting() == {"Ben": "rule_suspended"}, "lower rules give nothing new"
    assert contoso.row().state == "healthy"


@proves("G3", "Z8")
def test_a_suspended_rule_is_told_at_every_pass_and_written_once(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.policy(STAFF)
    first = contoso.sync()
    before = world.sizes()
    world.later(minutes=1)
    second = contoso.sync()
    assert second.error == first.error is not None
    assert second.outcome == "nothing_to_do"
    assert world.sizes() == before


@proves("G3")
def test_a_group_that_appears_under_the_name_ends_the_suspension(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    assert contoso.waiting() == dict.fromkeys(["Ada", "Ben"], "rule_suspended")
    contoso.group("Staff", "Ada")
    result = contoso.sync()
    assert result.error is None
    assert (contoso.licenses(), contoso.waiting()) == ({"Ada": "standard"}, {})


@proves("G3")
def test_a_name_that_two_groups_have_suspends_the_rule(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.group("Staff")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    result = contoso.sync()
    assert result.error is not None and "matches several groups" in result.error
    assert (contoso.licenses(), contoso.waiting()) == ({}, {"Ada": "rule_suspended"})


@proves("G3")
def test_a_renamed_group_is_followed_and_its_namesake_is_not(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Eve")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.update_group(staff, displayName="Employees")
    contoso.group("Staff", "Eve")
    contoso.settle()
    contoso.sync(full=True)
    assert contoso.licenses() == {"Ada": "standard"}
    contoso.hire("Ben")
    contoso.tenant.add_member(staff, contoso.people["Ben"])
    result = contoso.sync()
    assert result.error is None
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}


@proves("G3")
def test_a_later_namesake_is_reported_once_everybody_is_planned_and_for_as_long_as_there_is_one(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Eve")
    staff = contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    assert contoso.sync().warning is None
    eves = contoso.group("Staff", "Eve")
    world.later(days=1)
    for result in (contoso.sync(), contoso.sync()):
        assert result.error is None, "nothing is suspended"
        told = f"another group is called 'Staff' by now, {eves}: it is ignored, the name stands for {staff}"
        assert result.warning == told
        with world.store.read() as tx:
            [directory] = tx.views.status(0, {}).directories
        assert (directory.state, directory.problem) == ("healthy", told)
        assert directory.remedy is not None and "policy rebind" in directory.remedy
    assert contoso.licenses() == {"Ada": "standard"}
    contoso.tenant.delete_group(eves)
    result = contoso.sync(full=True)
    assert (result.warning, result.remedy) == (None, None)
    with world.store.read() as tx:
        assert [directory.problem for directory in tx.views.status(0, {}).directories] == [None]


@proves("G3")
def test_a_suspended_rule_is_shown_in_status_until_it_ends(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.policy(STAFF)
    contoso.sync()
    with world.store.read() as tx:
        [directory] = tx.views.status(0, {}).directories
    assert directory.problem is not None and "'staff' is suspended" in directory.problem
    contoso.group("Staff", "Ada")
    contoso.sync()
    with world.store.read() as tx:
        assert [directory.problem for directory in tx.views.status(0, {}).directories] == [None]


@proves("G3")
def test_a_deleted_group_suspends_its_rule_and_a_namesake_does_not_take_its_place(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada", "Ben", "Eve")
    staff = contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.delete_group(staff)
    contoso.group("Staff", "Eve")
    result = contoso.sync()
    assert result.error is not None and "is gone" in result.error
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    world.later(days=2)
    result = contoso.sync(full=True)
    assert result.error is not None
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert contoso.waiting() == {"Eve": "rule_suspended"}


@proves("G3")
def test_a_group_out_of_the_recycle_bin_goes_on_where_it_was(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    staff = contoso.group("Staff", "Ada", mail="staff@contoso.example", unified=True)
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.delete_group(staff)
    assert contoso.sync().error is not None
    contoso.tenant.restore_group(staff)
    contoso.tenant.add_member(staff, contoso.people["Ben"])
    assert contoso.sync().error is None
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}


@proves("G3")
def test_a_group_among_the_exceptions_suspends_the_rule_too(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada", "Ben")
    world.add_lot("standard", 5)
    rule = "- {name: staff, groups: [Staff], except: {groups: [Contractors]}, license: standard}"
    contoso.policy(rule)
    result = contoso.sync()
    assert result.error is not None and "'Contractors'" in result.error
    assert contoso.licenses() == {}
    contoso.group("Contractors", "Ben")
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}


@proves("G3", "Z9")
def test_groups_that_may_not_be_read_suspend_their_rules_and_no_others(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.revoke("GroupMember.Read.All")
    contoso.hire("Cy", department="Finance")
    rule = "- {name: finance, attributes: {department: [Finance]}, license: standard}\n"
    contoso.policy(rule + STAFF)
    for result in (contoso.sync(), contoso.sync()):
        assert result.error is not None and "groups cannot be read" in result.error
        assert result.remedy is not None
        assert contoso.licenses() == {"Ada": "standard", "Cy": "standard"}
    contoso.tenant.grant("GroupMember.Read.All")
    assert contoso.sync().error is None
    assert (contoso.licenses(), contoso.waiting()) == ({"Ada": "standard", "Cy": "standard"}, {})


def two_directories(world: World, contoso: Customer, rules: str) -> Tenant:
    """The company has a second directory, contoso-other; its tenant."""
    other = world.simulator.add_tenant(domain="other.example")
    second = (
        "  contoso-other:\n    kind: microsoft365\n"
        f"    tenant: {other.id}\n    credential: {{client_id: {SIMULATED_CLIENT_ID}, secret: {{env: {SECRET}}}}}\n"
        f"    graph_url: {world.url}\n    login_url: {world.url}\n"
    )
    contoso.policy(STAFF)
    text = contoso.file.read_text(encoding="utf-8").replace("directories:\n", f"directories:\n{second}")
    contoso.file.write_text(text.replace(f"  {STAFF}", indent(rules, "  ")), encoding="utf-8")
    assert world.load() == ()
    return other


@proves("G3")
def test_a_name_need_only_be_found_in_one_directory_of_the_company(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    world.add_lot("standard", 5)
    other = two_directories(world, contoso, STAFF)
    staff = other.create_group("Staff", members=[other.hire("Ben")])
    first = contoso.sync()
    assert first.error is not None
    assert contoso.waiting() == {"Ada": "rule_suspended"}
    assert sync(world.app, "contoso-other").error is None
    result = contoso.sync()
    assert result.error is None, "another directory of the company has the group"
    assert contoso.waiting() == {}
    other.delete_group(staff)
    assert sync(world.app, "contoso-other").error is not None
    assert contoso.sync().error is not None, "now no directory has it"


@proves("Z2")
def test_a_group_that_reads_empty_is_read_again_before_anybody_leaves(world: World, contoso: Customer) -> None:
    """Accident 9: a large group left the target empty without an error."""
    contoso.crowd(4)
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    world.simulator.order(Fault("empty_list", "/groups/delta"), Fault("empty_list", "/groups/*/members"))
    result = contoso.sync(full=True)
    assert result.outcome == "failed", result
    assert len(contoso.licenses()) == 4
    world.simulator.withdraw_faults()
    assert contoso.sync(full=True).outcome == "nothing_to_do"


@proves("Z2", "G4")
def test_a_group_that_really_is_empty_is_believed_after_the_second_reading(world: World, contoso: Customer) -> None:
    people = contoso.crowd(4)
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    group = contoso.tenant.find_group("Staff")
    for person in people:
        contoso.tenant.remove_member(group, person)
    contoso.sync(full=True)
    assert contoso.licenses() == {}


@proves("G3")
def test_a_name_that_may_not_be_looked_up_suspends_its_rule_too(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada")
    contoso.group("Employees", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.revoke("GroupMember.Read.All")
    contoso.policy(
        STAFF.replace("Staff", "Employees")
        + "\n- {name: others, everyone: true, except: {groups: [Contractors]}, license: standard}"
    )
    for result in (contoso.sync(), contoso.sync()):
        assert result.error is not None and "groups cannot be read" in result.error
        assert contoso.licenses() == {"Ada": "standard"}
        assert contoso.waiting() == {"Ben": "rule_suspended"}


@proves("G3")
def test_a_name_counts_as_found_only_in_directories_that_its_rule_is_for(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    world.add_lot("standard", 5)
    other = two_directories(
        world,
        contoso,
        "- {name: staff, directories: [contoso-m365], everyone: true, except: {groups: [Contractors]},"
        " license: standard}\n- {name: others, directories: [contoso-other], groups: [Contractors], license: standard}",
    )
    other.create_group("Contractors", members=[other.hire("Ben")])
    assert sync(world.app, "contoso-other").error is None
    result = contoso.sync()
    assert result.error == "rule 'staff' is suspended: the group 'Contractors' matches no group"
    assert (contoso.licenses(), contoso.waiting()) == ({}, {"Ada": "rule_suspended"})


@proves("G3", "Z11")
def test_a_name_does_not_count_as_found_in_a_directory_that_the_policy_has_no_more(
    world: World, contoso: Customer
) -> None:
    contoso.hire("Ada")
    world.add_lot("standard", 5)
    other = two_directories(world, contoso, STAFF)
    other.create_group("Staff", members=[other.hire("Ben")])
    assert sync(world.app, "contoso-other").error is None
    assert contoso.sync().error is None
    contoso.policy(STAFF)
    assert contoso.sync().error is not None
    assert contoso.waiting() == {"Ada": "rule_suspended"}
