"""The domains of a customer, by which a walk is split that takes longer than Google lets one take.

Source: Google, "Directory API: domains", "users.list" (`domain`: the users of one domain, in all of them everybody).
"""

from connectors.google_workspace.google import Google
from connectors.google_workspace.wire import DOMAIN_FIELDS, Domains, reader

NAME = "domains"
_domains = reader(Domains)


def domains(google: Google) -> tuple[str, ...]:
    """The domains in which there can be users; Google lists them on one page, and their aliases apart."""
    path = ("customer", google.customer, "domains")
    listed = google.ask(google.request(path, {"fields": DOMAIN_FIELDS}), _domains, NAME).domains
    return tuple(domain.domainName for domain in listed if domain.verified is not False)
