"""Binding a group's name to another group: only a person does (G3)."""

import pytest

from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.errors import Usage
from worker.operations.rebinding import Rebound, rebind

STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"


def a_lost_group(world: World, contoso: Customer) -> str:
    """Staff is deleted, and somebody makes another group of that name; its id."""
    contoso.hire("Ada", "Ben")
    old = contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    contoso.tenant.delete_group(old)
    new = contoso.group("Staff", "Ada", "Ben")
    result = contoso.sync()
    assert "suspended" in (result.error or "")
    assert contoso.licenses() == {"Ada": "standard"}
    return new


@proves("G3")
def test_a_name_is_bound_to_another_group_by_a_person(world: World, contoso: Customer) -> None:
    new = a_lost_group(world, contoso)
    done = rebind(world.app, "contoso-m365", "Staff", new, PERSON)
    assert (done.group.id, done.group.name) == (new, "Staff")
    assert done.before is not None and done.before != new
    assert contoso.licenses() == {"Ada": "standard"}
    result = contoso.sync()
    assert result.error is None
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    [(who, subject)] = world.rows("SELECT who, subject FROM audit WHERE what = 'policy.rebound'")
    assert (who, subject) == (PERSON, "Staff")


@proves("G3")
def test_only_names_of_the_policy_are_bound_and_only_to_groups_that_exist(world: World, contoso: Customer) -> None:
    new = a_lost_group(world, contoso)
    with pytest.raises(Usage, match="no rule of contoso names a group 'Sales'; they name Staff"):
        rebind(world.app, "contoso-m365", "Sales", new, PERSON)
    with pytest.raises(Usage, match="contoso-m365 has no group with the id"):
        rebind(world.app, "contoso-m365", "Staff", "8d0c3f6e-0000-4000-8000-000000000000", PERSON)


@proves("G3", "Z5")
def test_a_run_that_read_the_other_group_may_not_write_any_more(world: World, contoso: Customer) -> None:
    new = a_lost_group(world, contoso)
    contoso.tenant.add_member(new, contoso.hire("Cy")[0])
    rebound: list[Rebound] = []

    def meanwhile(step: str) -> None:
        if step == "pulled" and not rebound:
            rebound.append(rebind(world.app, "contoso-m365", "Staff", new, PERSON))

    app = world.restart(meanwhile)
    result = contoso.sync(app=app)
    assert (result.outcome, contoso.licenses()) == ("failed", {"Ada": "standard"})
    contoso.sync(app=world.restart())
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard", "Cy": "standard"}
