"""The audit trail, bans, reports and who may see whom."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0051"
branch_labels = None
depends_on = None

_SQLITE = """
CREATE TRIGGER {name} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
_POSTGRES_FUNCTION = """
CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
"""
_POSTGRES = """
CREATE TRIGGER {name} BEFORE {verb} ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()
"""


def upgrade() -> None:
    """Make the tables."""
    _audit()
    op.create_table(
        "bans",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", "user", name="pk_bans"),
    )
    _reports()
    op.create_table(
        "privacies",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("presence", sa.String(), nullable=True),
        sa.Column("last_seen", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("app", "user", name="pk_privacies"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("app", "number", name="pk_audit"),
    )
    op.create_index("ix_audit_app_action", "audit", ["app", "action", "number"])
    op.create_table(
        "audit_heads",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("app", name="pk_audit_heads"),
    )
    postgres = op.get_context().dialect.name == "postgresql"
    if postgres:
        op.execute(_POSTGRES_FUNCTION)
    for verb in ("UPDATE", "DELETE", *(("TRUNCATE",) if postgres else ())):
        text = _POSTGRES if postgres else _SQLITE
        op.execute(text.format(name=f"audit_no_{verb.lower()}", verb=verb))


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("reporter", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("conversation", "seq", "reporter", name="uq_reports_conversation"),
    )
    op.create_index("ix_reports_app_state", "reports", ["app", "state", "id"])
    op.create_index("ix_reports_conversation", "reports", ["conversation", "state", "id"])
    op.create_index("ix_reports_app_sender", "reports", ["app", "sender"])


def downgrade() -> None:
    """Drop them."""
    for table in ("privacies", "reports", "bans", "audit_heads", "audit"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_append_only")
