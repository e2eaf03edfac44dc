"""`users.watch` and `channels.stop`, and telling of what happened over plain HTTP on loopback.

Whatever an address answers, it is told again only after a 5xx.
"""

import http.client
import logging
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from connectors.links import is_loopback
from connectors.simulators.bodies import Body
from connectors.simulators.google_workspace import refusals
from connectors.simulators.google_workspace.call import Call
from connectors.simulators.google_workspace.watches import Asked, Channel

log = logging.getLogger(__name__)
EVENTS = ("add", "delete", "makeAdmin", "undelete", "update")
_DEFAULT, _LONGEST = timedelta(hours=2), timedelta(days=2)
_REPEATED = frozenset({500, 502, 503, 504})


def watch(call: Call) -> Body:
    """`POST /users/watch`."""
    customer, asked = call.customer(call.query.get("customer", "my_customer")), _asked(call)
    event = call.choice("event", *EVENTS)
    place = urlsplit(asked.address)
    if place.scheme != "https" and not (place.scheme == "http" and is_loopback(place.hostname or "")):
        raise refusals.Refusal(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS")
    if customer.habits.push_unverified:
        raise refusals.Refusal(401, "push.webhookUrlUnauthorized", f"Unauthorized WebHook callback: {asked.address}")
    if asked.type != "web_hook" or not asked.id:
        raise refusals.Refusal(400, "required", "Required")
    if asked.id in customer.channels.open:
        raise refusals.Refusal(400, "channelIdNotUnique", f"Channel id {asked.id} not unique")
    lasts = min(timedelta(seconds=int(asked.params.get("ttl", _DEFAULT.total_seconds()))), _LONGEST)
    channel = Channel(asked, event, f"users/{customer.id}/{event}", call.now + lasts)
    customer.channels.add(channel, call.now)
    return msgspec.json.encode(channel.shown())


def stop(call: Call) -> Body:
    """`POST /channels/stop`, which answers nothing."""
    asked = _asked(call)
    customer = call.customer("my_customer") if call.home is not None else call.visible()[0]
    channel = customer.channels.open.get(asked.id)
    if channel is None or channel.resource != asked.resourceId:
        raise refusals.Refusal(404, "notFound", "Channel not found")
    del customer.channels.open[asked.id]
    return b""


def _asked(call: Call) -> Asked:
    try:
        return msgspec.json.decode(call.body, type=Asked)
    except msgspec.DecodeError:
        raise refusals.Refusal(400, "parseError", "Parse Error") from None


def post(channel: Channel, state: str) -> bool:
    """Tell it; False where it is worth telling again. Nothing leaves this machine."""
    channel.number += 1
    place = urlsplit(channel.asked.address)
    if place.scheme != "http" or not is_loopback(place.hostname or ""):
        return True
    headers = {
        "X-Goog-Channel-ID": channel.asked.id,
        "X-Goog-Channel-Token": channel.asked.token,
        "X-Goog-Channel-Expiration": channel.expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "X-Goog-Resource-ID": channel.resource,
        "X-Goog-Resource-URI": "https://admin.googleapis.com/admin/directory/v1/users",
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(channel.number),
        "Content-Type": "application/json; charset=UTF-8",
    }
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=5)
    try:
        connection.request("POST", place.path or "/", b'{"kind":"admin#directory#user"}', headers)
        return connection.getresponse().status not in _REPEATED
    except OSError as problem:
        log.info("a notification was not heard: %s", problem)
        return True
    finally:
        connection.close()
