"""Channels on which Google tells that users changed: one for each event, for a day at most, and not to be relied on.

Source: Google, "Directory API: push notifications". A channel cannot be renewed: another one takes its place.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from connectors.asking import Refused
from connectors.google_workspace.google import Google
from connectors.google_workspace.users import NAME
from connectors.google_workspace.wire import reader
from connectors.http import Request
from connectors.pushes import Registered
from connectors.verdicts import Meaning

LASTS = timedelta(days=1)
_STOP = "/admin/directory_v1/channels/stop"


class _Channel(msgspec.Struct):
    resourceId: str
    expiration: str


_channel = reader(_Channel)


def watch(google: Google, event: str, address: str, id: str, token: str) -> Registered:
    """Register a channel, as `Pushes.watch` promises."""
    asked = google.request((NAME, "watch"), {"customer": google.customer, "event": event})
    ttl = {"ttl": str(int(LASTS.total_seconds()))}
    channel = {"id": id, "type": "web_hook", "address": address, "token": token, "params": ttl}
    found = google.ask(_posted(asked, channel), _channel, NAME)
    return Registered(found.resourceId, datetime.fromtimestamp(int(found.expiration) / 1000, UTC))


def stop(google: Google, id: str, resource: str) -> None:
    """Stop a channel, as `Pushes.stop` promises."""
    asked = google.request((), {})._replace(url=google.root.url.partition("/admin/")[0] + _STOP)
    try:
        google.ask(_posted(asked, {"id": id, "resourceId": resource}), lambda _body: None, NAME, of_one=True)
    except Refused as refused:
        if refused.meaning is not Meaning.GONE:
            raise


def _posted(request: Request, body: object) -> Request:
    headers = {**request.headers, "content-type": "application/json"}
    return request._replace(method="POST", headers=headers, body=msgspec.json.encode(body))
