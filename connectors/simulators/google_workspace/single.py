"""Objects by themselves, as JSON."""

import msgspec

from connectors.simulators.google_workspace.call import Call
from connectors.simulators.google_workspace.masks import masked
from connectors.simulators.google_workspace.schema import Record


def encoded(record: Record) -> bytes:
    return msgspec.json.encode(record)


def one(call: Call, record: Record) -> bytes:
    """An object as far as the mask lets it."""
    return encoded(masked(record, call.mask))
