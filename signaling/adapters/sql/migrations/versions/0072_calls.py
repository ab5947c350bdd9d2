"""Calls under way outlive their process; those that are over are found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the index."""
    op.create_table(
        "live_calls",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_live_calls"),
    )
    op.create_index("ix_live_calls_node", "live_calls", ["node"])
    op.create_index("ix_live_calls_seen_at", "live_calls", ["seen_at"])
    op.create_index(
        "uq_live_calls_conversation",
        "live_calls",
        ["conversation"],
        unique=True,
        sqlite_where=sa.text("ended IS 0"),
        postgresql_where=sa.text("ended IS false"),
    )
    op.create_table(
        "live_talkers",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("app", "user", "call", name="pk_live_talkers"),
    )
    op.create_index("ix_live_talkers_call", "live_talkers", ["call"])
    ended = sa.text("type = 'call:ended'")
    op.create_index(
        "ix_events_calls",
        "events",
        ["conversation", "position"],
        sqlite_where=ended,
        postgresql_where=ended,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_events_calls", "events")
    for table in ("live_talkers", "live_calls"):
        op.drop_table(table)
