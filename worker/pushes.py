"""What vendors push: a hint that a directory changed, which lets it be read earlier, and nothing else.

`POST /google/<channel>` on the console. The body is not looked at. However many come, a directory is read at most once
a minute because of them; those that come while it is read, or too early, wait here, and are lost with the process: its
own time comes in any case.
"""

from collections.abc import Mapping
from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING

from connectors.pushes import NOTHING_HERE
from store.times import micros, span
from worker.health import Said
from worker.loops import Loop
from worker.operations.pushing import hashed

if TYPE_CHECKING:
    from worker.bootstrap import App

PATH = "/google/"
APART = timedelta(minutes=1)
"""From the end of one read to the next that a push begins."""
_EVERY = timedelta(seconds=1)
_NOBODY = Said(404, NOTHING_HERE)


class PushesHeard:
    """What one process hears, and passes on."""

    def __init__(self, app: "App") -> None:
        self._app = app
        self._waiting: set[int] = set()
        """Directories that are to be read early."""
        self.loop = Loop("pushes", _EVERY, self.pass_on)

    def heard(self, path: str, headers: Mapping[str, str]) -> Said:
        """Answer a push. Whoever does not know the channel's token is told what everybody is told who comes to a place
        where nothing is."""
        if not path.startswith(PATH):
            return _NOBODY
        named = {name.lower(): value for name, value in headers.items()}
        with self._app.store.read() as tx:
            channel = tx.channels.by_id(path.removeprefix(PATH))
        known = "" if channel is None else channel.token_hash
        same = compare_digest(known, hashed(named.get("x-goog-channel-token", "")))
        if channel is None or not same:
            return _NOBODY
        if named.get("x-goog-resource-state") != "sync":
            self._waiting.add(channel.directory)
        return Said(204, b"")

    def pass_on(self) -> None:
        """Let the directories that may be read now be due."""
        waiting = set(self._waiting)
        if not waiting:
            return
        now = micros(self._app.clock())
        with self._app.store.read() as tx:
            ready = tx.channels.ready(waiting, now, now - span(APART))
        for directory in sorted(key for key in waiting if ready.get(key)):
            with self._app.store.begin() as tx:
                tx.channels.hasten(directory, now)
        self._waiting -= {key for key in waiting if ready.get(key, True)}
