"""What licenses are given and taken for, and what is on record of it."""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

from connectors.simulators.microsoft365 import SIMULATED_SECRET, Habits
from tests.accidents.conftest import STAFF
from tests.accidents.town import LICENSING, Town, processes
from tests.proves import proves
from tests.worker.dying import die_at
from tests.worker.test_retention import accept_all, after, purged, released
from tests.worker.world import LEASE_RUNS_OUT, SECRET, World
from worker.settings import Settings

Licensed = Callable[..., str]
STEPS = ("leased", "pulled", "merged", "planned", "applied")


@proves("G5", "A1")
def test_accident_10_what_is_reported_is_what_was_done(town: Town) -> None:
    town.tenant.create_group("Staff", members=town.hire(20))
    town.policy(STAFF)
    town.add("standard", 12)
    report = town.sync()
    given = {action["account"]["id"] for action in report["actions"] if action["kind"] == "assign"}
    accounts = town.accounts()
    assert given == {id for id, account in accounts.items() if account["license"] == "standard"}
    assert len(given) == 12
    assert sum(account["waiting"] is not None for account in accounts.values()) == 8
    assert town("status", "--check", "--json").code == 4


@proves("L8", "G4")
def test_accident_13_what_no_rule_gave_no_rule_takes(town: Town, licensed: Licensed) -> None:
    """Licenses by hand, imported ones, and what a rule gave that is no longer in the file."""
    licensed(2, rules="- {name: before, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}")
    by_hand, imported = town.hire(2)
    town.add("standard", 2)
    town.sync()
    assert town("licenses", "assign", by_hand, "--license", "standard", "--json").code == 0
    (town.folder / "had.csv").write_text(f"directory,account,license\ncontoso-m365,{imported},standard\n")
    assert town("licenses", "import", "had.csv", "--json").code == 0
    town.tenant.create_group("Nobody")
    town.policy(STAFF.replace("[Staff]", "[Nobody]"))
    for _ in range(2):
        assert town.sync("--full")["actions"] == []
    assert town.licenses() == {"standard": 4}


@proves("Z3")
def test_accident_14_a_rehearsal_writes_nothing(town: Town, licensed: Licensed) -> None:
    group = licensed()
    town.sync()
    town.tenant.delete_user(town.people[0])
    town.tenant.add_members(group, town.hire(5))
    town.tenant.remove_member(group, town.people[1])
    names = (*LICENSING, "account", "edge", "feed", "outbox")
    before, cursors = town.tables(names), town.cursors()
    town.simulator.forget_requests()
    report = town.sync("--dry-run")
    assert report["outcome"] == "dry_run" and report["actions"]
    assert (town.tables(names), town.cursors()) == (before, cursors)
    reading = ("GET ", "POST login/", "POST /$batch", "POST /directoryObjects/getByIds")
    assert all(request.startswith(reading) for request in town.simulator.requests())
    real = town.sync()
    assert real["plan_hash"] == report["plan_hash"] and real["actions"] == report["actions"]


@proves("R1", "R2")
def test_accident_16_one_mail_that_nobody_saw_ends_nothing(wire: World) -> None:
    """Sixty days and more, three notices, and nobody who took note of them; then somebody does, and the days count
    from there."""
    contoso = wire.customer()
    released(wire, contoso, "Ada", "Ben")
    for _ in range(10):
        after(wire, contoso, days=10)
    assert purged(wire) == 0
    accept_all(wire)
    after(wire, contoso, days=5)
    assert purged(wire) == 0
    assert all(left > timedelta(0) for left in contoso.clocks().values())


@proves("Z12")
def test_accident_20_drift_is_found_by_a_whole_pass(town: Town, licensed: Licensed) -> None:
    """Somebody deletes rows of the license store by hand, behind everybody's back."""
    licensed(10)
    with closing(sqlite3.connect(town.folder / "seatkeeper.db")) as database:
        database.execute("DELETE FROM assignment WHERE account IN (SELECT key FROM account LIMIT 3)")
        database.commit()
    assert town.licenses() == {"standard": 7}
    assert [action["kind"] for action in town.sync("--full")["actions"]] == ["assign"] * 3
    assert town.licenses() == {"standard": 10}


