"""PostgreSQL for tests is a real server, and each test has a database to itself."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from tests.services import postgres as service
from tests.services.kept import DidNotStart
from tests.services.postgres import Postgres

KILLED_WHILE_RUNNING = """
import os, psycopg, signal
from tests.services.postgres import running_postgres
with running_postgres() as server:
    with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="postgres") as connection:
        print(server.port, *connection.execute("show data_directory").fetchone(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _one(url: str, question: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text(question))
    finally:
        engine.dispose()


def test_a_server_of_the_supported_version_answers(postgres_url: str) -> None:
    assert str(_one(postgres_url, "show server_version")).startswith("18.")


def test_the_server_listens_on_loopback_alone(postgres_url: str) -> None:
    assert make_url(postgres_url).host == "127.0.0.1"
    assert _one(postgres_url, "show listen_addresses") == "127.0.0.1"


@pytest.mark.parametrize("round", [1, 2])
def test_a_fresh_database_is_empty(fresh_postgres: str, round: int) -> None:
    engine = create_engine(fresh_postgres)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        connection.execute(text("create table seats (n integer)"))
    engine.dispose()


def test_a_database_is_dropped_even_while_somebody_is_connected(postgres: Postgres) -> None:
    name = postgres.create()
    lingering = create_engine(postgres.database_url(name)).connect()
    postgres.drop(name)
    assert _one(postgres.url, f"select count(*) from pg_database where datname = '{name}'") == 0
    lingering.invalidate()
    lingering.close()


def test_a_database_can_be_the_copy_of_another(postgres: Postgres) -> None:
    template = postgres.create()
    with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=template) as connection:
        connection.execute("create table seats (n integer)")
    copy = postgres.create(template)
    assert _one(postgres.database_url(copy), "select count(*) from seats") == 0
    postgres.drop(copy)
    postgres.drop(template)


def test_text_is_utf_8_and_sorts_by_code_point(fresh_postgres: str) -> None:
    assert _one(fresh_postgres, "show server_encoding") == "UTF8"
    assert _one(fresh_postgres, "select string_agg(x, '' order by x) from unnest(array['é', 'b', 'B']) x") == "Bbé"


def test_a_server_whose_cluster_cannot_be_made_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CLUSTER", ["--encoding=klingon"])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(DidNotStart, match="klingon"), service.running_postgres():
        raise AssertionError("it started")


def test_a_killed_test_run_leaves_no_server_and_no_data_behind() -> None:
    run = subprocess.run([sys.executable, "-c", KILLED_WHILE_RUNNING], capture_output=True, text=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    # The keeper shares the run's standard error, so that reading it to its end took until the keeper was done.
    port, data = run.stdout.split()
    assert not Postgres(int(port)).answers()
    assert not Path(data).parent.exists()
