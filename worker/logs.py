"""Logs: one JSON document a line and event on standard error, with the ids of company, directory and run.

Libraries that report what we report ourselves are silent. Nothing here ever holds a token, a body or a query: those who
write log lines do not have them.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

OTHERS = ("azure", "msal", "urllib3", "alembic")
"""Libraries that report what we report ourselves, in our own words."""
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class OneLine(logging.Formatter):
    """An event as one line of JSON; what is given as `extra` stands beside its words."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        event |= {name: value for name, value in record.__dict__.items() if name not in _OWN}
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(event, enc_hook=str).decode()


def to_standard_error(level: int = logging.INFO) -> None:
    """Write what happens to standard error, a line an event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in OTHERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("dramatiq").setLevel(logging.ERROR)