@proves("D4", "Z9")
def test_accident_21_one_that_moved_or_is_gone_already_stops_nobody_else(town: Town, licensed: Licensed) -> None:
    group = licensed(6)
    one, two, three, four = town.people[:4]
    addresses = [town.accounts()[id]["address"] for id in (one, two)]
    town.tenant.rename(one, "Somebody Else", upn="elsewhere@contoso.example")
    town.tenant.rename(two, "Person 0000", upn=addresses[0])
    town.tenant.rename(one, "Person 0001", upn=addresses[1])
    town.tenant.delete_user(three)
    town.tenant.purge_user(three)
    town.tenant.purge_user(four)
    [newcomer] = town.hire(1)
    town.tenant.add_member(group, newcomer)
    report = town.sync()
    assert (report["outcome"], report["code"]) == ("applied", 0)
    accounts = town.accounts()
    assert [accounts[id]["address"] for id in (one, two)] == addresses[::-1]
    assert [accounts[id]["license"] for id in (one, two, three, four, newcomer)] == [
        "standard", "standard", "archived", "archived", "standard",
    ]  # fmt: skip
    assert town.sync()["outcome"] == "nothing_to_do"


@proves("Z8")
def test_accident_22_a_second_pass_writes_nothing(town: Town, licensed: Licensed) -> None:
    licensed()
    town.sync()
    names = (*LICENSING, "account", "edge", "feed", "outbox", "run")
    before = town.tables(names)
    for options in ((), ("--full",), ()):
        report = town.sync(*options)
        assert (report["outcome"], report["changed"]) == ("nothing_to_do", 0)
    assert town.tables(names) == before


@proves("G2", "G7")
def test_accident_28_nobody_who_is_blocked_is_licensed(town: Town) -> None:
    town.tenant.create_group("Staff", members=[*town.hire(2), *town.hire(3, enabled=False)])
    town.policy(STAFF)
    town.add("standard", 5)
    town.sync()
    assert town.licenses() == {"standard": 2}
    town.tenant.disable(town.people[0])
    town.sync()
    assert town.licenses() == {"standard": 2}, "who has one already keeps it, unless the rule says otherwise"


def _dies(step: str, settings: Settings, directory: str, now: datetime) -> None:
    os.environ[SECRET] = SIMULATED_SECRET  # where processes come from, nobody knows it
    die_at(step, settings, directory, now)


@proves("D1", "D4", "Z6")
def test_accident_19_both_kinds_of_removal_outlive_a_crash(wire: World) -> None:
    """Killed at every step between the cursor and what it led to; the next pass reads it again."""
    contoso = wire.customer()
    contoso.tenant.habits = Habits(page_size=5)
    contoso.crowd(30)
    wire.add_lot("standard", 30)
    wire.add_lot("archived", 30)
    contoso.policy(STAFF, safety="{archive: {most: 50, share: 100%}}")
    contoso.settle()
    ids = list(contoso.tenant.user_ids())
    for n, step in enumerate(STEPS):
        soft, hard = ids[2 * n], ids[2 * n + 1]
        contoso.tenant.delete_user(soft)
        contoso.tenant.purge_user(hard)
        wire.later(minutes=1)
        killed = processes().Process(target=_dies, args=(step, wire.app.settings, contoso.directory, wire.clock()))
        killed.start()
        killed.join()
        assert killed.exitcode == -signal.SIGKILL, step
        wire.later(LEASE_RUNS_OUT)
        contoso.sync()
        assert Counter(contoso.licenses().values())["archived"] == 2 * (n + 1), step
    assert wire.is_sound()
