"""The newest client_ids have a small table of their own.

Revision ID: 0078
Revises: 0075
"""

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0075"
branch_labels = None
depends_on = None

TEXTS = ("app", "sender", "client_id", "fingerprint", "conversation")


def upgrade() -> None:
    """Empty at first."""
    op.create_table(
        "recent_sends",
        *(sa.Column(name, sa.String(), nullable=False) for name in TEXTS),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app", "sender", "client_id", name="pk_recent_sends"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """All in one table again."""
    columns = ", ".join((*TEXTS, "seq"))
    op.execute(f"INSERT INTO sends ({columns}) SELECT {columns} FROM recent_sends")  # noqa: S608
    op.drop_table("recent_sends")
