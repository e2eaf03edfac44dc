"""Who may drive a simulator: this machine alone, whatever a page in somebody's browser asks for."""

from connectors.simulators.serving import Request

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def from_elsewhere(request: Request) -> bool:
    """Whether the request was meant for another host than this machine, as when a name was made to stand for it."""
    said = request.headers.get("host", "")
    return (said.rpartition(":")[0] or said) not in _LOOPBACK
