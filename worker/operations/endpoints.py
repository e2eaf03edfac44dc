"""Other license kinds, in people's hands: endpoints come and go, and seats are assigned to them and taken (M7).

A request is done whole or refused whole, unless as many as fit were asked for (L6). Beyond the safety limit a
deactivation is held whole (Z1). No clock runs for what an endpoint loses: what its backups are worth is for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from policies.document import Policy
from policies.judging import Recent, Verdict
from policies.model import License, Limit, Limited, Safety
from store.directories import RETIRED, CompanyRow
from store.endpoints import Endpoint, EndpointRow, shown
from store.errors import Conflict
from store.plans import HeldPlan
from store.times import micros
from worker.errors import Insufficient, Usage
from worker.operations.exchanging import exchange_expired
from worker.operations.handing import person_of
from worker.operations.policies import in_force
from worker.operations.pools import concerned
from worker.operations.runs import HeldKind
from worker.operations.terms import PROVIDER, kind_of

if TYPE_CHECKING:
    from store.transaction import Transaction
    from worker.bootstrap import App

KINDS = ("computer", "host", "socket", "administrator")
LONGEST = 200
ALL = 1_000_000_000


@dataclass
class EndpointsDone:
    """What became of a request, in the words of `licenses assign`."""

    wanted: int = 0
    free: int = 0
    assigned: list[EndpointRow] = field(default_factory=list)
    left_out: list[EndpointRow] = field(default_factory=list)
    """Those for whom there was no seat, by name."""
    deactivated: list[EndpointRow] = field(default_factory=list)
    unchanged: int = 0
    held: list[HeldKind] = field(default_factory=list)

    @property
    def short(self) -> int:
        return max(0, self.wanted - self.free)


# --- endpoints ---


def add_endpoint(
    app: "App", name: str, who: str, *, company: str | None = None, kind: str | None = None
) -> EndpointRow:
    """Make an endpoint known to a company: the one that is said, else the only one there is, else the provider.

    Raises Usage for a name that cannot be one, NotFound, and Conflict where there is one of that name.
    """
    if not name.strip() or name != name.strip() or len(name) > LONGEST or not name.isprintable():
        raise Usage(
            f"{name!r} is no name for an endpoint: up to {LONGEST} printable characters, none of them around it"
        )
    now = micros(app.clock())
    with app.store.begin() as tx:
        row = _company(tx, company)
        if row.state == RETIRED:
            raise Usage(f"{row.id} is retired")
        return shown(tx.endpoints.add(row.key, name, kind, who, now), now)


def remove_endpoint(app: "App", name: str, who: str, *, company: str | None = None) -> None:
    """Forget an endpoint. Raises NotFound, Ambiguous, and Conflict while it holds a license."""
    with app.store.begin() as tx:
        tx.endpoints.remove(_endpoint(tx, name, company), who, micros(app.clock()))


# --- their licenses ---


def assign_to(
    app: "App",
    names: Sequence[str],
    license: str,
    who: str,
    *,
    company: str | None = None,
    as_many_as_fit: bool = False,
) -> EndpointsDone:
    """Give endpoints of one company a license of a kind that is not automated, by name.

    Raises Insufficient where fewer seats are free than are wanted, Usage for what makes no sense, NotFound, Ambiguous.
    """
    now = micros(app.clock())
    with app.store.begin() as tx:
        sold_per = _sold_per(app, tx, license)
        row, endpoints = _locked(app, tx, names, company, now)
        if row.state == RETIRED:
            raise Usage(f"{row.id} is retired")
        wanted = [endpoint for endpoint in endpoints if _wants(endpoint, license, sold_per)]
        lots = [(lot.key, lot.free) for lot in tx.lots.free_seats(row.pool, license, now)]
        free = sum(number for _, number in lots)
        if len(wanted) > free and not as_many_as_fit:
            raise Insufficient(license, wanted=len(wanted), free=free)
        fit = wanted[:free]
        because = f"assigned by {person_of(who)}"
        tx.endpoints.assign(fit, license, [lot for lot, number in lots for _ in range(number)], who, because, now)
        if fit:
            tx.plans.note_movement(row.key, license, len(fit), now)
        return EndpointsDone(
            wanted=len(wanted),
            free=free,
            assigned=_now(tx, fit, now),
            left_out=_now(tx, wanted[free:], now),
            unchanged=len(endpoints) - len(wanted),
        )


def take_from(app: "App", names: Sequence[str], who: str, *, company: str | None = None) -> EndpointsDone:
    """Take what endpoints of one company hold; whoever holds an expired seat of that kind gets the free ones. Beyond
    the safety limit it is held, and nothing is taken (Z1)."""
    now = micros(app.clock())
    with app.store.begin() as tx:
        row, endpoints = _locked(app, tx, names, company, now)
        holding = [endpoint for endpoint in endpoints if endpoint.license is not None]
        verdict = _beyond(tx, row, _safety(app, tx, row), holding, now)
        if verdict is not None:
            actions = [(e.key, e.name, e.license or "") for e in holding]
            why = f"{verdict.why}; asked for by {who}"
            hash = tx.plans.hold_endpoints(row.key, actions, why, now)
            return EndpointsDone(held=[HeldKind(hash, Limited.UNASSIGN.value, len(actions))])
        _take(app, tx, row, holding, who, now)
        return EndpointsDone(deactivated=_now(tx, holding, now), unchanged=len(endpoints) - len(holding))


def is_of_endpoints(plan: HeldPlan) -> bool:
    """Whether what is held is licenses of endpoints."""
    return plan.directory is None and plan.kind == Limited.UNASSIGN


def take_held(app: "App", plan: HeldPlan, who: str) -> None:
    """Take what a limit held, because a person approved it. Refused with Conflict if an endpoint does not hold any more
    what it held then; then it stays held."""
    now = micros(app.clock())
    with app.store.begin() as tx:
        held = {a.account.id: a.held_license for a in tx.plans.actions(plan.hash, ALL) if a.account is not None}
        company = tx.directories.company_by_key(plan.company)
        row, endpoints = _locked(app, tx, sorted(held), company.id, now)
        if changed := sum(endpoint.license != held[endpoint.name] for endpoint in endpoints):
            raise Conflict(f"{changed} of the {plan.total} endpoints have changed since; ask for it again")
        tx.plans.approve(plan, who, now)
        _take(app, tx, row, endpoints, who, now, approved=True)


# --- below ---


def _company(tx: "Transaction", id: str | None) -> CompanyRow:
    if id is not None:
        return tx.directories.company(id)
    there = [row for row in tx.directories.companies() if row.key != PROVIDER and row.state != RETIRED]
    if len(there) > 1:
        raise Usage(f"say whose it is with --company: {', '.join(row.id for row in there[:10])}")
    return there[0] if there else tx.directories.company_by_key(PROVIDER)


def _endpoint(tx: "Transaction", name: str, company: str | None) -> Endpoint:
    return tx.endpoints.named(name, None if company is None else tx.directories.company(company).key)


def _locked(
    app: "App", tx: "Transaction", names: Sequence[str], company: str | None, now: int
) -> tuple[CompanyRow, list[Endpoint]]:
    """The endpoints of these names and their company, with its pool locked; whoever holds a seat of a lot that ended
    has had the free ones first (M9)."""
    named = {endpoint.key: endpoint for endpoint in (_endpoint(tx, name, company) for name in names)}
    companies = {endpoint.company for endpoint in named.values()}
    if len(companies) != 1:
        raise Usage("these endpoints are of several companies; say whose with --company, one after the other")
    row = tx.directories.company_by_key(companies.pop())
    tx.lots.lock_pool(row.pool)
    tx.audit.open([row.key, *concerned(tx, row.pool, now)])
    exchange_expired(app, tx, row.pool, now)
    return row, tx.endpoints.by_keys(named)


def _sold_per(app: "App", tx: "Transaction", license: str) -> str:
    sold = kind_of(app, tx, license)
    if license in tuple(License) or sold.per is None or sold.per == "user":
        raise Usage(f"{license} is for accounts, and not for endpoints: leave --endpoint out, and name accounts")
    return sold.per


def _wants(endpoint: Endpoint, license: str, sold_per: str) -> bool:
    """Whether it does not hold the license already. Raises Usage where it cannot."""
    if endpoint.license == license:
        return False
    if endpoint.license is not None:
        raise Usage(f"{endpoint.name} holds {endpoint.license}, and one license at a time (L2): deactivate it first")
    if endpoint.kind not in (None, sold_per):
        raise Usage(f"{endpoint.name} is a {endpoint.kind}, and {license} is sold per {sold_per}")
    return True


def _safety(app: "App", tx: "Transaction", row: CompanyRow) -> Safety:
    policy: Policy | None = None
    if row.key != PROVIDER and (found := in_force(app, tx, row.id)) is not None:
        policy = found.policy
    return Safety() if policy is None else policy.safety


def _beyond(
    tx: "Transaction", row: CompanyRow, safety: Safety, holding: Sequence[Endpoint], now: int
) -> Verdict | None:
    """The first limit that taking these goes beyond, if any: by share of each kind, by number over all licenses."""
    kind, limit = Limited.UNASSIGN, safety.unassign
    for license in sorted({endpoint.license or "" for endpoint in holding}):
        number = sum(endpoint.license == license for endpoint in holding)
        verdict = Verdict(kind, number, tx.plans.recent(row.key, kind.value, license, now), limit)
        if not verdict.passes:
            return verdict
    done = tx.plans.done_to_kinds(row.key, kind.value, (), now)
    total = Verdict(kind, len(holding), Recent(done, 0), Limit(limit.most))
    return None if total.passes else total


def _take(
    app: "App",
    tx: "Transaction",
    row: CompanyRow,
    holding: Sequence[Endpoint],
    who: str,
    now: int,
    *,
    approved: bool = False,
) -> None:
    if not holding:
        return
    tx.endpoints.release(holding, who, f"deactivated by {person_of(who)}", now)
    for license in sorted({endpoint.license or "" for endpoint in holding}):
        number = sum(endpoint.license == license for endpoint in holding)
        tx.plans.note_movement(row.key, license, -number, now)
        if not approved:
            tx.plans.note_removals(row.key, Limited.UNASSIGN.value, license, number, now)
    exchange_expired(app, tx, row.pool, now)


def _now(tx: "Transaction", endpoints: Sequence[Endpoint], now: int) -> list[EndpointRow]:
    return [shown(endpoint, now) for endpoint in tx.endpoints.by_keys([endpoint.key for endpoint in endpoints])]
