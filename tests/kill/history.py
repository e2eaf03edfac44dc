"""A short history of one customer, as it is played to daemons that nobody disturbs, and to others that are killed."""

from collections.abc import Callable
from contextlib import suppress

from tests.kill.house import House
from tests.worker.world import PERSON
from worker.errors import Busy
from worker.operations.approving import approve

RULES = """
- {name: executives, groups: [Executives], license: standard, limit: 1}
- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}
- {name: shared, mailboxes: shared, license: standard}
"""
Act = Callable[[House], None]


def begin(house: House) -> None:
    """Nothing was read yet; seats are short."""
    contoso, world = house.contoso, house.world
    contoso.crowd(8)
    contoso.group("Executives", "Person 005")
    contoso.mailbox("Careers")
    world.add_lot("standard", 6)
    world.add_lot("archived", 1)
    contoso.policy(
        RULES,
        directory="every: 1s",
        purchasing=f"{{seller: {{kind: http, url: '{house.portal_url}', secret: {{file: portal}}}},"
        " standard: {auto: true, pack: 2}, archived: {auto: true}}",
        notify=f"[{house.hook.entry}, {{email: {{to: [ops@contoso.example]}}}}]",
        safety="{archive: {most: 3, share: 100%}}",
    )


def busy_day(house: House) -> None:
    """Leavers, deletions of both kinds, a converted mailbox, a move between rules; and everybody is read, as weekly."""
    contoso = house.contoso
    staff, executives = contoso.tenant.find_group("Staff"), contoso.tenant.find_group("Executives")
    with contoso.tenant.lock:
        with house.world.store.begin() as tx:
            tx.execute("UPDATE directory SET read_whole_at = 0")
        contoso.delete("Person 000")
        contoso.tenant.purge_user(contoso.people["Person 001"])
        contoso.tenant.remove_member(staff, contoso.people["Person 002"])
        contoso.tenant.convert_mailbox(contoso.people["Person 003"], "shared")
        contoso.tenant.disable(contoso.people["Person 003"])
        contoso.tenant.remove_member(executives, contoso.people["Person 005"])


def hires(house: House) -> None:
    """More people than there are seats for: what is short is bought."""
    contoso = house.contoso
    with contoso.tenant.lock:
        contoso.hire("Zoe", "Yan", "Xenia", "Wim", "Vera")
        staff = contoso.tenant.find_group("Staff")
        contoso.tenant.add_members(staff, [contoso.people[name] for name in ("Zoe", "Yan", "Xenia", "Wim", "Vera")])


def mass_deletion(house: House) -> None:
    """More than the limit lets through: held for a person."""
    with house.contoso.tenant.lock:
        house.contoso.delete("Person 004", "Person 006", "Zoe", "Yan")


def approval(house: House) -> None:
    """A person has a mail about it, and approves. The daemon may be at work on the directory just then, so that the
    person tries again."""
    house.until(lambda: house.mailbox.letters)
    hash = house.world.hold("archive")

    def approved() -> bool:
        with suppress(Busy):
            approve(house.world.app, hash, PERSON)
            return True
        return False

    house.until(approved)


ACTS: tuple[Act, ...] = (begin, busy_day, hires, mass_deletion, approval)
BETWEEN_PASSES = (busy_day, hires, mass_deletion)
"""What a pass makes of it that has read half the directory before depends on which half, and no two plays agree."""
STEPS = (
    "leased", "page", "staged", "look-up", "resolve", "group page", "mailboxes", "pulled", "merged", "planned",
    "applied", "order claimed", "order leaves", "order answered", "order recorded", "receiver claimed",
    "events sent", "mail leaves", "mail sent", "commit",
)  # fmt: skip
"""Every step that is marked, and any commit."""
OF_GOOGLE = ("units", "registered")
"""Steps that only directories of Google Workspace have."""
