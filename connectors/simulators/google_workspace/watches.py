"""Push channels as a customer has them, and what is to be told over them.

Nothing is told by itself: `Simulator.deliver` tells what is due by simulated time, so that a test knows when it came.
Notifications may be lost, doubled or late, as `Habits` say.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from connectors.simulators.google_workspace.schema import Record

if TYPE_CHECKING:
    from connectors.simulators.google_workspace.customer import Habits

TOLD_AS = {"CREATE_USER": "add", "DELETE_USER": "delete", "UNDELETE_USER": "undelete"}
"""What is told of what happened; everything else that happens to a user is an update."""


class Asked(msgspec.Struct):
    """The body of a request about a channel."""

    id: str = ""
    type: str = ""
    address: str = ""
    token: str = ""
    resourceId: str = ""
    params: dict[str, str] = {}


@dataclass(slots=True)
class Channel:
    """A channel as it was registered."""

    asked: Asked
    event: str
    resource: str
    expires_at: datetime
    number: int = 0
    """Of messages so far; numbers grow, and have gaps."""

    def shown(self) -> Record:
        """The answer to `watch`."""
        return {
            "kind": "api#channel",
            "id": self.asked.id,
            "resourceId": self.resource,
            "resourceUri": f"https://admin.googleapis.com/admin/directory/v1/users?event={self.event}",
            "token": self.asked.token,
            "expiration": str(int(self.expires_at.timestamp() * 1000)),
        }


@dataclass(slots=True)
class Channels:
    """The channels of one customer, and what is to be told over them."""

    open: dict[str, Channel] = field(default_factory=dict)
    _due: list[tuple[datetime, Channel, str]] = field(default_factory=list)
    _happened: int = 0

    def add(self, channel: Channel, now: datetime) -> None:
        self.open[channel.asked.id] = channel
        self._due.append((now, channel, "sync"))

    def tell(self, event: str, now: datetime, habits: "Habits") -> None:
        """Something happened to a user."""
        self._happened += 1
        if habits.pushes_lost and self._happened % habits.pushes_lost == 0:
            return
        at = now + timedelta(seconds=habits.push_delay)
        for channel in self.open.values():
            if channel.event == event:
                self._due += [(at, channel, event)] * (2 if habits.pushes_twice else 1)

    def take(self, now: datetime) -> list[tuple[Channel, str]]:
        """What is due, over channels that are open still."""
        found = [(channel, state) for at, channel, state in self._due if at <= now]
        self._due = [one for one in self._due if one[0] > now]
        return [(c, s) for c, s in found if self.open.get(c.asked.id) is c and now < c.expires_at]

    def again(self, channel: Channel, state: str, now: datetime) -> None:
        """Tell it once more in a minute."""
        self._due.append((now + timedelta(minutes=1), channel, state))
