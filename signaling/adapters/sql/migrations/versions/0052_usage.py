"""What apps use, what they may use, and what they were told about it."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0040"
branch_labels = None
depends_on = None

TOTALS = ("messages", "active_users", "connections", "stored_bytes", "call_ms")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "usage_totals",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in TOTALS),
        sa.PrimaryKeyConstraint("period", "app", name="pk_usage_totals"),
    )
    op.create_table(
        "usage_active",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("app", "period", "user", name="pk_usage_active"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_connections",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("now", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", "node", name="pk_usage_connections"),
    )
    op.create_table(
        "usage_notices",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("used", sa.Float(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", "period", "metric", "level", name="pk_usage_notices"),
    )
    op.create_table(
        "app_plans",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", name="pk_app_plans"),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("app_plans", "usage_notices", "usage_connections", "usage_active", "usage_totals"):
        op.drop_table(name)
