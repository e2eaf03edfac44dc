"""What a new user, mailbox or group starts with."""

from typing import NamedTuple

from connectors.simulators import names
from connectors.simulators.microsoft365.schema import Record

E5 = "c7df2760-2c81-4ef7-b578-5b5392b571df"
LICENSED = [{"disabledPlans": [], "skuId": E5}]
UNLICENSED: list[object] = []


class Domains(NamedTuple):
    """A tenant's addresses: its own domain, and the one that it was created with."""

    own: str
    initial: str


def alias(name: str) -> str:
    """The part of an address before the @: `Zoë Łuczak` is `zoe.luczak`."""
    return ".".join(names.mailed(word) for word in name.split())


def naming(name: str, address: str) -> Record:
    """The properties in which a person's name and address stand."""
    given, _, surname = name.partition(" ")
    return {
        "userPrincipalName": address,
        "displayName": name,
        "givenName": given,
        **({"surname": surname} if surname else {}),
        "mail": address,
        "mailNickname": address.partition("@")[0],
    }


def employee(name: str, address: str, created: str) -> Record:
    return {
        **naming(name, address),
        "userType": "Member",
        "createdDateTime": created,
        "proxyAddresses": [f"SMTP:{address}"],
        "assignedLicenses": LICENSED,
    }


def guest(name: str, upn: str | None, domains: Domains, created: str) -> Record:
    """Somebody of another organization: the sign-in name is made of their address at home."""
    home = names.PARTNERS[0]
    return {
        "userPrincipalName": upn or f"{alias(name)}_{home}#EXT#@{domains.initial}",
        "displayName": name,
        "mail": f"{alias(name)}@{home}",
        "userType": "Guest",
        "createdDateTime": created,
        "proxyAddresses": [],
        "assignedLicenses": UNLICENSED,
    }


def unowned_mailbox(name: str, address: str, created: str) -> Record:
    """A shared mailbox or a room as Entra sees it: a user that cannot sign in and is not licensed."""
    return {
        "userPrincipalName": address,
        "displayName": name,
        "mail": address,
        "mailNickname": address.partition("@")[0],
        "accountEnabled": False,
        "userType": "Member",
        "createdDateTime": created,
        "proxyAddresses": [f"SMTP:{address}"],
        "assignedLicenses": UNLICENSED,
    }


def group(name: str, mail: str | None, created: str, *, unified: bool, hidden: bool) -> Record:
    """A security group, or a Microsoft 365 group where it is `unified`."""
    return {
        "displayName": name,
        "createdDateTime": created,
        "groupTypes": ["Unified"] if unified else [],
        "mailEnabled": mail is not None,
        "mailNickname": mail.partition("@")[0] if mail else names.mailed(name),
        "securityEnabled": not unified,
        "proxyAddresses": [f"SMTP:{mail}"] if mail else [],
        **({"mail": mail} if mail else {}),
        **({"visibility": "HiddenMembership" if hidden else "Private"} if unified or hidden else {}),
    }
