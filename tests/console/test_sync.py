"""`seatkeeper sync`, and `plan` for what it holds."""

import signal
import subprocess
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from connectors.simulators.clock import SimulatedClock
from connectors.simulators.microsoft365 import Fault, GraphServer, Simulator, Tenant
from connectors.simulators.serving import Answer, Request
from store.engine import open_store
from store.times import micros
from tests.console.conftest import POLICY, Terminal, command
from tests.proves import proves
from worker.bootstrap import App
from worker.held import LEASE
from worker.operations.on_demand import Wanted, sync_now
from worker.settings import read_settings

KEYS = {
    "directory", "run", "outcome", "mode", "seen", "changed", "actions", "actions_total", "held", "plan_hash", "error",
}  # fmt: skip


def test_a_pass_is_told_as_scripts_read_it(connected: Terminal, tenant: Tenant) -> None:
    assert connected("lots", "add", "standard", "100").code == 0
    said = connected("sync", "--json")
    [result] = said.json
    assert said.code == 0 and result.keys() >= KEYS
    assert (result["directory"], result["outcome"], result["mode"]) == ("contoso-m365", "applied", "full")
    assert result["seen"] == tenant.users.live_count
    assert result["plan_hash"].startswith("sha256:") and result["error"] is None and result["held"] == []
    assert result["actions_total"] == len(result["actions"])
    assert {tuple(action) for action in result["actions"]} == {("kind", "account", "license", "because")}
    assert Counter(action["kind"] for action in result["actions"]).keys() == {"assign"}
    assert result["actions"][0]["account"].keys() == {"id", "address"}


@proves("Z8")
def test_a_second_pass_over_an_unchanged_world_has_nothing_to_do(licensed: Terminal) -> None:
    before = licensed("audit", "--json").out
    said = licensed("sync", "--json")
    assert said.code == 0
    assert (said.json[0]["outcome"], said.json[0]["mode"], said.json[0]["seen"]) == ("nothing_to_do", "delta", 0)
    assert licensed("audit", "--json").out == before


@proves("Z3")
def test_a_dry_run_shows_the_plan_of_the_real_run_and_changes_nothing(connected: Terminal) -> None:
    assert connected("lots", "add", "standard", "100").code == 0
    dry = connected("sync", "--dry-run", "--json").json[0]
    assert dry["outcome"] == "dry_run"
    assert connected("accounts", "list", "--json").json == []
    real = connected("sync", "--json").json[0]
    assert (real["plan_hash"], real["actions"]) == (dry["plan_hash"], dry["actions"])


def test_people_see_what_was_done_and_to_whom(connected: Terminal) -> None:
    assert connected("lots", "add", "standard", "100").code == 0
    said = connected("sync")
    assert said.out.startswith("contoso-m365: licenses changed\n")
    assert "assigned standard" in said.out and "member of exec@contoso.example" in said.out


def test_a_first_pass_goes_on_until_every_mailbox_was_asked_for(connected: Terminal, tenant: Tenant) -> None:
    tenant.populate(1_100, seed=3)
    assert connected("lots", "add", "standard", "2000").code == 0
    [result] = connected("sync", "--json").json
    assert (result["outcome"], result["mode"], result["seen"]) == ("applied", "full", tenant.users.live_count)
    assert not connected("accounts", "list", "--waiting", "kind_unknown", "--json").json
    assert connected("sync", "--json").json[0]["outcome"] == "nothing_to_do"


def test_an_unknown_directory_is_wrong_usage(connected: Terminal) -> None:
    said = connected("sync", "contoso-gws", "--json")
    assert said.code == 2
    assert said.error == {"code": "usage", "message": "there is no directory contoso-gws; there are contoso-m365"}


def test_without_any_policy_sync_says_how_to_begin(terminal: Terminal) -> None:
    said = terminal("sync")
    assert said.code == 2
    assert said.err == (
        "Error: no policy in policies.d names a directory; `seatkeeper init` writes one to start from\n"
    )


@proves("Z4")
def test_with_no_good_version_yet_a_broken_policy_ends_with_2_and_every_problem(terminal: Terminal) -> None:
    terminal.policy(POLICY.format(url="http://127.0.0.1:9").replace("license: standard", "license: gold"))
    said = terminal("sync")
    assert said.code == 2
    assert said.err.count("license: found 'gold', expected standard, archived or none") == 3
    assert said.err.endswith("Error: The policy is not valid.\n")
    assert terminal("sync", "--json").error["code"] == "policy_invalid"


