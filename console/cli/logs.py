"""Where logs go: to standard error, a line an event, so that answers stay alone on standard output."""

import logging

OTHERS = ("azure", "msal", "urllib3", "dramatiq", "alembic")
"""Libraries that report what we report ourselves, in our own words."""


def to_standard_error() -> None:
    """Write warnings of our own to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for name in OTHERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
