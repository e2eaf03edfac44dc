"""Rows are locked in one order by all, so that nobody waits for who waits for them (Z9)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.proves import proves
from tests.services.waiting import until
from tests.worker.world import World, in_world

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.fixture
def many(tmp_path: Path, fresh_postgres: str) -> Iterator[World]:
    """An installation of several machines."""
    yield from in_world(tmp_path, fresh_postgres)


@proves("Z9")
def test_who_fulfills_an_order_locks_directories_in_the_order_of_idle_passes(many: World) -> None:
    """Idle passes are handed back by the dozen, in the order of their keys."""
    contoso = many.customer()
    contoso.crowd(2)
    contoso.policy("- {name: staff, groups: [Staff], license: standard}", purchasing="{standard: {auto: true}}")
    contoso.sync()
    sql = "INSERT INTO directory (id, company, kind) SELECT 'a-later-one', company, 'file' FROM directory RETURNING key"
    with many.store.begin() as tx:
        second = tx.execute(sql).scalar_one()
    with ThreadPoolExecutor(1) as pool:
        with many.store.begin() as tx:
            tx.execute("SELECT key FROM directory WHERE key = :key FOR UPDATE", {"key": contoso.key})
            fulfilled = pool.submit(many.fulfill)
            until(lambda: fulfilled.done() or many.one(WAITS))
            try:
                tx.execute("SELECT key FROM directory WHERE key = :key FOR UPDATE NOWAIT", {"key": second})
                taken_first = False
            except OperationalError:
                taken_first = True
        fulfilled.result()
    assert not taken_first
    assert len(contoso.licenses()) == 2