@proves("Z4")
def test_a_broken_policy_file_leaves_the_last_good_version_in_force(licensed: Terminal, tenant: Tenant) -> None:
    file = licensed.folder / "policies.d" / "contoso.yaml"
    file.write_text(file.read_text().replace("license: standard", "license: gold", 1))
    newcomer = tenant.hire("Zoe Quist")
    tenant.add_member(tenant.find_group("Sales"), newcomer)
    said = licensed("sync", "--json")
    assert said.code == 0
    assert said.json[0]["outcome"] == "applied"
    assert [action["account"]["id"] for action in said.json[0]["actions"]] == [newcomer]
    assert [problem["line"] for problem in said.json[0]["policy_errors"]] == [13]
    assert "policies.d/contoso.yaml is broken" in licensed("status").out


@proves("Z2")
def test_a_directory_that_cannot_be_reached_fails_and_keeps_everything(
    licensed: Terminal, simulator: Simulator, tenant: Tenant
) -> None:
    before = licensed("accounts", "list", "--json").out
    tenant.withdraw_consent(simulator.app.client_id)
    said = licensed("sync", "--json")
    assert said.code == 1
    assert said.json[0]["outcome"] == "failed" and said.json[0]["error"] and said.json[0]["remedy"]
    assert licensed("accounts", "list", "--json").out == before
    assert licensed("status", "--check").code == 1
    shown = licensed("status").out
    assert said.json[0]["error"] in shown and f"What to do: {said.json[0]['remedy']}" in shown


@proves("Z9")
def test_of_several_directories_one_that_fails_delays_no_other(
    connected: Terminal, simulator: Simulator, tenant: Tenant
) -> None:
    other = simulator.add_tenant(domain="fabrikam.example")
    other.populate(5)
    good = (connected.folder / "policies.d" / "contoso.yaml").read_text()
    fabrikam = good.replace("7d2f0f3c-5a0e-4c64-9a53-0d6f2f1b7a10", "fabrikam.example").replace("contoso", "fabrikam")
    connected.policy(fabrikam, "fabrikam.yaml")
    simulator.order(Fault("denied", "/users/delta", tenant=tenant.id, times=None))
    said = connected("sync", "--json")
    assert said.code == 1
    assert [(result["directory"], result["outcome"]) for result in said.json] == [
        ("contoso-m365", "failed"), ("fabrikam-m365", "applied"),
    ]  # fmt: skip


@proves("G3")
def test_a_suspended_rule_makes_sync_exit_1_with_the_reason(licensed: Terminal) -> None:
    file = licensed.folder / "policies.d" / "contoso.yaml"
    file.write_text(file.read_text().replace("groups: [Backup Staff]", "groups: [Backup Staff, Night Shift]"))
    before = Counter(row["license"] for row in licensed("accounts", "list", "--json").json)
    said = licensed("sync", "--json")
    assert said.code == 1
    assert said.json[0]["outcome"] in ("applied", "nothing_to_do")
    assert said.json[0]["error"] == "rule 'staff' is suspended: the group 'Night Shift' matches no group"
    assert Counter(row["license"] for row in licensed("accounts", "list", "--json").json) == before


def test_a_pause_that_ends_after_the_timeout_fails_with_its_time(licensed: Terminal, simulator: Simulator) -> None:
    simulator.order(Fault("throttle", "/users/delta", retry_after=3600, times=None))
    said = licensed("sync", "--timeout", "30m", "--json")
    assert said.code == 1
    assert said.json[0]["outcome"] == "failed" and said.json[0]["retry_after"] == 3600
    assert "status 429" in said.json[0]["error"]
    assert "; it asks to be left alone until 20" in said.json[0]["error"]


def test_a_pause_that_ends_before_the_timeout_is_waited_for(licensed: Terminal, simulator: Simulator) -> None:
    clock = SimulatedClock(datetime.now(UTC))
    settings = read_settings({})
    store = open_store(settings.database_url)
    app = App(settings, store, clock=clock, sleep=lambda seconds: _advance(clock, seconds))
    simulator.order(Fault("throttle", "/users/delta", retry_after=90))
    began = clock()
    [result] = sync_now(app, Wanted(timeout=timedelta(minutes=10))).results
    app.close()
    assert (result.outcome, result.error) == ("nothing_to_do", None)
    assert timedelta(seconds=90) <= clock() - began < timedelta(seconds=100)


def _advance(clock: SimulatedClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))


