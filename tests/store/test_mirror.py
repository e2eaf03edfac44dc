"""Laying walks over the mirror."""

import pytest

from connectors.base import Seen
from store.engine import Store
from store.mirror import Compared
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


@proves("Z2")
@pytest.mark.parametrize("other", [BATCH - 1, BATCH + 1])
def test_a_walk_is_forgotten_alone(store: Store, directory: int, other: int) -> None:
    ada, member = Seen("1", "ada@contoso.example"), ("g1", "1", "account", False)

    def staged(batch: int) -> list[int]:
        with store.read() as tx:
            counts = (f"SELECT count(*) FROM {table} WHERE batch = {batch}" for table in ("stage", "stage_edge"))
            return [int(tx.execute(sql).scalar_one()) for sql in counts]

    with store.begin() as tx:
        for batch in (BATCH, other):
            tx.staging.add(directory, Walk(batch, None, 0, False, micros(NOW)), [ada])
            tx.staging.add_edges(batch, [member], 0)
        tx.staging.drop(directory, BATCH)
    assert (staged(BATCH), staged(other)) == ([0, 0], [1, 1])
    with store.begin() as tx:
        tx.staging.drop(directory, other)
    assert staged(other) == [0, 0]


@proves("Z6")
def test_a_change_of_an_account_that_is_noted_for_planning_already_is_not_lost(store: Store, directory: int) -> None:
    walk(store, directory, Seen("1", "ada@contoso.example"))
    # Nothing planned what the first walk noted: the process died in between.
    assert walk(store, directory, Seen("1", "ada.winter@contoso.example")) == 1
    assert address_of(store, directory, "1") == "ada.winter@contoso.example"


def compared(store: Store, directory: int, *seen: Seen) -> Compared:
    """What a walk says beside the mirror; it is not merged."""
    with store.begin() as tx:
        tx.staging.add(directory, Walk(BATCH, None, 0, True, micros(NOW)), seen)
        found = tx.mirror.compare(directory, BATCH)
        tx.staging.drop(directory, BATCH)
    return found


def test_a_walk_is_compared_with_the_mirror_before_anything_of_it_is_believed(store: Store, directory: int) -> None:
    ada, ben = Seen("1", "ada@contoso.example", mailbox="user"), Seen("2", "ben@contoso.example", mailbox="user")
    guest = Seen("3", "eve@fabrikam.example", guest=True)
    walk(store, directory, ada, ben, guest)

    same = compared(store, directory, ada, ben, guest)
    assert same == Compared(alive=3, known=3, new=0, changed=0, open=0, once=True)
    assert compared(store, directory, ada, Seen("4")) == Compared(2, known=1, new=1, changed=0, open=1, once=False)
    moved, deleted = ada._replace(address="ada.winter@contoso.example"), Seen("2", gone="deleted")
    left = compared(store, directory, moved, deleted)
    assert left == Compared(alive=1, known=2, new=0, changed=2, open=0, once=True)
    assert compared(store, directory, Seen("5", gone="purged")).alike


@proves("Z2")
def test_nobody_is_taken_for_told_of_once_who_may_have_been_told_of_twice(store: Store, directory: int) -> None:
    ada, ben = Seen("1", "ada@contoso.example"), Seen("2", "ben@contoso.example")
    walk(store, directory, ada, ben)

    assert compared(store, directory, ada, ben).once
    assert compared(store, directory, ben).once
    assert not compared(store, directory, ada, ada).once, "as many as there are, but not the same"
    assert not compared(store, directory, ada, ben, ada).once
    assert not compared(store, directory, ada, ben, Seen("2", gone="deleted")).once
    assert not compared(store, directory, ada, ben, Seen("3", "eve@contoso.example")).once
    assert not compared(store, directory, ada, ben, Seen("3", gone="deleted")).once


def test_who_is_in_the_line_of_mailboxes_is_not_written_there_again(store: Store, directory: int) -> None:
    seen = [Seen(str(n), f"person{n}@contoso.example") for n in range(3)]
    line = []
    for later in range(2):
        with store.begin() as tx:
            tx.staging.add(directory, Walk(BATCH, None, 0, True, micros(NOW)), seen)
            tx.mirror.merge(directory, BATCH, plan_whole=True)
            tx.mirror.queue_mailboxes(directory, BATCH, micros(NOW) + later, again=False)
            tx.staging.drop(directory, BATCH)
        # Where PostgreSQL has a row, and who locked it last: a lock is a write, too.
        place = "ctid::text, xmax::text" if store.dialect.name == "postgresql" else "due"
        with store.read() as tx:
            line.append(tx.execute(f"SELECT account, {place} FROM mailbox_queue ORDER BY account").all())
    assert len(line[0]) == 3
    assert line[0] == line[1]


def test_what_did_not_change_is_not_written(store: Store, directory: int) -> None:
    walk(store, directory, Seen("1", "ada@contoso.example"))
    assert walk(store, directory, Seen("1", "ada@contoso.example")) == 0
