"""The unattended daemon in processes of its own: what is due is done, whoever is killed, lost or slow meanwhile."""

import json
import signal
from datetime import timedelta

import pytest

from connectors.registry import directories
from connectors.simulators.microsoft365 import Fault, Habits
from tests.e2e.conftest import Installation
from tests.proves import proves
from tests.services.waiting import PATIENCE, until
from tests.worker.world import Customer

pytestmark = pytest.mark.slow
RULES = "- {name: staff, groups: [Staff], license: standard}"
QUICKLY = "every: 1s"


def prepared(installation: Installation, company: str = "contoso", people: int = 3) -> Customer:
    """A company whose directory has never been read, and licenses for all."""
    customer = installation.world.customer(company)
    customer.crowd(people)
    if company == "contoso":
        installation.world.add_lot("standard", 50)
        installation.world.add_lot("archived", 50)
    customer.policy(RULES, directory=QUICKLY)
    return customer


def licensed(customer: Customer, people: int) -> None:
    """Wait until so many have a license."""
    until(lambda: len(customer.licenses()) == people, lambda: (customer.row(), customer.licenses()))


@proves("Z9", "Z10")
def test_up_does_what_is_due_and_what_is_asked_for_until_it_is_told_to_stop(on_sqlite: Installation) -> None:
    contoso = prepared(on_sqlite)
    daemon = on_sqlite.up()
    licensed(contoso, 3)
    assert daemon.says("/healthz") == daemon.says("/readyz") == "ok\n"
    lines = (
        'seatkeeper_runs_total{outcome="applied"} 1.0', 'seatkeeper_directories{state="healthy"} 1.0',
        "seatkeeper_directories_stuck 0.0", 'seatkeeper_processes{role="up"} 1.0',
        'seatkeeper_requests_total{host="127.0.0.1",verdict="ok"}',
    )  # fmt: skip
    until(lambda: all(line in daemon.says("/metrics") for line in lines), lambda: daemon.says("/metrics"))
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.hire("Zoe")[0])
    said = on_sqlite.command("sync", "--json")
    assert said.returncode == 0, said.stderr
    [result] = json.loads(said.stdout)
    assert len(contoso.licenses()) == 4 and result["outcome"] in ("applied", "nothing_to_do")
    assert on_sqlite.world.sizes()["waiter"] == 0
    said = on_sqlite.command("sync", "--no-wait", "--json")
    assert [result["outcome"] for result in json.loads(said.stdout)] == ["queued"]
    assert daemon.stop() == 0
    assert on_sqlite.world.sizes()["process"] == 0
    assert {event["level"] for event in daemon.events} == {"info"}, daemon.events
    assert {"company": "contoso", "directory": "contoso-m365", "run": "contoso-m365-1"}.items() <= next(
        event for event in daemon.events if event["event"] == "run ended: applied"
    ).items()


@proves("Z4")
def test_sync_through_a_daemon_tells_what_is_wrong_with_policy_files(on_sqlite: Installation) -> None:
    contoso = prepared(on_sqlite)
    on_sqlite.start("up")
    licensed(contoso, 3)
    contoso.file.write_text(contoso.file.read_text() + "nonsense: true\n")
    said = on_sqlite.command("sync", "--json")
    [result] = json.loads(said.stdout)
    [problem] = result["policy_errors"]
    assert said.returncode == 0 and problem["message"].startswith("unknown key 'nonsense'")


@proves("Z7")
def test_scheduler_and_workers_go_on_when_redis_is_emptied(on_many: Installation, redis_url: str) -> None:
    import redis

    contoso = prepared(on_many)
    on_many.start("scheduler", "scheduler", "worker", "worker")
    licensed(contoso, 3)
    staff = contoso.tenant.find_group("Staff")
    with redis.Redis.from_url(redis_url) as client:
        for name in ("Xenia", "Yan", "Zoe"):
            client.flushall()
            contoso.tenant.add_member(staff, contoso.hire(name)[0])
            client.flushall()
            licensed(contoso, len(contoso.people))
    said = on_many.command("sync", "contoso-m365", "--full", "--json")
    [result] = json.loads(said.stdout)
    assert (said.returncode, result["outcome"], result["mode"]) == (0, "nothing_to_do", "full")
    assert on_many.world.happened()["license.assigned"] == 6
    assert on_many.world.is_sound()


