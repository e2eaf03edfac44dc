"""What Google pushes to a daemon in a process of its own."""

import pytest
import urllib3

from tests.e2e.conftest import Installation
from tests.proves import proves
from tests.services.waiting import until
from tests.worker.google import workspace

pytestmark = pytest.mark.slow
EVERYONE = "- {name: everyone, everyone: true, license: standard}"


@proves("D1", "Z4")
def test_up_has_google_tell_it_of_changes_and_reads_when_it_does(on_sqlite: Installation) -> None:
    world = on_sqlite.world
    with workspace(world) as contoso:
        contoso.hire("Ada", "Ben")
        world.add_lot("standard", 5)
        world.add_lot("archived", 5)
        contoso.policy(EVERYONE, directory="every: 1h")
        daemon = on_sqlite.up()
        until(lambda: len(contoso.licenses()) == 3, lambda: contoso.row())
        text = contoso.file.read_text(encoding="utf-8")
        contoso.file.write_text(text.replace("every: 1h", "every: 1h\n    push: http://127.0.0.1:9/google"))
        channels = contoso.gws.channels.open
        until(lambda: len(world.rows("SELECT id FROM channel")) == len(channels) == 4, lambda: daemon.events)
        contoso.delete("Ada")
        with world.store.begin() as tx:
            tx.execute("UPDATE directory SET last_success = last_success - 120000000")
        [channel] = [channel for channel in channels.values() if channel.event == "delete"]
        for token, status in (("", 404), (channel.asked.token, 204)):
            headers = {"X-Goog-Channel-Token": token, "X-Goog-Resource-State": "delete"}
            where = f"{daemon.url}/google/{channel.asked.id}"
            assert urllib3.request("POST", where, body=b"{}", headers=headers, retries=False).status == status
        until(lambda: contoso.licenses()["Ada"] == "archived", lambda: (contoso.row(), daemon.events))
        assert daemon.stop() == 0
