"""What `doctor` finds: everything that an installation depends on, and what to do about what fails."""

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.asking import Surroundings
from tests.proves import proves
from tests.worker.world import SECRET, Customer, World
from worker.operations.doctoring import Diagnosis, diagnose, in_force, masked
from worker.operations.examining import Checked
from worker.settings import Settings

STAFF = "- {name: staff, groups: [Staff], license: standard}"
EVERYBODY = "- {name: all, everyone: true, license: standard}"


def examined(world: World, **settings: object) -> Diagnosis:
    surroundings = Surroundings(world.clock, lambda _: None, lambda: 0.5, lambda: False)
    return diagnose(replace(world.app.settings, **settings), surroundings)  # type: ignore[arg-type]


def wrong(found: Diagnosis) -> list[tuple[str | None, str]]:
    """Of what, and what: everything that is not well."""
    return [(check.of, check.what) for check in found.checks if not check.ok]


def the(found: Diagnosis, what: str) -> Checked:
    [check] = [check for check in found.checks if check.what == what]
    return check


def staffed(customer: Customer) -> None:
    customer.hire("Ada", "Ben")
    customer.group("Staff", "Ada")
    customer.policy(STAFF)


def test_where_everything_works_doctor_says_of_everything_that_it_does(world: World, contoso: Customer) -> None:
    staffed(contoso)
    world.add_lot("standard", 5)
    contoso.sync()
    before = world.dump()
    found = examined(world)
    assert found.well
    assert [(check.of, check.what) for check in found.checks if check.what != "policies"] == [
        (None, "database"), (None, "counters"), (f"{{env: {SECRET}}}", "secret"),
        *(("contoso-m365", what) for what in ("sign-in", "tenant", "users", "groups", "mailboxes")),
    ]  # fmt: skip
    assert the(found, "tenant").detail == contoso.tenant.id
    assert the(found, "sign-in").detail == "permissions: GroupMember.Read.All, MailboxSettings.Read, User.Read.All"
    assert the(found, "mailboxes").detail == "kinds of 2 of 2 users' mailboxes told"
    assert world.dump() == before


@pytest.mark.parametrize(
    ("permission", "what"),
    [("User.Read.All", "users"), ("GroupMember.Read.All", "groups"), ("MailboxSettings.Read", "mailboxes")],
)
def test_a_permission_that_is_missing_is_named(wire: World, permission: str, what: str) -> None:
    contoso = wire.customer()
    staffed(contoso)
    contoso.tenant.revoke(permission)
    found = examined(wire)
    assert ("contoso-m365", what) in wrong(found)
    assert f"grant the application permission {permission}" in (the(found, what).remedy or "")


def test_what_no_rule_needs_is_not_asked_for(wire: World) -> None:
    contoso = wire.customer()
    contoso.hire("Ada")
    contoso.policy(EVERYBODY, directory="unknown_mailboxes: user")
    contoso.tenant.revoke("GroupMember.Read.All", "MailboxSettings.Read")
    assert examined(wire).well


