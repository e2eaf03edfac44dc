"""The book of faults that were ordered from a simulator, which remembers what is still to come."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Counted(Protocol):
    """A fault, by how often it is to happen."""

    @property
    def times(self) -> int | None:
        """None until it is withdrawn."""
        ...

    @property
    def after(self) -> int:
        """How many matching requests pass unharmed first."""
        ...


Fault = TypeVar("Fault", bound=Counted)


@dataclass(slots=True)
class _Entry(Generic[Fault]):
    fault: Fault
    seen: int = 0

    def due(self) -> bool:
        """Count one matching request, and tell whether it is the fault's turn."""
        self.seen += 1
        return self.seen > self.fault.after

    @property
    def left(self) -> int | None:
        """How often it is still to come; None for ever."""
        times = self.fault.times
        return None if times is None else max(0, times - max(0, self.seen - self.fault.after))


class FaultBook(Generic[Fault]):
    """The faults that were ordered and have not all happened. One request meets one fault: the first that is due."""

    def __init__(self) -> None:
        self._entries: list[_Entry[Fault]] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._entries += [_Entry(fault) for fault in faults]

    def withdraw(self) -> None:
        """Cancel all that is still to come."""
        with self._lock:
            self._entries.clear()

    def outstanding(self) -> list[Fault]:
        """What has not happened as often as it was ordered."""
        with self._lock:
            return [entry.fault for entry in self._entries]

    def first_due(self, meets: Callable[[Fault], bool]) -> Fault | None:
        """The fault whose turn it is among those that a request meets, if any."""
        if not self._entries:
            return None
        with self._lock:
            for entry in self._entries:
                if meets(entry.fault) and entry.due():
                    self._entries = [other for other in self._entries if other.left != 0]
                    return entry.fault
        return None
