"""The first tables."""

import sqlalchemy as sa
from alembic import op

from store.dialects import dialect_of
from store.engine import complete

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    op.create_table(
        "account",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("address", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("guest", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("mailbox", sa.Text(), server_default="", nullable=False),
        sa.Column("org_unit", sa.Text(), server_default="", nullable=False),
        sa.Column("at_department", sa.Text(), server_default="", nullable=False),
        sa.Column("at_job_title", sa.Text(), server_default="", nullable=False),
        sa.Column("at_company", sa.Text(), server_default="", nullable=False),
        sa.Column("at_office", sa.Text(), server_default="", nullable=False),
        sa.Column("at_city", sa.Text(), server_default="", nullable=False),
        sa.Column("at_state", sa.Text(), server_default="", nullable=False),
        sa.Column("at_country", sa.Text(), server_default="", nullable=False),
        sa.Column("at_employee_type", sa.Text(), server_default="", nullable=False),
        sa.Column("at_cost_center", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_account")),
        sa.UniqueConstraint("directory", "id", name=op.f("uq_account_directory_id")),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(op.f("ix_account_directory_address"), "account", ["directory", "address"], unique=False)
    op.create_index(
        "ix_account_not_active",
        "account",
        ["state", "directory", "address"],
        unique=False,
        sqlite_where=sa.text("state <> 'active'"),
        postgresql_where=sa.text("state <> 'active'"),
    )
    op.create_table(
        "assignment",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(through = 'seat') = (lot IS NOT NULL)", name=op.f("ck_assignment_seat_has_lot")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_assignment")),
    )
    op.create_index(
        "ix_assignment_archived",
        "assignment",
        ["company", "account"],
        unique=False,
        sqlite_where=sa.text("license = 'archived'"),
        postgresql_where=sa.text("license = 'archived'"),
    )
    op.create_index(op.f("ix_assignment_lot"), "assignment", ["lot"], unique=False)
    op.create_table(
        "audit",
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("company", "n", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_company_subject_n"), "audit", ["company", "subject", "n"], unique=False)
    op.create_table(
        "by_hand",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("pinned", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("person", sa.Text(), server_default="", nullable=False),
        sa.Column("license", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_by_hand")),
    )
    op.create_index(
        "ix_by_hand_person",
        "by_hand",
        ["person"],
        unique=False,
        sqlite_where=sa.text("person <> ''"),
        postgresql_where=sa.text("person <> ''"),
    )
    op.create_table(
        "channel",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("token_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("resource", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
    )
    op.create_table(
        "company",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("pool", sa.Integer(), server_default="0", nullable=False),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("clocks_policy", sa.Integer(), nullable=True),
        sa.Column("audit_n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("audit_hash", sa.LargeBinary(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_company")),
        sa.UniqueConstraint("id", name=op.f("uq_company_id")),
    )
    op.create_table(
        "directory",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("bound_to", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="never_run", nullable=False),
        sa.Column("retired", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("mailbox_problem", sa.Text(), nullable=True),
        sa.Column("mailbox_remedy", sa.Text(), nullable=True),
        sa.Column("mailbox_asked_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("last_success", sa.BigInteger(), nullable=True),
        sa.Column("every", sa.BigInteger(), server_default="60000000", nullable=False),
        sa.Column("due_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("groups_cursor", sa.Text(), nullable=True),
        sa.Column("groups_problem", sa.Text(), nullable=True),
        sa.Column("groups_remedy", sa.Text(), nullable=True),
        sa.Column("groups_hash", sa.Text(), nullable=True),
        sa.Column("plan_whole", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("plan_some", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("wake_at", sa.BigInteger(), nullable=True),
        sa.Column("planned_policy", sa.Integer(), nullable=True),
        sa.Column("planned_whole_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("read_whole_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("count_off", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("unstable_ids", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_directory")),
        sa.UniqueConstraint("id", name=op.f("uq_directory_id")),
    )
    op.create_index(
        "ix_directory_asked_at",
        "directory",
        ["asked_at"],
        unique=False,
        sqlite_where=sa.text("asked_at IS NOT NULL"),
        postgresql_where=sa.text("asked_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_directory_company"), "directory", ["company"], unique=False)
    op.create_index(op.f("ix_directory_due_at"), "directory", ["due_at"], unique=False)
    op.create_index(
        "uq_directory_bound_to",
        "directory",
        ["kind", "bound_to"],
        unique=True,
        sqlite_where=sa.text("NOT retired"),
        postgresql_where=sa.text("NOT retired"),
    )
    op.create_table(
        "duty",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty")),
    )
    op.create_table(
        "edge",
        sa.Column("directory", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("grp", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_is", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("directory", "member", "grp", name=op.f("pk_edge")),
    )
    op.create_index(op.f("ix_edge_grp"), "edge", ["grp"], unique=False)
    op.create_index(
        "ix_edge_nested",
        "edge",
        ["directory", "grp"],
        unique=False,
        sqlite_where=sa.text("member_is = 'group'"),
        postgresql_where=sa.text("member_is = 'group'"),
    )
    op.create_table(
        "endpoint",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_endpoint")),
        sa.UniqueConstraint("company", "name", name=op.f("uq_endpoint_company_name")),
    )
    op.create_table(
        "endpoint_assignment",
        sa.Column("endpoint", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), server_default="seat", nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("through = 'seat'", name=op.f("ck_endpoint_assignment_seat")),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_endpoint_assignment")),
    )
    op.create_index(op.f("ix_endpoint_assignment_lot"), "endpoint_assignment", ["lot"], unique=False)
    op.create_table(
        "feed",
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("audit_first", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_feed")),
    )
    op.create_index(op.f("ix_feed_company_first"), "feed", ["company", "first"], unique=False)
    op.create_table(
        "feed_head",
        sa.Column("key", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "grace",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_grace")),
    )
    op.create_index(op.f("ix_grace_directory_due"), "grace", ["directory", "due"], unique=False)
    op.create_table(
        "group_ref",
        sa.Column("directory", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("namesake", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("directory", "ref", name=op.f("pk_group_ref")),
    )
    op.create_table(
        "grp",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("gone", sa.Boolean(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_grp")),
        sa.UniqueConstraint("directory", "id", name=op.f("uq_grp_directory_id")),
    )
    op.create_table(
        "holding_count",
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("lot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company", "license", "through", "lot", "source", name=op.f("pk_holding_count")),
    )
    op.create_table(
        "legal_hold",
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("company", "account", name=op.f("pk_legal_hold")),
    )
    op.create_table(
        "license_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_key")),
        sa.UniqueConstraint("lot", name=op.f("uq_license_key_lot")),
    )
    op.create_table(
        "link",
        sa.Column("old", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("new", sa.BigInteger(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("old", name=op.f("pk_link")),
    )
    op.create_index(op.f("ix_link_new"), "link", ["new"], unique=False)
    op.create_table(
        "lot",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("renews", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("term_ends_at", sa.BigInteger(), nullable=True),
        sa.Column("reminded", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("ended", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("removed", sa.Boolean(), server_default="0", nullable=False),
        sa.CheckConstraint("held >= 0 AND held <= seats", name=op.f("ck_lot_held_within_seats")),
        sa.CheckConstraint("seats >= 0", name=op.f("ck_lot_seats")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_lot")),
        sa.UniqueConstraint("id", name=op.f("uq_lot_id")),
    )
    op.create_index(op.f("ix_lot_expires_at"), "lot", ["expires_at"], unique=False)
    op.create_index(op.f("ix_lot_pool_license"), "lot", ["pool", "license"], unique=False)
    op.create_table(
        "mailbox_queue",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_mailbox_queue")),
    )
    op.create_index(op.f("ix_mailbox_queue_directory_due"), "mailbox_queue", ["directory", "due"], unique=False)
    op.create_table(
        "movement",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_movement")),
    )
    op.create_index(op.f("ix_movement_company_license_at"), "movement", ["company", "license", "at"], unique=False)
    op.create_table(
        "notice",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("days", sa.SmallInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notice")),
        sa.UniqueConstraint("id", name=op.f("uq_notice_id")),
    )
    op.create_index(
        "ix_notice_open",
        "notice",
        ["company"],
        unique=False,
        sqlite_where=sa.text("accepted_at IS NULL"),
        postgresql_where=sa.text("accepted_at IS NULL"),
    )
    op.create_table(
        "notice_account",
        sa.Column("notice", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("notice", "account", name=op.f("pk_notice_account")),
    )
    op.create_index(op.f("ix_notice_account_account"), "notice_account", ["account"], unique=False)
    op.create_table(
        "orders",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("estimate", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("seller_ref", sa.Text(), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("shortage", sa.Integer(), server_default="0", nullable=False),
        sa.Column("renews_lot", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_orders")),
        sa.UniqueConstraint("id", name=op.f("uq_orders_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_orders_idempotency_key")),
    )
    op.create_index(op.f("ix_orders_company_state"), "orders", ["company", "state"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("asked", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("sent_to", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_outbox")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_outbox_idempotency_key")),
    )
    op.create_index(op.f("ix_outbox_done_at_due"), "outbox", ["done_at", "due"], unique=False)
    op.create_table(
        "plan",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_plan")),
    )
    op.create_index(op.f("ix_plan_company_state"), "plan", ["company", "state"], unique=False)
    op.create_index(op.f("ix_plan_hash"), "plan", ["hash"], unique=False)
    op.create_table(
        "plan_action",
        sa.Column("plan", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("held_license", sa.Text(), nullable=True),
        sa.Column("license", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("footing", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan", "account", name=op.f("pk_plan_action")),
    )
    op.create_table(
        "policy_problem",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("file", name=op.f("pk_policy_problem")),
    )
    op.create_table(
        "policy_version",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("provider_text", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("company", "n", name=op.f("uq_policy_version_company_n")),
    )
    op.create_table(
        "process",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_process")),
    )
    op.create_table(
        "proposal",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=True),
        sa.Column("through", sa.Text(), nullable=True),
        sa.Column("held_license", sa.Text(), nullable=True),
        sa.Column("held_through", sa.Text(), nullable=True),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("rule_position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("address", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("footing", sa.Text(), nullable=False),
    )
    op.create_index("ix_proposal_batch", "proposal", ["batch"], unique=False)
    op.create_table(
        "pull",
        sa.Column("directory", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("resume", sa.Text(), nullable=True),
        sa.Column("staged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("whole", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("directory", name=op.f("pk_pull")),
    )
    op.create_table(
        "receiver",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("remedy", sa.Text(), nullable=True),
        sa.Column("last_success", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_receiver")),
        sa.UniqueConstraint("id", name=op.f("uq_receiver_id")),
    )
    op.create_table(
        "removal",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("license", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_removal")),
    )
    op.create_index(op.f("ix_removal_company_kind_at"), "removal", ["company", "kind", "at"], unique=False)
    op.create_table(
        "retention",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("purge_due", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("noticed", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("next_at", sa.BigInteger(), server_default="0", nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_retention")),
    )
    op.create_index(op.f("ix_retention_company_ends"), "retention", ["company", "ends"], unique=False)
    op.create_index(op.f("ix_retention_next_at_company"), "retention", ["next_at", "company"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("policy", sa.Integer(), nullable=True),
        sa.Column("seen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_directory_started_at"), "run", ["directory", "started_at"], unique=False)
    op.create_table(
        "seller_pause",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_seller_pause")),
    )
    op.create_table(
        "stage",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("guest", sa.Boolean(), nullable=True),
        sa.Column("mailbox", sa.Text(), nullable=True),
        sa.Column("org_unit", sa.Text(), nullable=True),
        sa.Column("at_department", sa.Text(), nullable=True),
        sa.Column("at_job_title", sa.Text(), nullable=True),
        sa.Column("at_company", sa.Text(), nullable=True),
        sa.Column("at_office", sa.Text(), nullable=True),
        sa.Column("at_city", sa.Text(), nullable=True),
        sa.Column("at_state", sa.Text(), nullable=True),
        sa.Column("at_country", sa.Text(), nullable=True),
        sa.Column("at_employee_type", sa.Text(), nullable=True),
        sa.Column("at_cost_center", sa.Text(), nullable=True),
        sa.Column("gone", sa.Text(), nullable=True),
    )
    op.create_index("ix_stage_batch", "stage", ["batch"], unique=False)
    op.create_table(
        "stage_edge",
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("grp", sa.Text(), nullable=False),
        sa.Column("member", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("member_is", sa.Text(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_stage_edge_batch", "stage_edge", ["batch", "grp", "member"], unique=False)
    op.create_table(
        "stock_warning",
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company", "license", "what", name=op.f("pk_stock_warning")),
    )
    op.create_table(
        "subscription",
        sa.Column("receiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("sending", sa.BigInteger(), nullable=True),
        sa.Column("served_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("receiver", "company", name=op.f("pk_subscription")),
    )
    op.create_table(
        "unit_ref",
        sa.Column("directory", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Text(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("directory", "ref", name=op.f("pk_unit_ref")),
    )
    op.create_table(
        "unplanned",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_unplanned")),
    )
    op.create_index(op.f("ix_unplanned_directory"), "unplanned", ["directory"], unique=False)
    op.create_table(
        "usage_day",
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("peak", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company", "license", "way", "day", name=op.f("pk_usage_day")),
    )
    op.create_table(
        "waiter",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("n", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiter")),
    )
    op.create_index(op.f("ix_waiter_directory"), "waiter", ["directory"], unique=False)
    op.create_table(
        "waiting",
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("company", sa.Integer(), nullable=False),
        sa.Column("directory", sa.Integer(), nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("rule_position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_waiting")),
    )
    op.create_index(op.f("ix_waiting_company_reason_since"), "waiting", ["company", "reason", "since"], unique=False)
    op.create_index(op.f("ix_waiting_directory_address"), "waiting", ["directory", "address"], unique=False)
    op.create_index(
        "ix_waiting_order",
        "waiting",
        ["company", "license", "through", "rank", "rule_position", "since", "address", "id"],
        unique=False,
    )
    op.create_table(
        "waiting_count",
        sa.Column("company", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("license", sa.Text(), nullable=False),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company", "license", "through", "reason", name=op.f("pk_waiting_count")),
    )
    complete(connection, dialect_of(connection.engine.url))
