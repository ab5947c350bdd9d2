"""The newest client_ids are kept in the order they come in.

Revision ID: 0079
Revises: 0078
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

TEXTS = ("app", "sender", "client_id", "fingerprint", "conversation")


def upgrade() -> None:
    """What there is moves to where it stays."""
    _settle()
    position = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "recent_sends",
        sa.Column("position", position, nullable=False, autoincrement=False),
        *_used(),
        sa.PrimaryKeyConstraint("position", name="pk_recent_sends"),
    )


def downgrade() -> None:
    """By their names again."""
    _settle()
    op.create_table(
        "recent_sends",
        *_used(),
        sa.PrimaryKeyConstraint("app", "sender", "client_id", name="pk_recent_sends"),
        sqlite_with_rowid=False,
    )


def _settle() -> None:
    columns = ", ".join((*TEXTS, "seq"))
    op.execute(f"INSERT INTO sends ({columns}) SELECT {columns} FROM recent_sends")  # noqa: S608
    op.drop_table("recent_sends")


def _used() -> list[sa.Column[Any]]:
    texts: list[sa.Column[Any]] = [sa.Column(name, sa.String(), nullable=False) for name in TEXTS]
    return [*texts, sa.Column("seq", sa.BigInteger(), nullable=False)]
