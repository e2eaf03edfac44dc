"""What the policy declares to be a shared mailbox, in a list of users whose vendor has none (S6)."""

from tests.proves import proves
from tests.worker.world import World
from worker.operations.runs import RunResult
from worker.operations.syncing import sync

LIST = (
    "First Name,Last Name,Email Address,Org Unit Path,Status\n"
    "Ada,Winter,ada@contoso.example,/,Active\n"
    "Careers,Team,careers-team@contoso.example,/,Active\n"
    "Press,Office,press@contoso.example,/Shared/Press,Active\n"
)


def declared(world: World, text: str) -> RunResult:
    """One pass over the list under a declaration."""
    (world.folder / "contoso.yaml").write_text(
        "company: contoso\ndirectories:\n  contoso-export:\n    kind: file\n    path: users.csv\n"
        f"    {text}\nrules:\n  - {{name: everyone, everyone: true, license: standard}}\n"
    )
    assert world.load() == ()
    return sync(world.app, "contoso-export")


def shared(world: World) -> set[str]:
    return {name for (name,) in world.rows("SELECT name FROM account WHERE kind = 'shared_mailbox'")}


@proves("S6")
def test_a_declaration_says_what_is_shared_also_where_the_list_did_not_change(world: World) -> None:
    (world.folder / "users.csv").write_text(LIST)
    declared(world, "every: 1h")
    assert shared(world) == set()
    declared(world, 'shared_mailboxes_are: {addresses: ["*-team@contoso.example"], org_units: [/Shared]}')
    assert shared(world) == {"Careers Team", "Press Office"}
    declared(world, "shared_mailboxes_are: {org_units: [/Shared]}")
    assert shared(world) == {"Press Office"}
    assert sync(world.app, "contoso-export").outcome == "nothing_to_do"