@proves("Z10")
def test_ctrl_c_takes_effect_before_the_next_write(
    connected: Terminal, simulator: Simulator, graph: GraphServer
) -> None:
    came, told = threading.Event(), threading.Event()

    def answer(request: Request) -> Answer:
        if "/users/delta" in request.target:
            came.set()
            assert told.wait(100)
        return simulator.answer(request)

    graph.respond = answer
    simulator.order(Fault("slow", "/users/delta", seconds=0.5))
    program = subprocess.Popen(
        command(["sync"]), cwd=connected.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert came.wait(100)
    program.send_signal(signal.SIGINT)
    told.set()
    out, err = program.communicate(timeout=100)
    assert (program.returncode, out) == (130, "")
    assert err.strip().endswith("Error: Interrupted.")
    assert connected("accounts", "list", "--json").json == []
    assert connected("status", "--json").json["directories"][0]["state"] == "never_run"


def test_no_wait_answers_queued_and_reads_nothing(connected: Terminal, simulator: Simulator) -> None:
    said = connected("sync", "--no-wait", "--json")
    assert said.code == 0
    assert [(result["directory"], result["outcome"]) for result in said.json] == [("contoso-m365", "queued")]
    assert simulator.requests() == {}


def leased(terminal: Terminal) -> tuple[object, object]:
    """The store, with the directory's lease taken by somebody else."""
    store = open_store(f"sqlite:///{terminal.folder / 'seatkeeper.db'}")
    with store.begin() as tx:
        key = tx.directories.by_id("contoso-m365").key
        lease = tx.leases.take(key, "somebody", micros(datetime.now(UTC)), LEASE)
    assert lease is not None
    return store, lease


def test_a_directory_that_stays_busy_beyond_the_timeout_is_busy(licensed: Terminal) -> None:
    leased(licensed)
    said = licensed("sync", "--timeout", "0s", "--json")
    assert said.code == 1
    assert said.json[0]["outcome"] == "busy"


def test_a_run_that_is_under_way_is_waited_for(licensed: Terminal) -> None:
    store, lease = leased(licensed)

    def release() -> None:
        with store.begin() as tx:  # type: ignore[attr-defined]
            tx.leases.release(lease)

    timer = threading.Timer(0.2, release)
    timer.start()
    said = licensed("sync", "--json")
    timer.join()
    assert said.code == 0
    assert said.json[0]["outcome"] == "nothing_to_do"


# --- holds ---


def delete_everybody_of(tenant: Tenant, department: str) -> list[str]:
    found = [id for id in list(tenant.user_ids()) if tenant.user(id).get("department") == department]
    for id in found:
        tenant.delete_user(id)
    return found


@proves("Z1")
def test_a_mass_deletion_is_held_shown_and_approved_by_its_hash(licensed: Terminal, tenant: Tenant) -> None:
    tenant_gone = [*delete_everybody_of(tenant, "Engineering"), *delete_everybody_of(tenant, "Sales")]
    said = licensed("sync", "--json")
    assert said.code == 3
    assert said.json[0]["outcome"] == "held"
    [held] = said.json[0]["held"]
    assert held.keys() == {"hash", "kind", "total"} and held["kind"] == "archive"
    assert licensed("status", "--check").code == 3

    [listed] = licensed("plan", "list", "--json").json
    assert {key: listed[key] for key in ("hash", "company", "directory", "kind", "state", "total")} == {
        "hash": held["hash"], "company": "contoso", "directory": "contoso-m365", "kind": "archive", "state": "held",
        "total": held["total"],
    }  # fmt: skip
    shown = licensed("plan", "show", held["hash"][:16], "--json").json
    assert len(shown["actions"]) == held["total"]
    assert {action["account"]["id"] for action in shown["actions"]} <= set(tenant_gone)

    approved = licensed("plan", "approve", held["hash"], "--json")
    assert approved.code == 0
    assert approved.json["result"]["actions_total"] == held["total"]
    assert licensed("plan", "list", "--json").json == []
    archived = licensed("accounts", "list", "--license", "archived", "--json").json
    assert {row["id"] for row in archived} == {action["account"]["id"] for action in shown["actions"]}


@proves("Z1")
def test_a_rejected_plan_is_not_proposed_again(licensed: Terminal, tenant: Tenant) -> None:
    delete_everybody_of(tenant, "Engineering")
    delete_everybody_of(tenant, "Sales")
    [held] = licensed("sync", "--json").json[0]["held"]
    assert licensed("plan", "reject", held["hash"]).code == 0
    assert licensed("sync", "--full", "--json").json[0]["held"] == []
    [rejected] = licensed("plan", "list", "--all", "--json").json
    assert (rejected["state"], rejected["decided_by"].startswith("cli:")) == ("rejected", True)
    again = licensed("plan", "approve", held["hash"], "--json")
    assert again.code == 2
    assert again.error["code"] == "not_found" and " was rejected by cli:" in again.error["message"]
    assert licensed("plan", "reopen", held["hash"]).code == 0
    assert licensed("sync", "--json").json[0]["held"] == [held]


def test_a_plan_that_nobody_knows_is_wrong_usage(terminal: Terminal) -> None:
    said = terminal("plan", "show", "sha256:00000000", "--json")
    assert said.code == 2
    assert said.error["message"] == (
        "no plan has the hash sha256:00000000; `seatkeeper plan list` shows those that are held"
    )
