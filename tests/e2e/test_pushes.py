"""What Google pushes to daemons in processes of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import urllib3

from tests.e2e.conftest import Daemon, Installation
from tests.proves import proves
from tests.services.waiting import until
from tests.worker.google import GoogleCustomer, workspace

pytestmark = pytest.mark.slow
EVERYONE = "- {name: everyone, everyone: true, license: standard}"


@proves("D1", "Z4")
def test_up_has_google_tell_it_of_changes_and_reads_when_it_does(on_sqlite: Installation) -> None:
    with pushed(on_sqlite, lambda: [on_sqlite.up()]) as contoso:
        [daemon] = on_sqlite.daemons
        leaves(contoso, "Ada", daemon)
        assert daemon.stop() == 0


@proves("D1", "Z5", "Z7")
def test_whichever_process_hears_a_push_has_the_directory_read(on_many: Installation) -> None:
    """A scheduler registers the channels; the proxy leads to any process, and to another one once that is gone."""
    with pushed(on_many, lambda: on_many.start("scheduler", "worker", "worker")) as contoso:
        scheduler, first, second = on_many.daemons
        leaves(contoso, "Ada", first)
        leaves(contoso, "Ben", scheduler)
        first.kill()
        scheduler.kill()
        on_many.start("scheduler")
        leaves(contoso, "Cy", second)
        assert len(on_many.world.rows("SELECT id FROM channel")) == len(contoso.gws.channels.open) == 4


@contextmanager
def pushed(installation: Installation, start: Callable[[], object]) -> Iterator[GoogleCustomer]:
    """A customer who is read every hour, and on whose changes Google's channels are registered."""
    world = installation.world
    with workspace(world) as contoso:
        contoso.hire("Ada", "Ben", "Cy")
        world.add_lot("standard", 5)
        world.add_lot("archived", 5)
        contoso.policy(EVERYONE, directory="every: 1h")
        start()
        until(lambda: len(contoso.licenses()) == 4, contoso.row)
        text = contoso.file.read_text(encoding="utf-8")
        contoso.file.write_text(text.replace("every: 1h", "every: 1h\n    push: http://127.0.0.1:9/google"))
        channels = contoso.gws.channels.open
        until(lambda: len(world.rows("SELECT id FROM channel")) == len(channels) == 4, contoso.row)
        yield contoso


def leaves(contoso: GoogleCustomer, name: str, daemon: Daemon) -> None:
    """Somebody is deleted, a minute and more after the last read; Google tells this process, and everybody is read."""
    contoso.delete(name)
    with contoso.world.store.begin() as tx:
        tx.execute("UPDATE directory SET last_success = last_success - 120000000")
    [channel] = [channel for channel in contoso.gws.channels.open.values() if channel.event == "delete"]
    for token, status in (("", 404), (channel.asked.token, 204)):
        headers = {"X-Goog-Channel-Token": token, "X-Goog-Resource-State": "delete"}
        where = f"{daemon.url}/google/{channel.asked.id}"
        assert urllib3.request("POST", where, body=b"{}", headers=headers, retries=False).status == status
    until(lambda: contoso.licenses()[name] == "archived", lambda: (contoso.row(), daemon.events))
