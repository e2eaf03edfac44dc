"""The day, scene by scene. What is told comes out of what really happened: results, rows and counts, never a script."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from connectors.simulators.google_workspace import Fault
from store.orders import OrderRow
from worker.demo.telling import Scene, names
from worker.demo.world import CONTOSO, FABRIKAM, PROVIDER, World, called, named, open_world, people_of, staff_of
from worker.operations.approving import approve, reject
from worker.operations.lots import NewLot, add_lot
from worker.operations.ordering import fulfill_order
from worker.operations.runs import RunResult

STANDARD, ARCHIVED = 180, 12
"""Seats that the provider has in stock in the morning."""
SYNC = ("seatkeeper sync contoso-m365",)
HIRES = ("Amal Idrissi", "Jonas Falk", "Priya Raman", "Stefan Vogel")
TEAM = (
    "Noa Fischer", "Ivo Petrov", "Lea Moreau", "Tomas Berg", "Ines Duarte", "Owen Clarke", "Yara Haddad",
    "Piet de Boer", "Mona Keller", "Luis Ortega", "Ruth Ansah", "Erik Holm", "Sara Lind", "Jan Novak", "Maya Rossi",
)  # fmt: skip
"""The people of a new project."""


def play(folder: Path, start: datetime) -> Iterator[Scene]:
    """Play the day in an empty folder, which keeps the store that it leads to. `start` is when it begins, UTC."""
    with open_world(folder, start) as world:
        for scene in SCENES:
            yield scene(world)


# --- the morning ---


def _connect(world: World) -> Scene:
    world.load()
    stock = [
        add_lot(world.app, NewLot("standard", STANDARD, ref="INV-2041"), PROVIDER),
        add_lot(world.app, NewLot("archived", ARCHIVED, ref="INV-2042"), PROVIDER),
    ]
    told = (
        "Northwind, a managed service provider, backs up two customers: the Microsoft 365 of Contoso"
        f" ({world.contoso.users.live_count} accounts) and the Google Workspace of Fabrikam"
        f" ({world.fabrikam.users.live_count}). One policy file per customer says who gets which license.",
        f"In stock for all customers together: {STANDARD} standard licenses (daily backups run) and {ARCHIVED} archived"
        " ones (existing backups are kept, none are made).",
    )
    commands = (
        f"seatkeeper lots add standard {STANDARD} --ref INV-2041",
        f"seatkeeper lots add archived {ARCHIVED} --ref INV-2042",
    )
    shown = [
        f"{added.lot.id}: {added.lot.seats} {added.lot.license}, valid through {added.lot.expires}" for added in stock
    ]
    return _scene(world, "Two customers", "two customers, stock bought", told, commands, shown=shown)


def _rehearse(world: World) -> Scene:
    world.later(10)
    result = world.sync(CONTOSO, dry=True)
    told = (
        f"A dry run reads the whole directory and shows the very plan of a real run: {_counts(result)['assign']} of"
        f" {result.seen} accounts would get a standard license. It writes nothing: no license, no order, no cursor.",
    )
    commands = ("seatkeeper sync contoso-m365 --dry-run",)
    return _scene(world, "Look before you leap", "dry run: nothing written", told, commands, [result])


def _first_pass(world: World) -> Scene:
    world.later(5)
    results = [world.sync(CONTOSO), world.sync(FABRIKAM)]
    assigned = sum(_counts(result)["assign"] for result in results)
    with world.app.store.read() as tx:
        held = (tx.holdings.held(tx.directories.company(name).key) for name in ("contoso", "fabrikam"))
        free, declared = (each.get(("standard", "entitlement"), 0) for each in held)
    told = (
        f"The first pass licenses {assigned} accounts. {free} of them are Contoso's shared mailboxes, which come free"
        " with purchased licenses and use no seat. Google has no such mailboxes; Fabrikam's policy says what stands for"
        f" one there, and {declared} fit. Guests, rooms, people who cannot sign in and contractors get nothing: no rule"
        " selects them.",
    )
    return _scene(world, "The first pass", f"{assigned} accounts licensed", told, ("seatkeeper sync",), results)


def _hires(world: World) -> Scene:
    world.later(30)
    people = [world.contoso.hire(name, department="Engineering", jobTitle="Engineer") for name in HIRES]
    world.contoso.add_members(world.contoso.find_group("Engineering"), people)
    result = world.sync(CONTOSO)
    told = (
        f"{names(list(HIRES), 4)} start at Contoso. Its IT puts them into the group Engineering, which is nested in"
        " Backup Staff, and with the next pass they are backed up. Nobody had to ask, and no more than what changed had"
        f" to be read: {result.seen} accounts.",
    )
    return _scene(world, "Four new people", f"{_counts(result)['assign']} hires licensed", told, SYNC, [result])


def _converted(world: World) -> Scene:
    world.later(50)
    person = people_of(world.contoso, "Finance")[3]
    world.contoso.convert_mailbox(person, "shared")
    world.contoso.update_user(person, assignedLicenses=[])
    result = world.sync(CONTOSO)
    told = (
        f"{called(world.contoso, person)} has left, and Contoso's IT turned the mailbox into a shared one, the usual"
        " way to keep it. It is the same account with the same backups. It moves to the free entitlement, and its seat"
        " is there for somebody else.",
    )
    return _scene(world, "A mailbox is converted", "conversion frees a seat", told, SYNC, [result])


def _leavers(world: World) -> Scene:
    world.later(40)
    gone = people_of(world.contoso, "IT")[2:5]
    who = [called(world.contoso, one) for one in gone]
    for one in gone:
        world.contoso.delete_user(one)
    result = world.sync(CONTOSO)
    archived = _counts(result)["archive"]
    told = (
        f"{names(who)} are deleted in the directory. Their backups must stay restorable, so each gets an archived"
        f" license, and in the same transaction {archived} standard seats become free.",
    )
    return _scene(world, "Three leavers", f"{archived} leavers archived", told, SYNC, [result])


def _restored(world: World) -> Scene:
    world.later(55)
    with world.app.store.read() as tx:
        record = tx.audit.latest(tx.directories.company("contoso").key)
    person = next(entry.subject for entry in record if entry.what == "license.archived")
    world.contoso.restore_user(person)
    result = world.sync(CONTOSO)
    told = (
        f"{called(world.contoso, person)} was deleted by mistake and comes back from the recycle bin: the same id, so"
        " the same account. It takes a standard seat first and gives the archived one back after, so that its data is"
        " never without a license.",
    )
    return _scene(world, "One comes back", f"{_counts(result)['restore']} user restored", told, SYNC, [result])


# --- the other customer, on Google ---


def _suspended(world: World) -> Scene:
    world.later(15)
    away, gone = staff_of(world.fabrikam, "/Engineering")[1:3]
    who = [named(world.fabrikam, one) for one in (away, gone)]
    world.fabrikam.suspend(away)
    world.fabrikam.delete_user(gone)
    result = world.sync(FABRIKAM)
    told = (
        f"Fabrikam's IT suspends {who[0]}, who is away for half a year, and deletes {who[1]}, who has left. Unless a"
        " rule says otherwise, whoever is suspended keeps the license; whoever is deleted gets an archived one.",
        f"Google tells no changes, so all {result.seen} accounts are read again. Nobody is taken for deleted because a"
        " list lacks them: Google's list of deleted users has to say so, or Google has to when asked for that one.",
    )
    headline = f"1 suspended, {_counts(result)['archive']} archived at Fabrikam"
    return _scene(world, "One is suspended, one leaves", headline, told, ("seatkeeper sync fabrikam-gws",), [result])


def _renamed(world: World) -> Scene:
    world.later(20)
    before = world.numbers()
    moved = len(staff_of(world.fabrikam, "/Sales/EMEA")) + len(staff_of(world.fabrikam, "/Sales/Americas"))
    world.fabrikam.rename_unit("/Sales", "Revenue")
    result = world.sync(FABRIKAM)
    unchanged = world.numbers() == before
    told = (
        f"Fabrikam renames its unit Sales to Revenue, and with it the path of {moved} people changes. The policy still"
        " says /Sales, but it was bound to the unit itself when it was first read:"
        f" {'no license changes' if unchanged else 'LICENSES CHANGED'}.",
    )
    commands = ("seatkeeper sync fabrikam-gws",)
    return _scene(world, "A unit gets another name", "renamed unit changes nothing", told, commands, [result])


# --- a shortage ---


def _shortage(world: World) -> Scene:
    world.later(60)
    team = [world.contoso.hire(name, department="Engineering", jobTitle="Project Lead") for name in TEAM]
    world.contoso.add_members(world.contoso.find_group("Engineering"), team)
    result = world.sync(CONTOSO)
    counts, order = _counts(result), _newest_order(world)
    told = (
        f"A project brings {len(TEAM)} people at once, and only {counts['assign']} seats are free. The other"
        f" {counts['wait']} wait, in a fixed order and with the reason shown.",
        f"Contoso's policy lets Seatkeeper buy: it writes down an order for {order.seats} seats (packs of 5, estimate"
        f" {order.estimate}), once, whatever crashes. The seller here is a person, so the order is placed with them.",
    )
    commands = (*SYNC, "seatkeeper accounts list --waiting insufficient_licenses")
    return _scene(world, "Too few seats", f"{counts['wait']} wait, {order.seats} ordered", told, commands, [result])


def _fulfilled(world: World) -> Scene:
    world.later(75)
    order = _newest_order(world)
    delivered = fulfill_order(world.app, order.id, PROVIDER, ref="INV-2077")
    served = delivered.tally.counts.get("assign", 0)
    told = (
        f"The seats have come. Fulfilling the order makes a lot of {delivered.lot.seats}, and in the same transaction"
        f" the {served} who waited are served: first come, first served.",
    )
    commands = (f"seatkeeper orders fulfill {order.id} --ref INV-2077",)
    shown = [f"{delivered.lot.id}: {served} assigned from the waiting, {delivered.lot.free} free"]
    return _scene(world, "The order is fulfilled", f"{served} who waited are served", told, commands, shown=shown)


# --- the afternoon's troubles ---


def _broken_policy(world: World) -> Scene:
    world.later(20)
    file = world.app.settings.policy_dir / "contoso.yaml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("license: standard", "license: standrd", 1), encoding="utf-8")
    problems = world.load()
    result = world.sync(CONTOSO)
    file.write_text(good, encoding="utf-8")
    world.load()
    told = (
        "Somebody edits Contoso's policy and mistypes a word. The file is reported with line, column and what is"
        f" expected there; its last good version stays in force, and the next pass finds {_outcome(result)}. The file"
        " is put right a minute later.",
    )
    shown = [line for problem in problems for line in problem.with_caret().splitlines()]
    commands = ("seatkeeper policy check",)
    return _scene(world, "A typing error", "broken policy changes nothing", told, commands, shown=shown)


def _unreachable(world: World) -> Scene:
    world.later(25)
    before = world.numbers()
    world.google.order(Fault("error", status=503, times=None))
    failed, fine = world.sync(FABRIKAM, fails=True), world.sync(CONTOSO)
    world.google.withdraw_faults()
    unchanged = world.numbers() == before
    world.later(10)
    recovered = world.sync(FABRIKAM)
    told = (
        "Fabrikam's directory cannot be reached. That is not an empty directory: everything about Fabrikam stays as it"
        f" was ({'no license changed' if unchanged else 'LICENSES CHANGED'}), `status` says what is wrong, and Contoso"
        f" goes on undisturbed ({_outcome(fine)}). Ten minutes later Fabrikam answers again ({_outcome(recovered)}).",
    )
    commands = ("seatkeeper sync", "seatkeeper status --check")
    headline = "unreachable: nothing changes"
    return _scene(world, "A directory is unreachable", headline, told, commands, [failed, fine])


def _mass_deletion(world: World) -> Scene:
    world.later(30)
    sales = people_of(world.contoso, "Sales")
    for one in sales:
        world.contoso.delete_user(one)
    result = world.sync(CONTOSO)
    held = result.held[0]
    with world.app.store.read() as tx:
        why = tx.plans.find(held.hash).why
    reject(world.app, held.hash, PROVIDER)
    for one in sales:
        world.contoso.restore_user(one)
    world.later(5)
    after = world.sync(CONTOSO)
    told = (
        f"A script at Contoso runs wild and deletes all {len(sales)} people of Sales. {held.total} of them hold a"
        " license, and so many archivings at once are beyond the safety limit: the whole kind is held, and nothing"
        " happens until a person looks at it.",
        "Northwind calls Contoso, hears that it was a mistake, and rejects the plan. The people are restored from the"
        f" recycle bin, and the next pass finds {_outcome(after)}, because nothing was ever taken.",
    )
    commands = (*SYNC, f"seatkeeper plan show {held.hash[:19]}", f"seatkeeper plan reject {held.hash[:19]}")
    headline = f"{held.total} archivings held, rejected"
    return _scene(world, "A mass deletion is held", headline, told, commands, [result], [why])


def _approved(world: World) -> Scene:
    world.later(40)
    for one in people_of(world.contoso, "Legal"):
        world.contoso.delete_user(one)
    held = world.sync(CONTOSO).held[0]
    world.later(10)
    result = approve(world.app, held.hash, PROVIDER)
    assert result is not None  # an archiving is no purchase
    counts, order = _counts(result), _newest_order(world)
    told = (
        f"This one is real: Contoso spins off Legal, and {held.total} licensed people go. The same limit holds the same"
        " kind of plan; this time it is approved by its hash, which stands for these very people and no others.",
        f"{counts['archive']} are archived at once. For {counts['wait']} there is no archived seat left: they keep the"
        f" standard one, shown as archive waiting, and an order for {order.seats} archived seats ({order.estimate}) is"
        " written down. It is for more than Contoso lets Seatkeeper buy alone, so it awaits approval.",
    )
    commands = (f"seatkeeper plan approve {held.hash[:19]}",)
    headline = f"{held.total} held, then approved"
    return _scene(world, "A real departure is approved", headline, told, commands, [result])


def _left_for_you(world: World) -> Scene:
    world.later(35)
    gone = staff_of(world.fabrikam, "/Operations")[:9]
    for one in gone:
        world.fabrikam.delete_user(one)
    result = world.sync(FABRIKAM)
    held = result.held[0]
    told = (
        f"{held.total} people of Fabrikam disappear late in the day. For a company of its size that is beyond the"
        " limit, too. Nobody has looked at it yet: this one is yours.",
    )
    commands = ("seatkeeper sync fabrikam-gws", f"seatkeeper plan show {held.hash[:19]}")
    return _scene(world, "One is left for you", f"{held.total} more held, left for you", told, commands, [result])


def _evening(world: World) -> Scene:
    world.later(30)
    with world.app.store.read() as tx:
        before = tx.audit.feed_end()
    results = [world.sync(CONTOSO), world.sync(FABRIKAM)]
    with world.app.store.read() as tx:
        after, breaks = tx.audit.feed_end(), list(tx.audit.verify())
    idle = f"{after - before} entries were added to the record" if after != before else "nothing was written"
    told = (
        f"The last pass of the day finds {_outcome(results[0])} at Contoso, and at Fabrikam the plan that is still"
        f" held: {idle}. Contoso's directory was asked for changes only, and Fabrikam's read whole.",
        f"The day left {after} entries in the record: who, what, before, after and why, each with the hash of the one"
        f" before it. All chains were just recomputed: {'they hold' if not breaks else f'{len(breaks)} DO NOT HOLD'}.",
    )
    commands = ("seatkeeper sync", "seatkeeper audit --verify")
    return _scene(world, "Evening", f"{after} entries on record", told, commands, results)


SCENES: Sequence[Callable[[World], Scene]] = (
    _connect, _rehearse, _first_pass, _hires, _converted, _leavers, _restored, _suspended, _renamed, _shortage,
    _fulfilled, _broken_policy, _unreachable, _mass_deletion, _approved, _left_for_you, _evening,
)  # fmt: skip


def _scene(
    world: World,
    title: str,
    headline: str,
    told: Sequence[str],
    commands: Sequence[str],
    results: Sequence[RunResult] = (),
    shown: Sequence[str] = (),
) -> Scene:
    numbers = world.numbers()
    return Scene(world.clock(), title, headline, tuple(told), tuple(commands), tuple(results), tuple(shown), numbers)


def _newest_order(world: World) -> OrderRow:
    with world.app.store.read() as tx:
        return tx.orders.listing(limit=1)[0]


def _counts(result: RunResult) -> Counter[str]:
    return Counter(action.kind for action in result.actions)


def _outcome(result: RunResult) -> str:
    return result.outcome.replace("_", " ")
