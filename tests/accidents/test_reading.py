"""What a directory answers, or does not: reads that fail, fall short, or come back empty."""

from collections.abc import Callable

from connectors.simulators.microsoft365 import Fault, Habits
from tests.accidents.town import Town
from tests.proves import proves

Licensed = Callable[..., str]


def down(path: str, *, after: int = 0) -> Fault:
    """Graph fails, and goes on failing; it says for how long, so that nobody waits for it here."""
    return Fault("unavailable", path, after=after, times=None, retry_after=3_600)


def whole(town: Town, number: int = 25) -> bool:
    """Nobody lost anything."""
    return town.licenses() == {"standard": number} and town.is_sound()


@proves("Z2")
def test_accident_01_an_api_that_fails_deletes_nobody(town: Town, licensed: Licensed) -> None:
    licensed()
    before = town.tables()
    for fault in (down("/users/delta"), Fault("empty_list", "/users/delta")):
        town.simulator.order(fault)
        report = town.sync("--full")
        town.simulator.withdraw_faults()
        assert report["code"] in (1, 3) and report["actions"] == []
    after = town.tables()
    assert after["assignment"] == before["assignment"]
    assert whole(town)


@proves("Z2", "S6")
def test_accident_02_somebody_who_cannot_be_read_is_left_alone(town: Town, licensed: Licensed) -> None:
    licensed()
    one = town.people[3]
    town.simulator.order(down(f"/users/{one}/mailboxSettings*"))
    town.simulator.order(Fault("denied", f"/users/{one}*", times=None))
    town.tenant.update_user(one, department="Sales")
    report = town.sync()
    assert not any(action["kind"] in ("archive", "release") for action in report["actions"])
    assert town.accounts()[one]["license"] == "standard"
    assert whole(town)


@proves("Z2")
def test_accident_03_a_search_that_succeeds_and_finds_nobody_is_not_believed(town: Town, licensed: Licensed) -> None:
    licensed()
    town.simulator.order(Fault("empty_list", "/users/delta", times=None), Fault("short_count", entries=25, times=None))
    report = town.sync("--full")
    assert (report["outcome"], report["code"]) == ("held", 3)
    assert town.holds() == [("read", 25)]
    assert whole(town)


@proves("Z2", "Z9")
def test_accident_04_an_error_is_not_a_removal(town: Town, licensed: Licensed) -> None:
    licensed()
    for fault in (Fault("not_found", "/users/delta", times=None), Fault("denied", "/users/delta", times=None)):
        town.simulator.order(fault)
        report = town.sync("--full")
        town.simulator.withdraw_faults()
        assert (report["outcome"], report["code"]) == ("failed", 1)
        assert report["error"]
    assert whole(town)


@proves("Z11")
def test_accident_05_a_setting_that_points_elsewhere_stops_the_directory(town: Town, licensed: Licensed) -> None:
    """A wrong tenant id in the policy: the tenant behind it is empty, and well."""
    licensed()
    elsewhere = town.simulator.add_tenant(domain="wrong.example")
    town.policy("- {name: staff, everyone: true, license: standard, on_leave: {then: release, after: 0s}}",
                tenant=elsewhere.id)  # fmt: skip
    report = town.sync("--full")
    assert (report["outcome"], report["code"]) == ("failed", 1)
    assert town.tenant.id in report["error"] and elsewhere.id in report["error"]
    assert whole(town)


@proves("Z2", "G2")
def test_accident_07_the_first_page_is_not_the_group(town: Town, licensed: Licensed) -> None:
    """Groups around each page limit, and an empty page with a next link in between."""
    licensed(1)
    town.tenant.habits = Habits(page_size=20)
    sizes = {"Below": 19, "At": 20, "Above": 21, "Far above": 101}
    for name, size in sizes.items():
        town.tenant.create_group(name, members=town.hire(size))
    town.add("standard", 161)
    town.policy("- {name: staff, groups: [Staff, Below, At, Above, Far above], license: standard, on_leave: release}")
    town.simulator.order(Fault("empty_page", "/groups*", after=1, times=3))
    report = town.sync()
    assert (report["error"], town.licenses()) == (None, {"standard": 162})
    again = town.sync()
    assert (again["outcome"], again["actions"]) == ("nothing_to_do", [])
    assert whole(town, 162)


@proves("Z2")
def test_accident_08_an_error_in_the_middle_does_not_make_a_short_list(town: Town, licensed: Licensed) -> None:
    licensed()
    town.simulator.order(Fault("throttle", "/users/delta", after=1, retry_after=1))
    assert town.sync("--full")["outcome"] == "nothing_to_do", "what Graph asks for is waited for, and the list goes on"
    town.simulator.order(down("/users/delta", after=1))
    town.tenant.delete_user(town.people[0])
    before = town.tables()
    report = town.sync("--full")
    assert (report["outcome"], report["actions"]) == ("failed", [])
    assert town.tables()["assignment"] == before["assignment"]
    town.simulator.withdraw_faults()
    assert [action["kind"] for action in town.sync()["actions"]] == ["archive"]


@proves("Z2")
def test_accident_09_a_large_group_that_reads_short_is_read_again(town: Town, licensed: Licensed) -> None:
    """A list of members that ends early, with status 200."""
    town.tenant.habits = Habits(page_size=200)
    licensed(1_300, safety="{release: {most: 5000, share: 100%}}")
    town.simulator.order(Fault("short_list", "/groups*"), Fault("short_list", "/groups*"))
    town.policy(
        "- {name: all of them, groups: [Staff], license: standard, on_leave: {then: release, after: 0s}}",
        safety="{release: {most: 5000, share: 100%}}",
    )
    report = town.sync("--full")
    assert not any(action["kind"] == "release" for action in report["actions"])
    town.simulator.withdraw_faults()
    town.sync("--full")
    assert whole(town, 1_300)


@proves("Z9")
def test_accident_15_a_tenant_that_fails_is_left_as_it_was_with_one_alarm(town: Town, licensed: Licensed) -> None:
    licensed()
    before = town.tables(("assignment", "lot", "orders", "retention"))
    town.simulator.order(Fault("error", status=403, times=None))
    for _ in range(3):
        assert town.sync()["outcome"] == "failed"
    assert town.told()["directory.failing"] == 1
    assert town.tables(("assignment", "lot", "orders", "retention")) == before
    [directory] = town("status", "--json").json["directories"]
    assert directory["state"] == "failing" and directory["problem"] and directory["remedy"]
    assert whole(town)


@proves("Z9", "S6")
def test_accident_27_a_quota_that_is_used_up_is_no_news_of_anybody(town: Town, licensed: Licensed) -> None:
    licensed(10)
    town.tenant.delete_user(town.people[0])
    town.simulator.order(Fault("throttle", retry_after=3_600, times=None))
    report = town.sync()
    assert report["outcome"] == "failed" and "left alone until" in report["error"]
    assert town.licenses() == {"standard": 10}
    town.simulator.withdraw_faults()
    town.simulator.order(Fault("throttle", "/users/*/mailboxSettings*", retry_after=3_600, times=None))
    [newcomer] = town.hire(1)
    town.add("standard", 1)
    town.tenant.add_member(town.tenant.find_group("Staff"), newcomer)
    town.sync()
    assert town.accounts()[newcomer]["license"] is None, "what kind of mailbox it is was not said, and is not guessed"
    assert town.is_sound()