@proves("Z5", "Z6")
def test_a_worker_that_is_killed_in_a_pass_is_replaced_when_its_lease_ends(on_many: Installation) -> None:
    contoso = prepared(on_many)
    on_many.world.simulator.order(Fault("hang", "/groups/delta", times=1))
    _, worker = on_many.start("scheduler", "worker")
    until(lambda: "GET /groups/delta" in on_many.world.simulator.requests(), on_many.world.simulator.requests)
    worker.kill()
    on_many.start("worker")
    licensed(contoso, 3)
    assert on_many.world.happened()["license.assigned"] == 3
    assert contoso.row().state == "healthy"
    assert on_many.world.one("SELECT fence FROM directory") >= 2
    assert on_many.world.is_sound()


@proves("Z10")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_takes_effect_before_the_next_write(on_sqlite: Installation, number: signal.Signals) -> None:
    contoso = prepared(on_sqlite, people=60)
    contoso.tenant.habits = Habits(page_size=1)
    on_sqlite.world.simulator.order(Fault("slow", "/users/delta", seconds=0.5, times=None))
    [daemon] = on_sqlite.start("up")
    until(lambda: on_sqlite.world.simulator.requests().get("GET /users/delta?$skiptoken", 0) >= 2)
    daemon.process.send_signal(number)
    assert daemon.process.wait(PATIENCE) == 0
    assert contoso.licenses() == {} and contoso.states() == {}
    row = contoso.row()
    assert (row.state, row.failures) == ("never_run", 0)
    assert on_sqlite.world.one("SELECT lease_until FROM directory") == 0, "its lease was handed back"


def test_a_second_signal_ends_the_process_at_once(on_sqlite: Installation) -> None:
    prepared(on_sqlite)
    on_sqlite.world.simulator.order(Fault("hang", "/users/delta", times=None))
    [daemon] = on_sqlite.start("up")
    until(lambda: "/users/delta" in str(on_sqlite.world.simulator.requests()))
    daemon.process.send_signal(signal.SIGTERM)
    until(lambda: any("stops" in event["event"] for event in daemon.events))
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(PATIENCE) == -signal.SIGTERM


@proves("Z9")
def test_tenants_that_hang_or_refuse_delay_no_other(on_many: Installation) -> None:
    contoso = prepared(on_many)
    hanging = [prepared(on_many, name) for name in ("hanging", "stalling")]
    refusing = prepared(on_many, "refusing")
    refusing.tenant.revoke("User.Read.All")
    for customer in hanging:
        on_many.world.simulator.order(Fault("hang", "/users/delta", tenant=customer.tenant.id, times=None))
    on_many.start("scheduler", "worker")
    until(lambda: refusing.row().failures >= 2, refusing.row)
    licensed(contoso, 3)
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.hire("Zoe")[0])
    licensed(contoso, 4)
    row = refusing.row()
    assert row.due_at - row.failing_since > timedelta(seconds=2) / timedelta(microseconds=1), "its delay grows"
    assert [customer.row().state for customer in hanging] == ["never_run"] * 2


@proves("D6")
def test_whoever_is_deleted_is_archived_within_a_minute_of_the_answer_that_says_so(on_many: Installation) -> None:
    """In a small fleet, asked every second; `tests/bench/fleet.py` does it with ten thousand tenants."""
    assert directories()["microsoft365"].every <= timedelta(minutes=1)
    customers = [prepared(on_many, name) for name in ("contoso", "fabrikam", "tailspin")]
    on_many.start("scheduler", "worker", "worker")
    for customer in customers:
        licensed(customer, 3)
    deleted = {}
    for customer in customers:
        customer.delete("Person 000", "Person 001")
        deleted[customer.id] = customer.world.clock()
    for customer in customers:
        until(lambda: list(customer.licenses().values()).count("archived") == 2)  # noqa: B023
    rows = on_many.world.rows(
        "SELECT c.id, max(a.at) FROM audit AS a JOIN company AS c ON c.key = a.company"
        " WHERE a.what = 'license.archived' GROUP BY c.id"
    )
    for company, at in rows:
        assert at / 1_000_000 - deleted[company].timestamp() < 60


def test_a_daemon_that_nobody_can_start_so_says_why(on_sqlite: Installation) -> None:
    said = on_sqlite.command("worker", "--json")
    assert said.returncode == 2
    assert json.loads(said.stdout)["error"]["code"] == "settings"