@proves("Z9")
def test_a_wrong_secret_stops_one_directory_and_the_others_are_tried(
    wire: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("contoso", "fabrikam"):
        staffed(wire.customer(name))
    text = (wire.folder / "contoso.yaml").read_text()
    (wire.folder / "contoso.yaml").write_text(text.replace(SECRET, "ANOTHER_SECRET"))
    monkeypatch.setenv("ANOTHER_SECRET", "not-the-secret")
    found = examined(wire)
    assert wrong(found) == [("contoso-m365", "sign-in")]
    [check] = [check for check in found.checks if not check.ok]
    assert "the client secret is wrong" in (check.problem or "")
    assert "put the secret's value (not its id)" in (check.remedy or "")
    assert "not-the-secret" not in repr(found)


def test_consent_that_was_withdrawn_is_told_with_its_remedy(wire: World) -> None:
    contoso = wire.customer()
    staffed(contoso)
    contoso.tenant.withdraw_consent("5ea7c0de-0000-4000-8000-0000000000a1")
    check = the(examined(wire), "sign-in")
    assert not check.ok
    assert "consent" in (check.remedy or "")


def test_a_directory_that_cannot_be_reached_is_no_riddle(wire: World) -> None:
    contoso = wire.customer()
    staffed(contoso)
    text = contoso.file.read_text()
    contoso.file.write_text(text.replace(wire.url, "http://127.0.0.1:9"))
    found = examined(wire)
    assert wrong(found) == [("contoso-m365", "sign-in")]
    assert "network" in (the(found, "sign-in").remedy or "")


@proves("Z11")
def test_another_tenant_behind_a_directory_id_is_found(wire: World) -> None:
    contoso = wire.customer()
    staffed(contoso)
    contoso.sync()
    other = wire.customer("fabrikam")
    contoso.file.write_text(contoso.file.read_text().replace(contoso.tenant.id, other.tenant.id))
    check = the(examined(wire), "tenant")
    assert check.problem == f"it is bound to {contoso.tenant.id}, and {other.tenant.id} answers"
    assert check.remedy == "use another directory id for another tenant"


@proves("Z4")
def test_every_problem_of_a_policy_file_is_told_and_its_last_good_version_is_tried(wire: World) -> None:
    contoso = wire.customer()
    staffed(contoso)
    contoso.file.write_text(contoso.file.read_text() + "surprise: 1\nlimits: 2\n")
    found = examined(wire)
    assert [what for _, what in wrong(found)] == ["policy", "policy"]
    assert "unknown key 'surprise'" in repr(found.checks)
    assert the(found, "users").ok


def test_a_secret_file_that_everybody_can_read_is_refused(wire: World) -> None:
    contoso = wire.customer()
    staffed(contoso)
    secret = wire.app.settings.secrets_dir / "contoso.pem"
    secret.write_text("secret")
    secret.chmod(0o644)
    contoso.file.write_text(
        contoso.file.read_text().replace(f"secret: {{env: {SECRET}}}", "certificate: {file: contoso.pem}")
    )
    check = the(examined(wire), "secret")
    assert (check.ok, check.remedy) == (False, f"chmod o= {secret}")


def test_counters_that_are_not_what_they_count_are_found(world: World, contoso: Customer) -> None:
    staffed(contoso)
    lot = world.add_lot("standard", 5)
    contoso.sync()
    with world.store.begin() as tx:
        tx.execute("UPDATE lot SET held = held + 1 WHERE id = :lot", {"lot": lot})
        tx.execute("UPDATE holding_count SET held = held + 1")
    check = the(examined(world), "counters")
    assert not check.ok
    assert (check.problem or "").split(" differs")[0] == "lot.held"
    assert "holding_count differs at" in (check.problem or "")
    assert "usage_day is not what contoso holds" in (check.problem or "")


def test_services_that_do_not_answer_are_told_and_keep_nothing_from_being_tried(wire: World) -> None:
    contoso = wire.customer()
    staffed(contoso)
    found = examined(
        wire,
        database_url="postgresql+psycopg://kim:hidden@127.0.0.1:9/seatkeeper",
        redis_url="redis://:hidden@127.0.0.1:9/0",
        smtp_url="smtp://127.0.0.1:9",
    )
    assert wrong(found) == [(None, "database"), (None, "Redis"), (None, "mail server")]
    assert all(check.remedy for check in found.checks if not check.ok)
    assert the(found, "users").ok
    assert "hidden" not in repr(found)


def test_redis_that_answers_is_well(wire: World, redis_url: str) -> None:
    assert the(examined(wire, redis_url=redis_url), "Redis").ok


def test_a_redis_url_that_is_none_says_what_is_wrong_and_how_it_is_written(wire: World) -> None:
    check = the(examined(wire, redis_url="cache:6379"), "Redis")
    assert check.problem == "SEATKEEPER_REDIS_URL does not begin with redis://, rediss:// or unix://"
    assert check.remedy is not None and "redis://host:6379/0" in check.remedy


def test_a_folder_that_is_not_there_says_what_makes_one(wire: World, tmp_path: Path) -> None:
    check = the(examined(wire, policy_dir=tmp_path / "nowhere"), "policies")
    assert (check.ok, check.problem) == (False, "there is no such folder")


def test_an_exported_file_is_read_to_its_end(wire: World) -> None:
    file = wire.folder / "users.csv"
    (wire.folder / "fabrikam.yaml").write_text(
        "company: fabrikam\ndirectories:\n  fabrikam-export: {kind: file, path: users.csv}\n"
        "rules:\n  - {name: all, everyone: true, license: standard}\n"
    )
    check = the(examined(wire), "users")
    assert (check.of, check.ok) == ("fabrikam-export", False)
    file.write_text(
        "User principal name,Display name,Object Id\nada@fabrikam.example,Ada,8d0c3f6e-1f2b-4c3d-9e4f-5a6b7c8d9e0f\n"
    )
    assert the(examined(wire), "users").detail == "1 rows"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("sqlite:///seatkeeper.db", "sqlite:///seatkeeper.db"),
        (
            "postgresql+psycopg://kim:p%40ss@db:5432/x?sslmode=require",
            "postgresql+psycopg://kim:***@db:5432/x?sslmode=require",
        ),
        ("postgresql+psycopg:///x?user=kim&password=hidden", "postgresql+psycopg:///x?user=kim&password=***"),
        ("redis://:hidden@cache/0", "redis://:***@cache/0"),
        ("smtp://ops@contoso.example:hidden@mail", "smtp://ops@contoso.example:***@mail"),
        ("127.0.0.1:8480", "127.0.0.1:8480"),
        ("smtp://[broken:hidden@mail", "smtp://***"),
        ("redis://:hid/den@cache:6379/0", "redis://***"),
        ("redis://:hid#den@cache:6379/0", "redis://***"),
        (":hidden@cache:6379", "***@cache:6379"),
        ("sqlite:////srv/kim@ops/seatkeeper.db", "sqlite:////srv/kim@ops/seatkeeper.db"),
        ("smtp://mail?from=ops@contoso.example", "smtp://mail?from=ops%40contoso.example"),
    ],
)
def test_what_is_secret_in_a_setting_is_not_shown(said: str, shown: str) -> None:
    assert masked(said) == shown


def test_every_setting_in_force_is_shown() -> None:
    shown = in_force(Settings(redis_url="redis://:hidden@cache/0"))
    assert list(shown) == list(Settings.variables())
    assert shown["SEATKEEPER_REDIS_URL"] == "redis://:***@cache/0"
    assert shown["SEATKEEPER_SMTP_URL"] is None
