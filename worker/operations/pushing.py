"""Channels on which vendors tell of changes: registered where a policy asks for pushes, replaced before they expire,
and stopped where it asks no more. A channel that failed is tried again, and its directory is read all the same.

A channel is registered, then recorded: whoever is killed in between leaves one that nobody here knows, which is refused
when it speaks, and expires. Of its token the store has a hash only.
"""

import logging
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from connectors.errors import ConnectorError, NeedsPerson, Permanent
from connectors.pushes import Pushes, address_for, events_of
from store.channels import Channel
from store.directories import FROZEN, HEALTHY, DirectoryRow
from store.times import micros, span
from worker.operations.policies import InForce, of_version

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

log = logging.getLogger(__name__)
LOOK_EVERY = timedelta(minutes=5)
REPLACE_BEFORE = timedelta(hours=2)
"""A new channel takes over this long before the old one expires."""
_AFTER_A_FAILURE = timedelta(hours=1)
_READ_ALL_THE_SAME = "it is tried again in an hour, and the directory is read all the same"
_LOOK_AT_IT = "see that `push` of the directory is what docs/operations.md says of pushes"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Wanted(NamedTuple):
    """How one directory's channels should be, and are."""

    row: DirectoryRow
    in_force: InForce | None
    address: str | None
    """Where its vendor is to tell of changes, if anywhere."""
    channels: Sequence[Channel]

    def lasting(self, now: int) -> list[Channel]:
        """The channels that are as they should be for a while yet."""
        later = now + span(REPLACE_BEFORE)
        return [one for one in self.channels if one.address == self.address and one.expires_at > later]

    def missing(self, now: int) -> list[str]:
        """The events for which a channel is to be registered; a directory that fails gets none."""
        if self.address is None or self.row.state != HEALTHY:
            return []
        return sorted(set(events_of(self.row.kind)) - {one.event for one in self.lasting(now)})

    def over(self, now: int) -> list[Channel]:
        """The channels that have had their time once none is missing. Without a replacement one is kept to its end."""
        lasting, told = self.lasting(now), {one.event for one in self.lasting(now)} | {*self.missing(now)}
        ended = self.address is None
        return [
            one for one in self.channels if one not in lasting and (ended or one.event in told or one.expires_at <= now)
        ]


def hashed(token: str) -> str:
    """A token as the store has it: it is random enough for a plain hash to give nothing away."""
    return sha256(token.encode()).hexdigest()


class ChannelKeeper:
    """Looks whether channels are as the policies say, when these change, and now and then."""

    def __init__(self) -> None:
        self._looked = _LONG_AGO
        self._version: int | None = None
        self._work: list[_Wanted] = []
        self._failed: dict[int, datetime] = {}
        """Directories whose channels could not be kept, and when that was."""

    def is_needed(self, app: "App", tx: "Transaction") -> bool:
        """Whether there is anything to do."""
        now, version = app.clock(), tx.versions.newest()
        if version == self._version and self._looked <= now < self._looked + LOOK_EVERY:
            return False
        self._looked, self._version, at = now, version, micros(now)
        found = [one for one in _wanted(app, tx) if self._may_try(one.row.key, now)]
        self._work = [one for one in found if one.missing(at) or one.over(at)]
        return bool(self._work)

    def keep(self, app: "App", now: datetime) -> None:
        """Do what was found. What fails is said, and tried again in an hour."""
        work, self._work = self._work, []
        for one in work:
            try:
                _keep(app, one, micros(now))
                self._failed.pop(one.row.key, None)
            except ConnectorError as problem:
                self._failed[one.row.key] = now
                told = "; ".join([problem.problem, *_remedies(problem), _READ_ALL_THE_SAME])
                log.warning("pushes for %s: %s", one.row.id, told)

    def _may_try(self, directory: int, now: datetime) -> bool:
        failed = self._failed.get(directory)
        return failed is None or not failed <= now < failed + _AFTER_A_FAILURE


def _remedies(problem: ConnectorError) -> list[str]:
    """What a person can do; nothing where the vendor is busy or out of reach."""
    if isinstance(problem, NeedsPerson):
        return [problem.remedy]
    return [_LOOK_AT_IT] if isinstance(problem, Permanent) else []


def _wanted(app: "App", tx: "Transaction") -> Iterator[_Wanted]:
    channels: dict[int, list[Channel]] = {}
    for channel in tx.channels.all():
        channels.setdefault(channel.directory, []).append(channel)
    for row in tx.directories.all():
        if row.key in channels or (events_of(row.kind) and not row.retired and row.state != FROZEN):
            in_force = of_version(app, tx, row.policy)
            entry = None if in_force is None else in_force.entry(row.id)
            address = None if entry is None or row.retired or row.state == FROZEN else address_for(entry)
            yield _Wanted(row, in_force, address, channels.get(row.key, ()))


def _keep(app: "App", wanted: _Wanted, now: int) -> None:
    pushes = _opened(app, wanted)
    for event in wanted.missing(now):
        if pushes is not None and wanted.address is not None:
            _register(app, wanted.row, pushes, event, wanted.address)
    for channel in wanted.over(now):
        if pushes is not None and channel.expires_at > now:
            pushes.stop(channel.id, channel.resource)
        with app.store.begin() as tx:
            tx.channels.remove(channel.id)


def _opened(app: "App", wanted: _Wanted) -> Pushes | None:
    """Whom to ask; None where no policy says any more how, so that channels are left to expire."""
    entry = None if wanted.in_force is None else wanted.in_force.entry(wanted.row.id)
    if wanted.in_force is None or entry is None:
        return None
    directory = app.open_directory(entry, wanted.in_force.provider)
    return directory if isinstance(directory, Pushes) else None


def _register(app: "App", row: DirectoryRow, pushes: Pushes, event: str, address: str) -> None:
    id, token = str(uuid4()), secrets.token_urlsafe(32)
    found = pushes.watch(event, f"{address.rstrip('/')}/{id}", id, token)
    app.mark("registered")
    channel = Channel(id, row.key, event, address, hashed(token), found.resource, micros(found.expires_at))
    with app.store.begin() as tx:
        tx.channels.add(channel)
