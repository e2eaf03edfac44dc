"""Which policy is in force, whatever happens to the files; what becomes of directories that none names (Z4, Z11)."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.simulators.microsoft365 import App
from tests.proves import proves
from tests.worker.world import PERSON, Customer, World
from worker.operations import policies

STAFF = "- {name: staff, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}"


def licensed(world: World, contoso: Customer) -> None:
    contoso.hire("Ada", "Ben")
    contoso.group("Staff", "Ada")
    world.add_lot("standard", 5)
    contoso.policy(STAFF)
    contoso.sync()
    assert contoso.licenses() == {"Ada": "standard"}


def test_a_process_forgets_versions_that_were_edited_since(
    world: World, contoso: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In years there are very many: an edit of the provider's file makes one for every company."""
    monkeypatch.setattr(policies, "KNOWN", 5)
    licensed(world, contoso)
    for seconds in range(20):
        contoso.policy(STAFF.replace("0s", f"{seconds}s"))
        contoso.sync()
    assert len(world.app.policies) <= 5
    assert contoso.licenses() == {"Ada": "standard"}


@proves("Z4")
def test_a_broken_file_is_reported_and_the_last_good_version_stays_in_force(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    good = contoso.file.read_text(encoding="utf-8")
    contoso.file.write_text(good.replace("groups:", "gruops:"), encoding="utf-8")
    [problem] = world.load()
    assert str(problem).startswith(f"{contoso.file}:11:") and "did you mean 'groups'?" in str(problem)
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Ben"])
    result = contoso.sync()
    assert result.outcome == "applied"
    assert contoso.licenses() == {"Ada": "standard", "Ben": "standard"}
    assert contoso.row().state == "healthy"
    contoso.policy(STAFF.replace("[Staff]", "[Nobody]"))
    assert contoso.sync().error is not None, "and the next good one takes its place"


@proves("Z4")
def test_an_emptied_file_counts_as_broken(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    contoso.file.write_text("", encoding="utf-8")
    assert len(world.load()) == 1
    assert contoso.sync().outcome == "nothing_to_do"
    assert contoso.licenses() == {"Ada": "standard"}
    assert contoso.row().state == "healthy"


@proves("Z4")
def test_a_broken_provider_file_changes_nothing_either(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    (world.folder / "provider.yaml").write_text("provider: {name: 7, nonsense: true}", encoding="utf-8")
    assert world.load()
    assert contoso.sync().outcome == "nothing_to_do"
    assert contoso.licenses() == {"Ada": "standard"}


PROVIDER = (
    "provider:\n  defaults:\n    licenses: {retention: 90d}\n    safety: {release: {most: 0}}\n"
    "    purchasing: {standard: {most_per_order: 5}}\n"
)


@proves("Z4", "Z11", "R3")
@pytest.mark.parametrize("broken", [None, "provider: {nonsense: true}"], ids=["gone", "broken"])
def test_what_the_provider_said_last_holds_while_its_file_is_gone_or_broken(
    world: World, contoso: Customer, broken: str | None
) -> None:
    provider = world.folder / "provider.yaml"
    provider.write_text(PROVIDER, encoding="utf-8")
    licensed(world, contoso)
    if broken is None:
        provider.unlink()
    else:
        provider.write_text(broken, encoding="utf-8")
    contoso.file.write_text(f"{contoso.file.read_text(encoding='utf-8')}# edited\n", encoding="utf-8")
    assert [Path(problem.mark.file).name for problem in world.load()] == ["provider.yaml"]
    contoso.tenant.remove_member(contoso.tenant.find_group("Staff"), contoso.people["Ada"])
    contoso.sync()
    assert world.holds() == [("release", 1)], "the provider's limit holds"
    world.approve(world.hold("release"))
    assert contoso.clocks() == {"Ada": timedelta(days=90)}
    provider.write_text("{}", encoding="utf-8")
    assert world.load() == (), "a provider who has nothing to say any more says so"


@proves("Z4")
def test_a_file_that_does_not_fit_what_the_provider_said_is_not_taken(world: World, contoso: Customer) -> None:
    (world.folder / "provider.yaml").write_text(PROVIDER, encoding="utf-8")
    licensed(world, contoso)
    (world.folder / "provider.yaml").write_text("provider: {nonsense: true}", encoding="utf-8")
    text = contoso.file.read_text(encoding="utf-8")
    contoso.file.write_text(f"{text}purchasing: {{standard: {{pack: 10}}}}\n", encoding="utf-8")
    assert {Path(problem.mark.file).name for problem in world.load()} == {"provider.yaml", contoso.file.name}
    assert contoso.sync().outcome == "nothing_to_do", "the last good version stays in force"


@proves("Z4")
def test_a_run_uses_and_records_one_version_of_the_policy(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    first = contoso.row().policy
    contoso.policy(STAFF.replace("[Staff]", "[Staff], limit: 9"))
    assert contoso.row().policy != first
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Ben"])
    contoso.sync()
    assert world.rows("SELECT policy FROM run ORDER BY started_at, policy") == [(first,), (contoso.row().policy,)]
    assert contoso.row().planned_policy == contoso.row().policy


@proves("Z11")
def test_what_disappears_from_the_folder_is_frozen_and_loses_nothing(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    text = contoso.file.read_text(encoding="utf-8")
    contoso.file.unlink()
    world.load()
    contoso.delete("Ada")
    contoso.hire("Cy")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Cy"])
    result = contoso.sync()
    assert result.outcome == "failed" and result.error is not None and "frozen" in result.error
    assert (contoso.row().state, contoso.licenses()) == ("frozen", {"Ada": "standard"})
    assert "directory.frozen" in world.record("contoso")
    contoso.file.write_text(text, encoding="utf-8")
    world.load()
    contoso.sync()
    assert contoso.row().state == "healthy"
    assert contoso.licenses() == {"Ada": "standard", "Cy": "standard"}
    assert contoso.waiting() == {"Ada": "insufficient_licenses"}, "it goes on where it was"


@proves("Z11", "Z4")
def test_a_folder_that_is_not_there_freezes_nobody(world: World, contoso: Customer) -> None:
    """A volume that was not mounted is no decision of anybody."""
    licensed(world, contoso)
    elsewhere = world.folder.rename(world.folder.with_name("unmounted"))
    [problem] = world.load()
    assert problem.mark.file == str(world.folder) and "no such folder" in problem.message
    contoso.hire("Cy")
    contoso.tenant.add_member(contoso.tenant.find_group("Staff"), contoso.people["Cy"])
    assert contoso.sync().outcome == "applied"
    assert contoso.row().state == "healthy"
    with world.store.read() as tx:
        assert [broken.file for broken in tx.versions.problems()] == [str(world.folder)]
    elsewhere.rename(world.folder)
    assert world.load() == ()
    with world.store.read() as tx:
        assert tx.versions.problems() == []


@proves("Z11", "M9")
def test_seats_are_not_given_to_those_who_wait_in_a_frozen_directory(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.policy(STAFF)
    contoso.sync()
    contoso.file.unlink()
    world.load()
    world.add_lot("standard", 1)
    assert (contoso.licenses(), contoso.waiting()) == ({}, {"Ada": "insufficient_licenses"})


@proves("Z11", "M9")
def test_what_comes_back_is_not_well_before_it_was_read(world: World, contoso: Customer) -> None:
    contoso.hire("Ada")
    contoso.group("Staff", "Ada")
    contoso.policy(STAFF)
    contoso.sync()
    text = contoso.file.read_text(encoding="utf-8")
    contoso.file.unlink()
    world.load()
    contoso.file.write_text(text, encoding="utf-8")
    world.load()
    assert contoso.row().state == "never_run" and "not read since" in (contoso.row().problem or "")
    world.add_lot("standard", 1)
    assert (contoso.licenses(), contoso.waiting()) == ({}, {"Ada": "insufficient_licenses"})
    assert world.happened()["directory.recovered"] == 0
    contoso.sync()
    assert (contoso.row().state, contoso.row().problem) == ("healthy", None)
    assert contoso.licenses() == {"Ada": "standard"}
    assert world.happened()["directory.recovered"] == 1


@proves("Z11")
def test_a_retired_directory_is_not_brought_back_by_its_file(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    with world.store.begin() as tx:
        tx.directories.retire_directory(contoso.key, PERSON, 0)
    world.load()
    result = contoso.sync()
    assert result.outcome == "failed" and result.error is not None and "retired" in result.error
    assert contoso.licenses() == {"Ada": "standard"}


@proves("Z11")
def test_a_directory_is_bound_to_its_tenant_at_the_first_good_read(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    assert contoso.row().bound_to == contoso.tenant.id


@proves("Z11")
def test_another_tenant_behind_the_same_id_stops_the_directory(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    other = world.simulator.add_tenant(domain="elsewhere.example")
    other.hire("Eve")
    contoso.policy(STAFF, tenant=other.id)
    for full in (False, True):
        result = contoso.sync(full=full)
        assert result.outcome == "failed" and result.error is not None and result.remedy is not None
    assert (contoso.states(), contoso.licenses()) == ({"Ada": "active", "Ben": "active"}, {"Ada": "standard"})
    assert contoso.row().bound_to == contoso.tenant.id
    contoso.policy(STAFF)
    world.later(hours=2)
    assert contoso.sync().outcome == "nothing_to_do"


@proves("Z11")
def test_one_tenant_has_one_directory_id(world: World, contoso: Customer) -> None:
    licensed(world, contoso)
    fabrikam = world.customer("fabrikam")
    fabrikam.policy(STAFF, tenant=contoso.tenant.id)
    result = fabrikam.sync()
    assert result.outcome == "failed" and result.error is not None and "contoso-m365" in result.error
    assert (fabrikam.states(), fabrikam.row().state) == ({}, "failing")
    assert contoso.sync().outcome == "nothing_to_do"


@proves("Z4")
def test_a_directory_without_a_policy_is_not_run(world: World, contoso: Customer) -> None:
    contoso.policy(STAFF)
    text = contoso.file.read_text(encoding="utf-8")
    contoso.file.write_text(text.replace("contoso-m365:", "contoso-other:"), encoding="utf-8")
    world.load()
    result = contoso.sync()
    assert result.outcome == "failed"
    assert world.simulator.requests() == {}


@proves("Z9", "Z11")
def test_an_app_whose_secret_was_renewed_needs_no_restart(wire: World) -> None:
    contoso = wire.customer()
    licensed(wire, contoso)
    wire.simulator.add_app(App(secret="another"))
    wire.later(hours=2)
    assert contoso.sync().outcome == "failed"
    assert contoso.row().remedy is not None
    wire.simulator.add_app(App())
    wire.later(hours=2)
    assert contoso.sync().outcome == "nothing_to_do"
