"""Policy versions: the last good file stays in force."""

from policies.errors import Problem
from policies.model import Mark
from store.engine import Store
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW

AT = micros(NOW)


def store_good(store: Store, text: str, *, file: str = "contoso.yaml", provider: str | None = None) -> int:
    with store.begin() as tx:
        return tx.versions.store_good("contoso", text, file, provider, AT, who="cli:kim@host")


@proves("Z4")
def test_every_good_text_is_a_numbered_version_and_the_last_is_in_force(store: Store, company: int) -> None:
    with store.read() as tx:
        assert tx.versions.in_force("contoso") is None
    keys = [store_good(store, text) for text in ("one", "two", "one")]
    with store.read() as tx:
        version = tx.versions.in_force("contoso")
        assert version is not None
        assert (version.key, version.n, version.text, version.company) == (keys[2], 3, "one", "contoso")
        assert [found.n for found in tx.versions.history("contoso")] == [3, 2, 1]
        assert [found.key for found in tx.versions.all_in_force()] == [keys[2]]
        assert tx.versions.version(keys[1]).text == "two"
        assert tx.directories.company("contoso").policy == keys[2]


@proves("A1")
def test_a_change_of_policy_is_recorded(store: Store, company: int) -> None:
    store_good(store, "one")
    store_good(store, "two")
    with store.read() as tx:
        first, second = tx.audit.entries(company)
    assert (first.who, first.what, first.subject, first.before) == ("cli:kim@host", "policy.changed", "contoso", {})
    assert (second.before["version"], second.after["version"]) == (1, 2)
    assert second.before["hash"] == first.after["hash"] != second.after["hash"]


@proves("Z8")
def test_the_same_text_again_is_no_new_version(store: Store, company: int) -> None:
    first = store_good(store, "one", provider="p")
    assert store_good(store, "one", provider="p") == first
    assert store_good(store, "one", file="moved.yaml", provider="p") == first
    with store.read() as tx:
        [version] = tx.versions.history("contoso")
        assert version.file == "moved.yaml"
        assert len(tx.audit.entries(company)) == 1


@proves("Z4")
def test_the_provider_s_file_is_part_of_the_version(store: Store, company: int) -> None:
    first = store_good(store, "one", provider="p")
    assert store_good(store, "one", provider="q") != first


@proves("Z4")
def test_a_broken_file_is_reported_with_its_place_and_the_last_good_one_stays_in_force(
    store: Store, company: int
) -> None:
    good = store_good(store, "one")
    problem = Problem(Mark("contoso.yaml", 31, 5), "unknown key 'org_unit'", "org_unit", "one of …", "org_units")
    for now in (AT, AT + 60_000_000):
        with store.begin() as tx:
            tx.versions.report_broken({"contoso.yaml": [problem], "new.yaml": [problem]}, now)
    with store.read() as tx:
        contoso, new = tx.versions.problems()
        version = tx.versions.in_force("contoso")
    assert version is not None and version.key == good
    assert (contoso.file, contoso.company, contoso.since) == ("contoso.yaml", "contoso", "2026-11-02T09:00:00Z")
    assert contoso.problems == [
        {
            "file": "contoso.yaml", "line": 31, "column": 5, "message": "unknown key 'org_unit'", "found": "org_unit",
            "expected": "one of …", "nearest": "org_units",
        }
    ]  # fmt: skip
    assert (new.file, new.company) == ("new.yaml", None)
    with store.begin() as tx:
        tx.versions.report_broken({}, AT)
    with store.read() as tx:
        assert tx.versions.problems() == []
