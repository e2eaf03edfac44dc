"""Trying everything that an installation depends on, and saying what to do about what fails. Nothing is changed.

What policies point to (their files, secrets, sellers and directories) is tried by `worker.operations.examining`.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from connectors.asking import Surroundings
from connectors.context import REAL, Context
from connectors.examining import tried
from connectors.secrets import Secrets
from policies.errors import SeatkeeperError
from store.engine import Store, open_store
from store.soundness import untrue
from worker.operations.examining import Checked, checked, examine_policies

if TYPE_CHECKING:
    from worker.settings import Settings

MASK = "***"
_SECRET = ("pass", "secret", "token", "key")


class Diagnosis(msgspec.Struct, frozen=True):
    """What is in force, secrets masked, and what came of trying all of it."""

    settings: dict[str, str | None]
    checks: list[Checked]

    @property
    def well(self) -> bool:
        """Whether nothing failed."""
        return all(check.ok for check in self.checks)


def diagnose(settings: "Settings", world: Surroundings = REAL) -> Diagnosis:
    """Try everything. Raises nothing for what is wrong with the installation: that is what it tells."""
    context = Context(Secrets(settings.secrets_dir), settings.policy_dir, world=world)
    with closing(context.http):
        return Diagnosis(in_force(settings), list(_checks(settings, context)))


def in_force(settings: "Settings") -> dict[str, str | None]:
    """Every setting as it is in force, with what is secret in it masked."""
    values = [getattr(settings, field.name) for field in fields(settings)]
    names = settings.variables()
    return {name: None if value is None else masked(str(value)) for name, value in zip(names, values, strict=True)}


def masked(value: str) -> str:
    """A setting without its password, wherever a URL can have one."""
    scheme, colon, _ = value.partition("://")
    if not colon:
        credential, at, host = value.rpartition("@")
        return f"{MASK}@{host}" if at and ":" in credential else value
    try:
        parts = urlsplit(value)
        said = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        return f"{scheme}://{MASK}"
    if parts.netloc and "@" not in parts.netloc and "@" in parts.path + parts.fragment:
        return f"{scheme}://{MASK}"  # a password with / or # in it, which nobody wrote as %2F or %23
    user, at, host = parts.netloc.rpartition("@")
    name, has_password, _ = user.partition(":")
    place = f"{name}:{MASK}@{host}" if has_password else f"{user}{at}{host}"
    query = [(key, MASK if any(word in key.lower() for word in _SECRET) else text) for key, text in said]
    return f"{scheme}://{place}{parts.path}{'?' if query else ''}{urlencode(query, safe='*/')}"


def _checks(settings: "Settings", context: Context) -> Iterator[Checked]:
    store, database = _opened(settings)
    yield database
    if store is not None:
        yield _counters(store)
    if settings.redis_url is not None:
        yield checked(None, tried("Redis", lambda: _redis(settings.redis_url or "")))
    if settings.smtp_url is not None:
        yield checked(None, tried("mail server", lambda: _mail_server(settings.smtp_url)))
    try:
        yield from examine_policies(settings.policy_dir, store, context)
    finally:
        if store is not None:
            store.close()


def _opened(settings: "Settings") -> tuple[Store | None, Checked]:
    try:
        store = open_store(settings.database_url)
    except SeatkeeperError as problem:
        remedy = "check SEATKEEPER_DATABASE_URL, and that the database answers there"
        if problem.code == "schema_behind":
            remedy = "take a backup, then `seatkeeper db upgrade`; or run the release that the database was made by"
        return None, Checked("database", None, False, None, str(problem), remedy)
    return store, Checked("database", None, True, f"{store.dialect.name}, at the right revision")


def _counters(store: Store) -> Checked:
    with store.read() as tx:
        wrong = list(untrue(tx))
    if not wrong:
        return Checked("counters", None, True, "equal to what they count")
    remedy = "something wrote to the database beside Seatkeeper; restore a backup, or report it"
    return Checked("counters", None, False, None, "; ".join(wrong), remedy)


def _redis(url: str) -> str:
    from worker.redis import ask, redis_at

    with closing(redis_at(url)) as client:
        ask(client)
    return "answers"


def _mail_server(url: str | None) -> str:
    from connectors.mail import post_office

    return post_office(url).answers()
