"""Devices that were signed out come back with newer tokens; presence outlives a restart; only
secrets that sign can be read back.
"""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns, a table, and nothing sealed without need."""
    op.add_column("devices", sa.Column("not_before", sa.BigInteger(), nullable=True))
    op.execute("UPDATE devices SET not_before = revoked_at")
    op.add_column("revocations", sa.Column("device", sa.String(), nullable=True))
    op.create_table(
        "presences",
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("last_seen", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("app", "user", name="pk_presences"),
    )
    statement = sa.text("UPDATE api_keys SET sealed = :nothing WHERE scopes NOT LIKE '%tokens%'")
    op.get_bind().execute(statement, {"nothing": b""})


def downgrade() -> None:
    """What was sealed without need stays away. Earlier versions know no device that is back."""
    op.execute("DELETE FROM revocations WHERE device IS NOT NULL")
    op.drop_table("presences")
    op.drop_column("revocations", "device")
    op.drop_column("devices", "not_before")
