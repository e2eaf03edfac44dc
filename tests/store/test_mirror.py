"""Laying walks over the mirror."""

from connectors.base import Seen
from store.engine import Store
from store.staging import Walk
from store.times import micros
from tests.proves import proves
from tests.store.conftest import NOW

BATCH = 7


def walk(store: Store, directory: int, *seen: Seen) -> int:
    """Stage and merge a walk; returns how many accounts changed."""
    with store.begin() as tx:
        tx.staging.add(directory, Walk(BATCH, None, 0, False, micros(NOW)), seen)
        merged = tx.mirror.merge(directory, BATCH, plan_whole=False)
        tx.staging.drop(directory, BATCH)
    return merged.changed


def address_of(store: Store, directory: int, id: str) -> str:
    with store.read() as tx:
        values = {"directory": directory, "id": id}
        sql = "SELECT address FROM account WHERE directory = :directory AND id = :id"
        return str(tx.execute(sql, values).scalar_one())


@proves("Z6")
def test_a_change_of_an_account_that_is_noted_for_planning_already_is_not_lost(store: Store, directory: int) -> None:
    walk(store, directory, Seen("1", "ada@contoso.example"))
    # Nothing planned what the first walk noted: the process died in between.
    assert walk(store, directory, Seen("1", "ada.winter@contoso.example")) == 1
    assert address_of(store, directory, "1") == "ada.winter@contoso.example"


def test_what_did_not_change_is_not_written(store: Store, directory: int) -> None:
    walk(store, directory, Seen("1", "ada@contoso.example"))
    assert walk(store, directory, Seen("1", "ada@contoso.example")) == 0
