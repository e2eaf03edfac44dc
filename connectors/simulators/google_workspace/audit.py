"""The record of what administrators did, as the Reports API tells it: late, newest first, and by address."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from connectors.simulators.google_workspace.people import instant
from connectors.simulators.google_workspace.schema import Record


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done to a user or a group."""

    at: datetime
    number: int
    """In the order in which things were done."""
    type: str
    name: str
    parameters: dict[str, str] = field(default_factory=dict)

    def shown(self, customer: str, actor: str, actor_id: str) -> Record:
        """An activity with this event."""
        return {
            "kind": "admin#reports#activity",
            "id": {
                "time": instant(self.at),
                "uniqueQualifier": str(-(self.number * 7_368_787 + 1_234_567_890_123)),
                "applicationName": "admin",
                "customerId": customer,
            },
            "etag": f'"activity/{self.number}"',
            "actor": {"callerType": "USER", "email": actor, "profileId": actor_id},
            "events": [
                {
                    "type": self.type,
                    "name": self.name,
                    "parameters": [{"name": name, "value": value} for name, value in self.parameters.items()],
                }
            ],
        }


class Audit:
    """Events in the order in which they happened."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: list[Event] = []

    def note(self, at: datetime, type_: str, name: str, **parameters: str) -> Event:
        event = Event(at, len(self._events), type_, name, parameters)
        self._events.append(event)
        return event

    def newest_first(self) -> Iterator[Event]:
        return reversed(self._events)
