"""The tables, with the constraints that L2 and L3 live in.

Conventions, the same on both databases:

- a `…_at`, `since`, `due`, `ends` column is an instant: microseconds since 1970, UTC, an integer (docs/decisions.md);
- a `key` is the store's own number, an `id` is what people and directories call the thing;
- `company` 0 is the provider: it owns the global pool and a chain of its own in the audit. A lot's or a company's
  `pool` is the key of the company that owns it, so that 0 is the global pool and locking a pool is locking one row;
- text that a directory does not have is '' in the mirror, so that NULL in `stage` can mean "not told";
- rows that exist once per account carry no foreign keys: they would cost more than the merge (docs/performance.md).

What only one of the databases can do (unlogged tables, trigger bodies) is in `store.dialects`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from policies.model import ATTRIBUTES

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Ordering must not depend on a server's locale: the plan's hash does not (G5, Z1).
Ordered = Text().with_variant(Text(collation="C"), "postgresql")
Key = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts up by itself, and keeps a row under its key without another index, only where the type says INTEGER."""


def _text(name: str, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _partial(name: str, where: str, *columns: str, unique: bool = False) -> Index:
    """An index of the rows that are rare enough to be looked for; the others cost it nothing."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# --- who ------------------------------------------------------------------------------------------------------------

company = Table(
    "company",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    _text("name"),
    _text("state", "active"),  # active, frozen (its file is missing, Z11), retired
    Column("pool", Integer, nullable=False, server_default="0"),
    Column("policy", Integer),  # the policy version in force
    Column("clocks_policy", Integer),  # the version by which running clocks were lengthened last (R3)
    Column("audit_n", BigInteger, nullable=False, server_default="0"),
    Column("audit_hash", LargeBinary, nullable=False, server_default=""),
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("company", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    _text("file"),
    Column("text", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("provider_text", Text),  # the provider file that it was read with
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("company", "n"),
)

policy_problem = Table(
    "policy_problem",
    metadata,
    Column("file", Text, primary_key=True),
    Column("problems", Text, nullable=False),  # JSON list, as `policy check --json` prints it
    Column("at", BigInteger, nullable=False),
)
"""Policy files that are broken as they stand now; the last good version stays in force (Z4)."""

directory = Table(
    "directory",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Ordered, nullable=False, unique=True),
    Column("company", Integer, nullable=False),
    _text("kind"),
    Column("bound_to", Text),  # tenant id, customer id or path, from the first good read (Z11)
    _text("state", "never_run"),  # healthy, failing, frozen, never_run
    Column("retired", Boolean, nullable=False, server_default="0"),
    Column("problem", Text),
    Column("remedy", Text),
    Column("mailbox_problem", Text),
    Column("mailbox_remedy", Text),
    Column("mailbox_asked_at", BigInteger),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", BigInteger),
    Column("last_success", BigInteger),
    Column("every", BigInteger, nullable=False, server_default="60000000"),  # microseconds
    Column("due_at", BigInteger, nullable=False, server_default="0"),
    Column("asked_at", BigInteger),  # somebody asked for a pass now (Z9)
    Column("lease_owner", Text),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("revision", BigInteger, nullable=False, server_default="0"),  # grows when a person changes its licenses
    Column("cursor", Text),
    Column("groups_cursor", Text),
    Column("groups_problem", Text),  # a suspended rule, or a namesake; told when everybody was last planned
    Column("groups_remedy", Text),
    Column("groups_hash", Text),  # what the policy's group names stood for when everybody was last planned
    Column("plan_whole", Boolean, nullable=False, server_default="1"),
    Column("plan_some", Boolean, nullable=False, server_default="0"),  # `unplanned` has rows
    Column("wake_at", BigInteger),  # when the next grace ends or mailbox is to be asked for
    Column("planned_policy", Integer),  # the policy version of the last whole plan
    Column("planned_whole_at", BigInteger, nullable=False, server_default="0"),
    Column("read_whole_at", BigInteger, nullable=False, server_default="0"),
    Column("count_off", SmallInteger, nullable=False, server_default="0"),  # times in a row that counts differed (Z2)
    Column("unstable_ids", Boolean, nullable=False, server_default="0"),
    Index(None, "due_at"),
    Index(None, "company"),
    _partial("ix_directory_asked_at", "asked_at IS NOT NULL", "asked_at"),
    _partial("uq_directory_bound_to", "NOT retired", "kind", "bound_to", unique=True),  # one tenant, one id (Z11)
)

channel = Table(
    "channel",
    metadata,
    Column("id", Text, primary_key=True),
    Column("directory", Integer, nullable=False),
    _text("event"),
    _text("address"),
    _text("token_hash"),  # whoever reads it cannot speak for the vendor
    _text("resource"),
    Column("expires_at", BigInteger, nullable=False),
)
"""Channels on which vendors tell that a directory changed."""

# --- the mirror -----------------------------------------------------------------------------------------------------

account = Table(
    "account",
    metadata,
    Column("key", Key, primary_key=True, autoincrement=True),
    Column("directory", Integer, nullable=False),
    Column("id", Ordered, nullable=False),
    Column("address", Ordered, nullable=False),
    _text("name"),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default="1"),
    Column("guest", Boolean, nullable=False, server_default="0"),
    _text("mailbox"),  # user, shared, room, equipment, none; '' not known yet
    _text("org_unit"),
    *(_text(f"at_{name}") for name in ATTRIBUTES),
    UniqueConstraint("directory", "id"),
    Index(None, "directory", "address"),
    _partial("ix_account_not_active", "state <> 'active'", "state", "directory", "address"),
    postgresql_with={"fillfactor": "85"},
)

SEEN = (
    "id", "address", "name", "enabled", "guest", "mailbox", "org_unit", *(f"at_{name}" for name in ATTRIBUTES), "gone",
)  # fmt: skip
"""The columns that a page fills, in the order of `connectors.base.Seen`."""

stage = Table(
    "stage",
    metadata,
    Column("batch", BigInteger, nullable=False),  # one walk of one directory
    Column("n", BigInteger, nullable=False),  # the order of arrival: a later entry for the same id wins
    Column("id", Ordered, nullable=False),
    Column("address", Text),
    Column("name", Text),
    Column("enabled", Boolean),
    Column("guest", Boolean),
    Column("mailbox", Text),
    Column("org_unit", Text),
    *(Column(f"at_{name}", Text) for name in ATTRIBUTES),
    Column("gone", Text),
    # No more than the batch: ids come in no order, and an index of them would cost as much as all other columns.
    Index("ix_stage_batch", "batch"),
)

stage_edge = Table(
    "stage_edge",
    metadata,
    Column("batch", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("grp", Text, nullable=False),
    Column("member", Ordered, nullable=False),
    Column("member_is", Text, nullable=False),
    Column("gone", Boolean, nullable=False),
    Index("ix_stage_edge_batch", "batch", "grp", "member"),
)

pull = Table(
    "pull",
    metadata,
    Column("directory", Integer, primary_key=True, autoincrement=False),
    Column("batch", BigInteger, nullable=False),
    Column("resume", Text),
    Column("staged", BigInteger, nullable=False, server_default="0"),
    Column("whole", Boolean, nullable=False, server_default="0"),
    Column("started_at", BigInteger, nullable=False),
    _text("told"),  # a digest of how the policy had accounts read when these were staged (S6)
)
"""A walk under way: where it can be taken up again. Unlogged like the stage it belongs to, so that a crash of the
database server loses both."""

unplanned = Table(
    "unplanned",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("directory", Integer, nullable=False),
    Index(None, "directory"),
)
"""Accounts that changed since they were last planned; survives a crash between merge and apply (Z6)."""

mailbox_queue = Table(
    "mailbox_queue",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("directory", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Index(None, "directory", "due"),
)

grp = Table(
    "grp",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("directory", Integer, nullable=False),
    Column("id", Text, nullable=False),
    _text("name"),
    _text("address"),
    Column("gone", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("directory", "id"),
)

edge = Table(
    "edge",
    metadata,
    Column("directory", Integer, primary_key=True, autoincrement=False),
    Column("member", Ordered, primary_key=True),
    Column("grp", Integer, primary_key=True, autoincrement=False),
    Column("member_is", Text, nullable=False),  # account, group
    Index(None, "grp"),
    _partial("ix_edge_nested", "member_is = 'group'", "directory", "grp"),
)
"""Direct memberships, by the member's immutable id: a member may be read before its account is."""

group_ref = Table(
    "group_ref",
    metadata,
    Column("directory", Integer, primary_key=True, autoincrement=False),
    Column("ref", Text, primary_key=True),
    Column("group_id", Text),
    Column("problem", Text),  # missing, ambiguous, gone
    Column("namesake", Text),  # the id of another group that has the name by now
    Column("at", BigInteger, nullable=False),
)
"""What a policy's group names were resolved to; once resolved, kept by id (G3)."""

unit_ref = Table(
    "unit_ref",
    metadata,
    Column("directory", Integer, primary_key=True, autoincrement=False),
    Column("ref", Text, primary_key=True),
    Column("unit_id", Text),
    Column("problem", Text),  # missing, gone, refused
    Column("at", BigInteger, nullable=False),
)
"""What a policy's organizational units were resolved to, where units have ids; once resolved, kept by id (G3)."""

# --- licenses -------------------------------------------------------------------------------------------------------

lot = Table(
    "lot",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("pool", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("held", Integer, nullable=False, server_default="0"),
    Column("term", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),  # the first instant at which it is no longer valid; NULL is never
    Column("renews", Boolean, nullable=False, server_default="1"),
    Column("ref", Text),
    Column("order_id", Text),
    Column("term_ends_at", BigInteger),  # its own end, while a placed renewal keeps it valid for longer (M3)
    Column("reminded", SmallInteger, nullable=False, server_default="0"),  # days of the last lot.expiring
    Column("ended", Boolean, nullable=False, server_default="0"),  # its holders were told that it ended (M4)
    Column("removed", Boolean, nullable=False, server_default="0"),  # a person wants to see it no more (M5)
    CheckConstraint("held >= 0 AND held <= seats", name="held_within_seats"),  # L3
    CheckConstraint("seats >= 0", name="seats"),
    Index(None, "pool", "license"),
    Index(None, "expires_at"),
)

assignment = Table(
    "assignment",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),  # L2
    Column("company", Integer, nullable=False),
    Column("directory", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("through", Text, nullable=False),
    Column("lot", Integer),
    Column("source", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint("(through = 'seat') = (lot IS NOT NULL)", name="seat_has_lot"),
    Index(None, "lot"),
    _partial("ix_assignment_archived", "license = 'archived'", "company", "account"),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("company", Integer, nullable=False),
    Column("name", Ordered, nullable=False),
    Column("kind", Text),  # computer, host, socket, administrator; NULL where nobody said
    Column("added_at", BigInteger, nullable=False),
    UniqueConstraint("company", "name"),
)
"""What people assign license kinds to that no directory knows: computers, hosts, sockets, administrators (M7)."""

endpoint_assignment = Table(
    "endpoint_assignment",
    metadata,
    Column("endpoint", Integer, primary_key=True, autoincrement=False),  # L2
    Column("company", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("through", Text, nullable=False, server_default="seat"),
    Column("lot", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint("through = 'seat'", name="seat"),
    Index(None, "lot"),
)
"""Seats that endpoints hold; counted by the same triggers as those of accounts, so that L3 holds for both together."""

license_key = Table(
    "license_key",
    metadata,
    Column("id", Text, primary_key=True),  # each key once, whoever brings it (M6)
    Column("lot", Integer, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    _text("who"),
)
"""License keys that were activated, and the lots that they brought."""

by_hand = Table(
    "by_hand",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("pinned", Boolean, nullable=False, server_default="0"),
    _text("person"),  # who gave the license by hand, for the limits of user pools (M2); '' where nobody did
    Column("license", Text),  # the license that was given
    _partial("ix_by_hand_person", "person <> ''", "person"),
)
"""Accounts that a person decided about, with or without a license: rules neither take nor give (L8)."""

link = Table(
    "link",
    metadata,
    Column("old", BigInteger, primary_key=True, autoincrement=False),
    Column("new", BigInteger, nullable=False),
    Column("company", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    _text("who"),
    Index(None, "new"),
)
"""Accounts of people who came back under another id: `new` holds the license that covers `old`'s backups too (D5)."""

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("account", Key, primary_key=True, autoincrement=False),  # 0 is the whole company
    Column("at", BigInteger, nullable=False),
    _text("who"),
)
"""Whose backups may not go, whatever clock has run out (R2)."""

holding_count = Table(
    "holding_count",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("license", Text, primary_key=True),
    Column("through", Text, primary_key=True),
    Column("lot", Integer, primary_key=True, autoincrement=False),  # 0 where it is through an entitlement
    Column("source", Text, primary_key=True),
    Column("held", BigInteger, nullable=False),
)
"""Licenses held, by all that limits and entitlements go by; kept true by triggers on `assignment` and
`endpoint_assignment`, as `lot.held` is."""

usage_day = Table(
    "usage_day",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("license", Text, primary_key=True),
    Column("way", Text, primary_key=True),  # seat, entitlement, expired
    Column("day", Integer, primary_key=True, autoincrement=False),  # days since 1970, UTC
    Column("peak", BigInteger, nullable=False),  # the most that were held at once on that day
    Column("held", BigInteger, nullable=False),  # when it was over
)
"""Licenses held from day to day, for bills: a row for each day on which that changed (`store.usage`)."""

waiting = Table(
    "waiting",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("company", Integer, nullable=False),
    Column("directory", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("through", Text, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # M9: 10 expired, 20 archive-waiting, 22 returning, 30 the rest
    Column("rule_position", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("address", Ordered, nullable=False),
    Column("id", Ordered, nullable=False),
    Column("reason", Text, nullable=False),
    Column("kind", Text, nullable=False),  # the action that it waits for: assign, archive, restore, move, exchange
    Column("source", Text, nullable=False),
    Column("because", Text, nullable=False),
    Index("ix_waiting_order", "company", "license", "through", "rank", "rule_position", "since", "address", "id"),
    Index(None, "directory", "address"),
    Index(None, "company", "reason", "since"),
)

waiting_count = Table(
    "waiting_count",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("license", Text, primary_key=True),
    Column("through", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)
"""Accounts waiting, per company; kept true by triggers on `waiting`."""

grace = Table(
    "grace",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("directory", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # on_leave, on_disable, deleted_user
    Column("rule", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Index(None, "directory", "due"),
)

retention = Table(
    "retention",
    metadata,
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("company", Integer, nullable=False),
    Column("directory", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("purge_due", Boolean, nullable=False, server_default="0"),
    Column("noticed", SmallInteger, nullable=False, server_default="0"),  # days of the last notice of this end (R1)
    Column("next_at", BigInteger, server_default="0"),  # when to look at it again; NULL waits for somebody's answer
    Index(None, "company", "ends"),
    Index(None, "next_at", "company"),
)

notice = Table(
    "notice",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("company", Integer, nullable=False),
    Column("days", SmallInteger, nullable=False),  # before the end
    Column("ends", BigInteger, nullable=False),  # the beginning of the day that was told
    Column("sent_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),
    Column("accepted_by", Text),
    _partial("ix_notice_open", "accepted_at IS NULL", "company"),
)
"""What people are told before backups go; each must be accepted before its distance begins to pass (R1)."""

notice_account = Table(
    "notice_account",
    metadata,
    Column("notice", Integer, primary_key=True, autoincrement=False),
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, nullable=False),  # of the clock: a later one has notices of its own
    Index(None, "account"),
)

# --- plans and safety -----------------------------------------------------------------------------------------------

proposal = Table(
    "proposal",
    metadata,
    Column("batch", BigInteger, nullable=False),
    Column("account", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("license", Text),  # what it shall hold; NULL is nothing
    Column("through", Text),
    Column("held_license", Text),  # what it held when this was decided
    Column("held_through", Text),
    Column("rank", SmallInteger, nullable=False),
    Column("rule_position", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("reason", Text),  # of a wait that no stock can end
    Column("address", Ordered, nullable=False),
    Column("id", Ordered, nullable=False),
    Column("footing", Text, nullable=False),
    Index("ix_proposal_batch", "batch"),
)
"""The working set of a run: what was decided, before stock and limits are looked at. Unlogged."""

plan = Table(
    "plan",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("company", Integer, nullable=False),
    Column("directory", Integer),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),  # held, approved, rejected, superseded
    Column("total", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("run", Text),
    Column("policy", Integer),
    _text("why"),  # the limit in numbers
    Column("decided_by", Text),
    Column("decided_at", BigInteger),
    Index(None, "company", "state"),
    Index(None, "hash"),
)

plan_action = Table(
    "plan_action",
    metadata,
    Column("plan", Integer, primary_key=True, autoincrement=False),
    Column("account", Key, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("held_license", Text),
    Column("license", Text),
    Column("rule", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("footing", Text, nullable=False),  # what the decision rested on: a rejection stands while it does
)

removal = Table(
    "removal",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("company", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("license", Text),
    Column("at", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Index(None, "company", "kind", "at"),
)
"""What safety limits count over 24 hours; what a person approved is not in it (Z1)."""

movement = Table(
    "movement",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("company", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("change", Integer, nullable=False),
    Index(None, "company", "license", "at"),
)
"""By how much the licenses held changed, so that the share of a limit is of what was held 24 hours ago (Z1)."""

# --- purchases ------------------------------------------------------------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("company", Integer, nullable=False),
    Column("pool", Integer, nullable=False),
    Column("license", Text, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("state", Text, nullable=False),  # wanted, awaiting_approval, placed, fulfilled, failed, cancelled, rejected
    Column("term", Text, nullable=False),
    Column("estimate", Text),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("seller", Text, nullable=False),
    Column("seller_ref", Text),
    Column("because", Text, nullable=False),
    Column("shortage", Integer, nullable=False, server_default="0"),  # when it was made: a rejection stands up to it
    Column("renews_lot", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("decided_by", Text),
    Column("changed_at", BigInteger, nullable=False),
    Index(None, "company", "state"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),  # order
    Column("company", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("asked", Boolean, nullable=False, server_default="0"),  # it may have left: look it up before sending again
    Column("sent_to", Text),  # where it may have gone: it is never sent to another place
    Column("error", Text),
    Column("done_at", BigInteger),
    Index(None, "done_at", "due"),
)

seller_pause = Table(
    "seller_pause",
    metadata,
    Column("place", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
)
"""Sellers that asked for patience: nothing is sent to such an address before its time has come (P7)."""

# --- the record -----------------------------------------------------------------------------------------------------

audit = Table(
    "audit",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("directory", Integer),
    Column("subject", Text, nullable=False),
    Column("before", Text),  # JSON
    Column("after", Text),  # JSON
    Column("because", Text),
    Column("hash", LargeBinary, nullable=False),
    Index(None, "company", "subject", "n"),
)

feed = Table(
    "feed",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("company", Integer, nullable=False),
    Column("audit_first", BigInteger, nullable=False),
    Index(None, "company", "first"),
)
"""One row per transaction that wrote to the audit: which of its entries stand where in the one feed of everybody."""

feed_head = Table(
    "feed_head",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)

receiver = Table(
    "receiver",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),  # stands for its kind, its address and where its secret lies
    Column("kind", Text, nullable=False),  # webhook, email
    Column("place", Text, nullable=False),  # what people are shown of its address
    Column("due", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", BigInteger),
    Column("problem", Text),
    Column("remedy", Text),
    Column("last_success", BigInteger),
)
"""Who is told outside: a webhook's address, or people who get a mail together."""

subscription = Table(
    "subscription",
    metadata,
    Column("receiver", Integer, primary_key=True, autoincrement=False),
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("told", BigInteger, nullable=False),  # the position in the feed up to which it was told of the company
    Column("sending", BigInteger),  # up to where a mail goes that may be on its way
    Column("served_at", BigInteger, nullable=False, server_default="0"),
)
"""How far in the feed a receiver is, for each company whose policy names it: one row, whatever there is to tell."""

stock_warning = Table(
    "stock_warning",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("license", Text, primary_key=True),
    Column("what", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
)
"""What a company was told of a stock, until it is not so any more."""

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("directory", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("mode", Text, nullable=False),
    Column("outcome", Text),
    Column("policy", Integer),
    Column("seen", BigInteger, nullable=False, server_default="0"),
    Column("changed", BigInteger, nullable=False, server_default="0"),
    Column("plan_hash", Text),
    Column("error", Text),
    Index(None, "directory", "started_at"),
)
"""Runs that ended well and changed something; an idle one leaves no row (Z12)."""

process = Table(
    "process",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),  # up, worker, scheduler
    Column("version", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)
"""Who runs unattended, by heart-beat."""

duty = Table(
    "duty",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("until", BigInteger, nullable=False, server_default="0"),
    Column("due_at", BigInteger, nullable=False, server_default="0"),
    Column("asked_at", BigInteger),
    Column("began_at", BigInteger, nullable=False, server_default="0"),
    Column("done_at", BigInteger, nullable=False, server_default="0"),
)
"""What schedulers do beside directories, who does it, and when it is due again."""

waiter = Table(
    "waiter",
    metadata,
    Column("id", Text, primary_key=True),
    Column("directory", Integer, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("step", Text),
    Column("n", BigInteger, nullable=False, server_default="0"),
    Column("result", Text),
    Index(None, "directory"),
)
"""Who waits for a pass that a daemon makes, and what it came to."""

UNLOGGED = (stage, stage_edge, pull, proposal)
"""What PostgreSQL need not write to its log: a crash of the server voids a pull, and no more."""
