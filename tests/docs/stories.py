"""Plays the stories of docs/rules.md: a line is something that is, that happens, or (after →) that is so then.

A story is of the company contoso with one Microsoft 365 tenant, unless a line begins with another company's id in
brackets. What happens is done by the real operations on a real store; `sync` is what a timer does: the pools, the
directory, the clocks. Patterns of lines stand beside what they do, so that this module is the language's reference.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError

from connectors.simulators import seller
from connectors.simulators.microsoft365 import SIMULATED_CLIENT_ID, Fault, Habits
from connectors.simulators.serving import LoopbackServer
from policies.errors import SeatkeeperError
from store.account_filters import AccountFilter
from store.times import micros
from tests.license_keys import Issuer
from tests.worker.world import LEASE_RUNS_OUT, PERSON, Customer, World
from worker.operations.activating import activate
from worker.operations.by_hand import by_hand
from worker.operations.endpoints import add_endpoint, assign_to
from worker.operations.explaining import explain
from worker.operations.importing import import_licenses
from worker.operations.legal_holds import lift_hold, set_hold
from worker.operations.linking import link
from worker.operations.lots import prunable, prune
from worker.operations.ordering import approve_order, fulfill_order, reject_order
from worker.operations.policies import load
from worker.operations.pool_pass import pass_pools
from worker.operations.requests import Request, Verb
from worker.operations.retaining import acknowledge
from worker.operations.retiring import retire_company
from worker.operations.runs import RunResult
from worker.operations.selecting import Meant
from worker.operations.syncing import Asked, sync
from worker.relay import relay_once

Does = Callable[..., None]
LINES: list[tuple[re.Pattern[str], Does]] = []
SPANS = {"minute": "minutes", "hour": "hours", "day": "days"}
ARROW = "→ "
WRITTEN = ("assignment", "waiting", "lot", "orders", "plan", "audit")
"""Where a pass that does something leaves something."""


class Untrue(AssertionError):
    """A line is not so, or cannot be read."""


class Killed(BaseException):
    """The process is gone."""


def line(pattern: str) -> Callable[[Does], Does]:
    """Lines of this form do what the method says, with the parts in parentheses as arguments."""

    def put(does: Does) -> Does:
        LINES.append((re.compile(pattern), does))
        return does

    return put


def names(text: str) -> list[str]:
    """`Ada, Ben and Cy`."""
    return [name for name in re.split(r", | and ", text.strip()) if name]


class Teller:
    """Plays one story."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.customers: dict[str, Customer] = {}
        self.rules: dict[str, dict[str, str]] = {}
        self.sections: dict[str, dict[str, str]] = {}
        self.groups: dict[tuple[str, str], str] = {}
        self.servers = ExitStack()
        self.provider: dict[str, str] = {}
        self.has_portal = False
        self.key = ""
        self.unwritten: set[str] = set()
        self.company = "contoso"
        self.result: RunResult | None = None
        self.refusal = ""
        self.said = ""
        self.before: dict[str, Any] = {}
        self.seen = 0

    def play(self, story: str) -> None:
        """Play every line. Raises Untrue, naming the first one that is not so."""
        with self.servers:
            for text in story.splitlines():
                if text.strip():
                    self._line(text.strip())
        if self.refusal:
            raise Untrue(f"refused, and the story does not say so: {self.refusal}")
        if not self.world.is_sound():
            raise Untrue("the record or the counters are not sound after it")

    def _line(self, text: str) -> None:
        told = re.match(r"\[([a-z0-9-]+)\] (.*)", text)
        self.company, sentence = (told[1], told[2]) if told else ("contoso", text)
        for pattern, does in LINES:
            if found := pattern.fullmatch(sentence):
                self._do(does, found.groups(), sentence)
                return
        raise Untrue(f"no line of a story: {text!r}")

    def _do(self, does: Does, arguments: Sequence[str | None], sentence: str) -> None:
        if sentence.startswith(ARROW):
            does(self, *arguments)
            return
        if self.refusal:
            raise Untrue(f"refused, and the story does not say so: {self.refusal}")
        if does not in (Teller.rule, Teller.section, Teller.of_provider):
            self._write()
        self.before, self.seen = self._tables(), self._feed_end()
        try:
            does(self, *arguments)
        except (SeatkeeperError, IntegrityError) as refused:
            self.refusal = str(refused)

    def _write(self) -> None:
        provider = "".join(f"{key}: {value}\n" for key, value in self.provider.items())
        if provider:
            (self.world.folder / "provider.yaml").write_text(provider)
        for id in sorted(self.unwritten):
            customer = self._customer(id)
            listed = "\n".join(f"- {{name: {name}, {rest}}}" for name, rest in self.rules.get(id, {}).items())
            customer.policy(listed or "[]", **self.sections.get(id, {}))
        self.unwritten.clear()

    def _customer(self, id: str | None = None) -> Customer:
        id = id or self.company
        if id not in self.customers:
            self.customers[id] = self.world.customer(id)
        return self.customers[id]

    def _tables(self) -> dict[str, Any]:
        return {table: self.world.rows(f"SELECT * FROM {table}") for table in WRITTEN}

    def _feed_end(self) -> int:
        with self.world.store.read() as tx:
            return tx.audit.feed_end()

    @property
    def _now(self) -> int:
        return micros(self.world.clock())

    def _id(self, name: str) -> str:
        return self._customer().people[name]

    def _rows(self) -> dict[str, Any]:
        """The accounts as `accounts list` shows them, by id."""
        with self.world.store.read() as tx:
            return {row.id: row for row in tx.views.every_account(AccountFilter(), self._now)}

    def _group(self, name: str) -> str:
        key = (self.company, name)
        if key not in self.groups:
            self.groups[key] = self._customer().tenant.create_group(name)
        return self.groups[key]

    # --- what is said in the policy ---

    @line(r"rule ([^:{]+): \{(.*)\}")
    def rule(self, name: str, rest: str) -> None:
        self._customer()
        self.rules.setdefault(self.company, {})[name] = rest
        self.unwritten.add(self.company)

    @line(r"policy (\w+): (.*)")
    def section(self, key: str, value: str) -> None:
        self._customer()
        self.sections.setdefault(self.company, {})[key] = value
        self.unwritten.add(self.company)

    @line(r"provider (\w+): (.*)")
    def of_provider(self, key: str, value: str) -> None:
        self.provider[key] = value
        self.unwritten |= {"contoso", *self.customers}

    @line(r"rule (.+) is removed from the file")
    def no_rule(self, name: str) -> None:
        del self.rules[self.company][name]
        self.unwritten.add(self.company)

    @line(r"the policy file is broken: (.*)")
    def broken(self, extra: str) -> None:
        customer = self._customer()
        customer.file.write_text(f"{customer.file.read_text()}{extra}\n")
        self.said = "\n".join(map(str, load(self.world.app)))

    @line(r"the policy file is gone")
    def gone(self) -> None:
        self._customer().file.unlink()
        load(self.world.app)

    # --- what happens in the directory ---

    @line(r"(\d+) people are in (\w+)")
    def crowd(self, number: str, group: str) -> None:
        names = [f"Person {n:03}" for n in range(int(number))]
        self._customer().hire(*names)
        self._customer().tenant.add_members(self._group(group), [self._id(name) for name in names])

    @line(r"(.+) (?:is|are) in (\w+)")
    def in_group(self, who: str, group: str) -> None:
        customer = self._customer()
        for name in names(who):
            if name not in customer.people:
                customer.hire(name)
            customer.tenant.add_member(self._group(group), self._id(name))

    @line(r"(.+) (?:leaves|leave) (\w+)")
    def leave(self, who: str, group: str) -> None:
        for name in names(who):
            self._customer().tenant.remove_member(self._group(group), self._id(name))

    @line(r"(.+) (?:works|work) in (.+)")
    def department(self, who: str, department: str) -> None:
        self._customer().hire(*names(who), department=department)

    @line(r"(.+) (?:is|are) hired")
    def hire(self, who: str) -> None:
        self._customer().hire(*names(who))

    @line(r"(\w+) is hired again as (\w+)")
    def hired_again(self, old: str, new: str) -> None:
        [self._customer().people[new]] = [self._customer().tenant.hire(old)]

    @line(r"(.+) (?:is a shared mailbox|are shared mailboxes)")
    def shared(self, who: str) -> None:
        self._customer().mailbox(*names(who))

    @line(r"(.+)'s mailbox becomes (shared|user)")
    def convert(self, who: str, kind: str) -> None:
        self._customer().tenant.convert_mailbox(self._id(who), kind)
        self._customer().tenant.update_user(self._id(who), jobTitle=kind)

    @line(r"(.+) (?:is|are) (deleted|restored|disabled|enabled) in the directory")
    def in_directory(self, who: str, what: str) -> None:
        tenant = self._customer().tenant
        verb = {"deleted": tenant.delete_user, "restored": tenant.restore_user, "disabled": tenant.disable,
                "enabled": tenant.enable}[what]  # fmt: skip
        for name in self._everybody(who):
            verb(self._id(name))

    def _everybody(self, who: str) -> list[str]:
        number = re.fullmatch(r"(\d+) of them", who)
        return [f"Person {n:03}" for n in range(int(number[1]))] if number else names(who)

    @line(r"the group (\w+) is (deleted|renamed)")
    def group(self, name: str, what: str) -> None:
        tenant = self._customer().tenant
        if what == "deleted":
            tenant.delete_group(self._group(name))
        else:
            tenant.update_group(self._group(name), displayName=f"Formerly {name}")

    @line(r"the consent of the tenant is (withdrawn|given)")
    def consent(self, what: str) -> None:
        tenant = self._customer().tenant
        (tenant.withdraw_consent if what == "withdrawn" else tenant.consent)(SIMULATED_CLIENT_ID)

    @line(r"the permission (\S+) is revoked")
    def revoke(self, permission: str) -> None:
        self._customer().tenant.revoke(permission)

    @line(r"a portal sells to contoso and answers: (fulfilled|refused, (\w+))")
    def sold(self, _answer: str, refused: str | None) -> None:
        portal = seller.Simulator(self.world.clock, fulfills_after=timedelta(0))
        if refused:
            portal.order(seller.Fault("refuse", refused=refused, times=None))
        url = self.servers.enter_context(LoopbackServer(portal.answer)).url
        secret = self.world.app.settings.secrets_dir / "portal"
        secret.touch(mode=0o600)
        secret.write_text(seller.SIMULATED_SECRET)
        self.of_provider("allowed_hosts", f"['{url.partition('//')[2]}']")
        self.section(
            "purchasing",
            f"{{seller: {{kind: http, url: '{url}', secret: {{file: portal}}}}, standard: {{auto: true}}}}",
        )
        self.has_portal = True

    # --- time, stock, passes ---

    @line(r"(\d+) (minute|hour|day)s? pass(?:es)?")
    def passes(self, number: str, unit: str) -> None:
        self.world.later(timedelta(**{SPANS[unit]: int(number)}))

    @line(
        r"(\d+) (standard|archived|computer) seats?(?: until (\S+))?( on trial)?( of its own)?"
        r"( that do(?:es)? not renew)?"
    )
    def stock(
        self, seats: str, license: str, until: str | None, trial: str | None, own: str | None, once: str | None
    ) -> None:
        more: dict[str, Any] = {"term": "trial"} if trial else {}
        if until:
            more |= {"expires": date.fromisoformat(until), "term": "yearly", "renews": not once}
        self.world.add_lot(license, int(seats), company=self.company if own else None, **more)

    @line(r"sync( --dry-run| --full)?")
    def sync(self, flag: str | None) -> None:
        asked = Asked(dry=flag == " --dry-run", full=flag == " --full", whole=flag == " --full")
        if not asked.dry:
            pass_pools(self.world.app)
        self.result = sync(self.world.app, self._customer().directory, asked)
        if not asked.dry:
            pass_pools(self.world.app)
        if self.has_portal and not asked.dry:
            relay_once(self.world.app, self.world.app.clock(), asked=True)

    @line(r"sync, killed when it has (leased|pulled|merged|planned|applied)")
    def killed(self, step: str) -> None:
        def mark(name: str) -> None:
            if name == step:
                raise Killed

        app = self.world.restart(mark)
        try:
            self.result = sync(app, self._customer().directory)
        except Killed:
            self.world.restart()
            self.world.later(LEASE_RUNS_OUT)

    @line(r"sync, told to stop when it has (leased|pulled|merged|planned)")
    def stopped(self, step: str) -> None:
        app = self.world.restart(lambda name: app.stopping.set() if name == step else None)
        self.result = sync(app, self._customer().directory)
        self.world.restart()

    @line(r"every message is lost")
    def lost(self) -> None:
        self.world.restart()  # the broker in the process goes with it

    @line(r"a listing leaves (\w+) out")
    def left_out(self, _who: str) -> None:
        self._customer().tenant.habits = Habits(page_size=1)
        self.world.simulator.order(Fault("short_list", "/users/delta"))

    @line(r"another machine is at it")
    def elsewhere(self) -> None:
        with self.world.store.begin() as tx:
            tx.leases.take(self._customer().key, "another:machine", self._now, LEASE_RUNS_OUT)

    # --- what people do ---

    @line(r"endpoints add (\S+)")
    def endpoint(self, name: str) -> None:
        add_endpoint(self.world.app, name, PERSON, company=self.company)

    @line(r"licenses assign --endpoint (\S+) --license (\w+)")
    def to_endpoint(self, name: str, license: str) -> None:
        assign_to(self.world.app, [name], license, PERSON)

    @line(r"licenses (assign|archive|deactivate|follow|pin|unpin) (.+?)( --as-many-as-fit)?")
    def by_hand(self, verb: str, who: str, some: str | None) -> None:
        if who.startswith("--where "):
            where = dict(part.split("=") for part in who.removeprefix("--where ").split(","))
            meant = Meant((), AccountFilter(**where))
        else:
            meant = Meant(tuple(self._id(name) for name in names(who)))
        done = by_hand(self.world.app, Request(Verb(verb), meant, as_many_as_fit=bool(some)), PERSON)
        if done.short and not some:
            self.refusal = f"insufficient licenses: {done.wanted} wanted, {done.free} free, {done.short} short"

    @line(r"the provider signs a key for (\d+) standard seats")
    def sign(self, seats: str) -> None:
        issuer = Issuer()
        issuer.publish(self.world.app.settings.secrets_dir)
        self.of_provider("license_keys", "{public_key: {file: license-keys.pem}}")
        self.key = issuer.key(seats=int(seats))

    @line(r"lots activate KEY")
    def activate(self) -> None:
        activate(self.world.app, self.key, PERSON)

    @line(r"licenses import (\w+)")
    def import_(self, who: str) -> None:
        file = self.world.folder.parent / "licenses.csv"
        rows = [f"{self._customer().directory},{self._id(name)},standard\n" for name in names(who)]
        file.write_text("directory,account,license\n" + "".join(rows))
        import_licenses(self.world.app, file, PERSON)

    @line(r"accounts link (\w+) (\w+)")
    def link(self, new: str, old: str) -> None:
        link(self.world.app, self._id(new), self._id(old), PERSON)

    @line(r"legal-hold (set|lift) (\w+)")
    def legal_hold(self, verb: str, who: str) -> None:
        (set_hold if verb == "set" else lift_hold)(self.world.app, (self._id(who),), None, PERSON)

    @line(r"orders (approve|reject|fulfill)(?: --seats (\d+))?")
    def order(self, verb: str, seats: str | None) -> None:
        with self.world.store.read() as tx:
            [id] = [order.id for order in tx.orders.listing(states=("awaiting_approval", "placed"))]
        if verb == "fulfill":
            fulfill_order(self.world.app, id, PERSON, seats=None if seats is None else int(seats))
        else:
            (approve_order if verb == "approve" else reject_order)(self.world.app, id, PERSON)

    @line(r"plan (approve|reject|reopen) (\w+)")
    def plan(self, verb: str, kind: str) -> None:
        with self.world.store.read() as tx:
            [hash] = {plan.hash for plan in tx.plans.listing(True) if plan.kind == kind}
        getattr(self.world, verb)(hash)

    @line(r"notices ack --all")
    def ack(self) -> None:
        with self.world.store.read() as tx:
            ids = [notice.id for notice in tx.notices.listing()]
        acknowledge(self.world.app, ids, PERSON)

    @line(r"lots prune --expired")
    def prune(self) -> None:
        ended = prunable(self.world.app, renewing=False, unheld=False)
        prune(self.world.app, [lot.id for lot in ended], PERSON)

    @line(r"company retire (\S+)")
    def retire(self, company: str) -> None:
        retire_company(self.world.app, company, PERSON)

    @line(r"why (\w+)")
    def why(self, who: str) -> None:
        found = explain(self.world.app, self._id(who))
        self.said = "\n".join([found.decision.text, *(f"{rule.rule}: {rule.said}" for rule in found.rules)])

    @line(r"UPDATE lot SET held = held \+ 1")
    def overfill(self) -> None:
        with self.world.store.begin() as tx:
            tx.execute("UPDATE lot SET held = held + 1")

    @line(r"UPDATE audit SET who = 'nobody'")
    def forge(self) -> None:
        with self.world.store.begin() as tx:
            tx.execute("UPDATE audit SET who = 'nobody'")

    @line(r"INSERT a second license for (\w+)")
    def second_license(self, who: str) -> None:
        with self.world.store.begin() as tx:
            tx.execute(
                "INSERT INTO assignment SELECT * FROM assignment WHERE account ="
                " (SELECT key FROM account WHERE id = :id)",
                {"id": self._id(who)},
            )

    # --- what is so then ---

    @line(rf"{ARROW}(\d+) of them: (.+)")
    def number_of_them(self, number: str, fact: str) -> None:
        rows = self._rows()
        found = [id for id in self._customer().people.values() if fact in self._facts(rows.get(id))]
        self._is(len(found), int(number), f"accounts that are {fact}")

    def _facts(self, row: Any) -> list[str]:
        """All that can be said of an account, as the list shows it; None was never read."""
        if row is None:
            return ["nothing"]
        facts = [row.license or "nothing", row.protection, row.state]
        if row.waiting is not None:
            facts.append(f"waits: {row.waiting.reason}")
        if row.through is not None:
            facts.append("on a seat" if row.through == "seat" else "on the entitlement")
        if row.source is not None:
            facts.append(row.source)
        if row.retention_ends is not None:
            facts.append(f"kept until {row.retention_ends[:10]}")
        if row.linked_to is not None:
            facts.append("linked")
        if row.possible_return_of is not None:
            facts.append("a possible return")
        return facts

    @line(rf"{ARROW}(\d+) (standard|archived|computer) seats? free(?: of its own)?")
    def free(self, number: str, license: str) -> None:
        sql = (
            "SELECT coalesce(sum(seats - held), 0) FROM lot WHERE license = :l AND NOT ended AND NOT removed AND"
            " coalesce(expires_at, :now) >= :now"
        )
        self._is(self.world.one(sql, l=license, now=self._now), int(number), f"{license} seats free")

    @line(rf"{ARROW}ordered: (.+)")
    def ordered(self, wanted: str) -> None:
        with self.world.store.read() as tx:
            found = [
                f"{o.seats} {o.license}, {o.state.replace('_', ' ')}" + (f", {o.estimate}" if "." in wanted else "")
                for o in reversed(tx.orders.listing())
            ]
        self._is("; ".join(found), wanted, "orders")

    @line(rf"{ARROW}nothing ordered")
    def not_ordered(self) -> None:
        self._is(self.world.orders(), [], "orders")

    @line(rf"{ARROW}held: (\d+) (\w+)")
    def held(self, number: str, kind: str) -> None:
        self._is(self.world.holds(), [(kind, int(number))], "holds")

    @line(rf"{ARROW}nothing held")
    def nothing_held(self) -> None:
        self._is(self.world.holds(), [], "holds")

    @line(rf"{ARROW}outcome: (\w+)")
    def outcome(self, wanted: str) -> None:
        assert self.result is not None
        self._is(self.result.outcome, wanted, "the outcome")

    @line(rf"{ARROW}would (\w+) (\d+)")
    def would(self, kind: str, number: str) -> None:
        assert self.result is not None
        found = sum(action.kind == kind for action in self.result.actions)
        self._is(found, int(number), f"actions that {kind}")

    @line(rf"{ARROW}refused: (.+)")
    def refused(self, wanted: str) -> None:
        refusal, self.refusal = self.refusal, ""
        if wanted not in refusal:
            raise Untrue(f"refused with {refusal!r}, not {wanted!r}")

    @line(rf"{ARROW}says: (.+)")
    def says(self, wanted: str) -> None:
        problem = "" if self.result is None else f"{self.result.error} {self.result.remedy}"
        if wanted not in self.said and wanted not in problem:
            raise Untrue(f"said {self.said!r}, {problem!r}, not {wanted!r}")

    @line(rf"{ARROW}directory: (\w+)")
    def directory(self, wanted: str) -> None:
        self._is(self._customer().row().state, wanted, "the directory's state")

    @line(rf"{ARROW}told: (.+)")
    def told(self, wanted: str) -> None:
        with self.world.store.read() as tx:
            found = [event.type.removeprefix("seatkeeper.") for event in tx.audit.feed(self.seen, 1_000)]
        for kind in names(wanted):
            if kind not in found:
                raise Untrue(f"told {', '.join(found) or 'nothing'}, not {kind}")

    @line(rf"{ARROW}not told: (.+)")
    def not_told(self, unwanted: str) -> None:
        self._is(unwanted in self.world.happened(), False, f"{unwanted} in the record")

    @line(rf"{ARROW}due: (\S+)")
    def due(self, directory: str) -> None:
        with self.world.store.read() as tx:
            self._is(tx.directories.by_id(directory).due_at <= self._now, True, f"{directory} is due")

    @line(rf"{ARROW}read whole today")
    def read_whole(self) -> None:
        today = self._customer().row().read_whole_at // 86_400_000_000
        self._is(today, self._now // 86_400_000_000, "the day of the last whole read")

    @line(rf"{ARROW}no license, order or entry of the record is new")
    def nothing_written(self) -> None:
        self._is(self._tables(), self.before, "licenses, orders and the record")

    @line(rf"{ARROW}audit --verify finds nothing wrong")
    def verified(self) -> None:
        with self.world.store.read() as tx:
            self._is(list(tx.audit.verify()), [], "what is wrong with the record")

    @line(rf"{ARROW}(\d+) notices? open")
    def notices(self, number: str) -> None:
        with self.world.store.read() as tx:
            self._is(tx.notices.unanswered(), int(number), "open notices")

    @line(rf"{ARROW}policy version (\d+) is in force")
    def version(self, number: str) -> None:
        with self.world.store.read() as tx:
            version = tx.versions.in_force(self.company)
        self._is(version and version.n, int(number), "the version in force")

    @line(rf"{ARROW}([\w, ]+): ([^→]+)")
    def account(self, who: str, wanted: str) -> None:
        rows = self._rows()
        for name in names(who):
            facts = self._facts(rows.get(self._id(name)))
            for fact in re.split(r", | and ", wanted):
                if fact not in facts:
                    raise Untrue(f"{name} is not {fact!r}, but {', '.join(facts)}")

    @staticmethod
    def _is(found: object, wanted: object, what: str) -> None:
        if found != wanted:
            raise Untrue(f"{what}: {found}, not {wanted}")


def stories(text: str) -> Iterator[tuple[str, int, str]]:
    """The stories of a document: the rule that each stands below, the line where it begins, and its text."""
    rule, start, block = "", 0, list[str]()
    for number, row in enumerate(text.splitlines(), 1):
        if heading := re.match(r"### ([A-Z]\d+) — ", row):
            rule = heading[1]
        if start and row == "```":
            yield rule, start, "\n".join(block)
            start, block = 0, []
        elif start:
            block.append(row)
        elif row == "```story":
            start = number
