"""A store on either database, with one company and one directory in it where a test asks for them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.engine import Store, open_store
from tests.services.postgres import Postgres

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def prepared(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty store on each database, to be copied: making one takes twenty times as long as copying it."""
    file, name = tmp_path_factory.mktemp("prepared") / "seatkeeper.db", postgres.create()
    for url in (f"sqlite:///{file}", postgres.database_url(name)):
        open_store(url).close()
    return {"sqlite": str(file), "postgresql": name}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, prepared: dict[str, str], postgres: Postgres, tmp_path: Path
) -> Iterator[Store]:
    """An empty store, once on each database."""
    template = prepared[request.param]
    if request.param == "sqlite":
        opened = open_store(f"sqlite:///{shutil.copy(template, tmp_path / 'seatkeeper.db')}")
        yield opened
        opened.close()
        return
    name = postgres.create(template)
    opened = open_store(postgres.database_url(name))
    yield opened
    opened.close()
    postgres.drop(name)


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
