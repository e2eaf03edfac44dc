"""A store on either database, with one company and one directory in it where a test asks for them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from store.engine import Store, open_store

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store, once on each database."""
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def company(store: Store) -> int:
    """The key of a company without directories."""
    return add_company(store, "contoso")


@pytest.fixture
def directory(store: Store, company: int) -> int:
    """The key of that company's directory, which has never run."""
    return add_directory(store, company, "contoso-m365")


def add_company(store: Store, id: str, *, pool: int = 0) -> int:
    """A company, drawing from the global pool unless said otherwise; its key."""
    with store.begin() as tx:
        return int(
            tx.execute(
                "INSERT INTO company (id, name, pool, audit_hash) VALUES (:id, :id, :pool, :none) RETURNING key",
                {"id": id, "pool": pool, "none": b""},
            ).scalar_one()
        )


def add_directory(store: Store, company: int, id: str) -> int:
    """A directory of a company; its key."""
    with store.begin() as tx:
        return int(
            tx.execute(
                "INSERT INTO directory (id, company, kind) VALUES (:id, :company, 'microsoft365') RETURNING key",
                {"id": id, "company": company},
            ).scalar_one()
        )
