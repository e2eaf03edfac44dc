"""Every fault that the simulated Google has on order, on every list: none takes or gives a license (Z2, D4)."""

from typing import get_args

import pytest

from connectors.simulators.google_workspace import Fault
from connectors.simulators.google_workspace.faults import Kind
from tests.proves import proves
from tests.worker.google import NAMES, SALES, STAFF, GoogleCustomer, workspace
from tests.worker.world import World

pytestmark = pytest.mark.slow
KINDS = sorted({*get_args(Kind)} - {"hang", "refuse", "error", "slow"})
"""A sign-in that is refused, and an answer that never comes, are met elsewhere."""
STATUSES = (400, 403, 404, 409, 410, 412, 429, 500, 502, 503)
RULES = f"- {{name: shared, mailboxes: shared, license: standard}}\n{STAFF}\n{SALES}"
DECLARED = "shared_mailboxes_are: {org_units: [/Shared], groups: [desks@contoso.example]}"
PATHS = ("/users", "/users?showDeleted=true", "/users*", "/groups/*", "/groups/*/members", "/customer/*/orgunits", "*")


def founded(contoso: GoogleCustomer) -> None:
    """People in units, in groups and in a group within a group; somebody who was deleted; shared mailboxes."""
    contoso.gws.create_unit("/Sales/EMEA")
    contoso.gws.create_unit("/Shared")
    contoso.hire(*NAMES[:6], unit="/Sales/EMEA")
    contoso.hire(*NAMES[6:], "Press", "Out")
    contoso.hire("Desk", unit="/Shared")
    contoso.group("staff", contoso.group("inner", *NAMES[6:8]), *NAMES[8:10], "Out")
    contoso.group("desks", "Press")
    contoso.world.add_lot("standard", 50)
    contoso.world.add_lot("archived", 50)
    contoso.policy(RULES, directory=DECLARED, licenses="{shared_mailboxes: unlimited}")
    contoso.sync()
    contoso.delete("Out")
    contoso.world.later(minutes=5)
    contoso.sync()


def standing(contoso: GoogleCustomer) -> object:
    """Who holds what and why, who lives, who is of which kind, and what clocks run."""
    return (contoso.through(), contoso.sources(), contoso.states(), contoso.kinds(), contoso.clocks())


@proves("Z2", "D4", "G3", "S6")
@pytest.mark.parametrize("path", PATHS)
def test_no_fault_takes_or_gives_a_license(wire: World, path: str) -> None:
    with workspace(wire) as contoso:
        founded(contoso)
        before = standing(contoso)
        assert set(contoso.licenses()) == {*NAMES[:10], "Press", "Desk", "Out"}
        faults = [Fault(kind, path, times=None, entries=2) for kind in KINDS]
        for fault in [*faults, *(Fault("error", path, times=None, status=status) for status in STATUSES)]:
            contoso.wire.order(fault)
            contoso.world.later(hours=2)
            result = contoso.sync(full=True)
            assert standing(contoso) == before, (fault, result)
            contoso.wire.withdraw_faults()
        contoso.world.later(hours=2)
        healed = contoso.sync(full=True)
        assert (healed.error, standing(contoso), contoso.row().state) == (None, before, "healthy")
