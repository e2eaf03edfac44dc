"""Trying what a directory or seller needs, one thing at a time, for `seatkeeper doctor`: a cold path, and read only.

A kind of directory says in its `DirectoryConnector` which function examines one; a kind without one is opened and
asked which tenant it is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple

from connectors.context import Context
from connectors.errors import ConnectorError, NeedsPerson, Transient
from connectors.http import NoAnswer, Request
from connectors.pushes import NOTHING_HERE
from connectors.registry import directories, open_directory, open_seller
from connectors.verdicts import Patience
from policies.credentials import EnvRef, FileRef
from policies.document import DirectoryEntry, SellerEntry

SIGN_IN, TENANT, USERS, GROUPS, MAILBOXES = "sign-in", "tenant", "users", "groups", "mailboxes"
UNITS, EVENTS, PUSHES = "organizational units", "audit events", "pushes"
"""What is tried of a directory. The detail of `tenant` is the tenant id or customer id that it reports of itself."""
BRIEF = Patience(attempts=2, longest=5.0)
"""Somebody waits for the answer."""
NOBODY = "seatkeeper-doctor"
"""A key under which nothing was ever ordered."""
AGAIN = "try again in a while; if it stays so, look at the network between here and there"


class Finding(NamedTuple):
    """What came of trying one thing: that it works and what it told, or what is wrong and what to do about it."""

    what: str
    ok: bool
    detail: str = ""
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Needed:
    """What the policy needs a directory to tell, beside its accounts."""

    groups: bool = False
    mailboxes: bool = False
    org_units: bool = False


def tried(what: str, attempt: Callable[[], str]) -> Finding:
    """Make an attempt, which returns what it told; a failure is a finding as well."""
    try:
        return Finding(what, True, attempt())
    except NeedsPerson as problem:
        return Finding(what, False, "", problem.problem, problem.remedy)
    except Transient as problem:
        return Finding(what, False, "", problem.problem, AGAIN)
    except ConnectorError as problem:
        return Finding(what, False, "", problem.problem, "a defect, or a vendor that changed: report it")


def examine_directory(entry: DirectoryEntry, context: Context, needed: Needed) -> Iterator[Finding]:
    """Try a directory: signing in, the tenant, and each permission that is needed. Ends where the next attempt can
    tell nothing any more."""
    place = directories()[entry.kind].examines
    if place is None:
        yield tried(TENANT, lambda: open_directory(entry, context).tenant())
        return
    module, _, function = place.partition(":")
    yield from getattr(import_module(module), function)(entry.options, context, needed)


def examine_seller(entry: SellerEntry, context: Context) -> Finding:
    """Ask a seller for an order that nobody made: whether it is there, and takes our signature."""

    def attempt() -> str:
        seller = open_seller(entry, context)
        seller.find(NOBODY)
        return seller.address

    return tried("seller", attempt)


def examine_pushes(address: str, context: Context) -> Finding:
    """Whether a daemon of ours is where a vendor is told to push to: it answers in its own way to a push that is none.

    Asked from here, which is not where the vendor stands: that nothing gets there from here proves nothing.
    """

    def attempt() -> str:
        try:
            answer = context.http.send(Request("POST", f"{address.rstrip('/')}/{NOBODY}"))
        except NoAnswer as problem:
            if str(problem) in _NOBODY_GETS_THERE:
                raise NeedsPerson(f"{address}: {problem}", remedy=_HEARD_BY_ALL) from None
            return f"not reached from here ({problem}); ask from outside: {_OUTSIDE} {address}/x"
        if (answer.status, answer.body) != (404, NOTHING_HERE):
            raise NeedsPerson(f"{address} is answered by something else, with status {answer.status}", remedy=_LET_BY)
        return f"a daemon answers, as asked from here; to ask from outside: {_OUTSIDE} {address}/x"

    return tried(PUSHES, attempt)


_NOBODY_GETS_THERE = ("its name cannot be resolved", "the TLS connection failed")
"""What is said of a connection that fails from anywhere."""
_OUTSIDE = "404 and “nothing is here” is right for curl --request POST --include"
_HEARD_BY_ALL = "give the address a name that everybody can resolve, and a certificate that everybody trusts"
_LET_BY = "let POST below this address through to /google of SEATKEEPER_CONSOLE of a daemon, and see that one runs"


def examine_secrets(refs: Sequence[EnvRef | FileRef], context: Context) -> Iterator[Finding]:
    """Read each secret that policies point to, and forget it."""
    for ref in refs:
        yield tried(
            f"{{env: {ref.name}}}" if isinstance(ref, EnvRef) else f"{{file: {ref.path}}}",
            lambda ref=ref: _read(ref, context),  # type: ignore[misc]
        )


def _read(ref: EnvRef | FileRef, context: Context) -> str:
    if isinstance(ref, EnvRef):
        context.secrets.text(ref)
    else:
        context.secrets.data(ref)
    return "can be read"
