"""Aliases that look like ids get another name, pins of emptied messages go, waiting messages know
when to be tried again.
"""

import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0052"
branch_labels = None
depends_on = None

ID_SHAPE = re.compile(r"[a-z]+_[0-9a-f]{32}")
MARK = "-"
"""Put before an alias: it is no id then."""


def upgrade() -> None:
    """Columns first, then what earlier versions let in."""
    op.add_column(
        "scheduled",
        sa.Column("not_before", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column(
        "scheduled",
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    bind = op.get_bind()
    for app, conversation, alias in _aliases(bind):
        if ID_SHAPE.fullmatch(alias):
            _rename(bind, app, conversation, MARK + alias)
    _forget_pins(bind)


def _aliases(bind: sa.Connection) -> list[tuple[str, str, str]]:
    query = sa.text("SELECT app, id, alias FROM conversations WHERE alias IS NOT NULL")
    return [(row[0], row[1], row[2]) for row in bind.execute(query)]


def _rename(bind: sa.Connection, app: str, conversation: str, alias: str) -> None:
    taken = sa.text("SELECT 1 FROM conversations WHERE app = :app AND alias = :alias")
    while bind.execute(taken, {"app": app, "alias": alias}).first() is not None:
        alias = MARK + alias
    statement = sa.text("UPDATE conversations SET alias = :alias WHERE id = :id")
    bind.execute(statement, {"id": conversation, "alias": alias})


def _forget_pins(bind: sa.Connection) -> None:
    rows = bind.execute(sa.text("SELECT id, settings FROM conversations")).all()
    for conversation, text in rows:
        settings: dict[str, Any] = json.loads(text)
        pins = settings.get("pins") or []
        kept = [seq for seq in pins if _has_body(bind, conversation, seq)]
        if kept != pins:
            changed = json.dumps({**settings, "pins": kept}, ensure_ascii=False)
            statement = sa.text("UPDATE conversations SET settings = :settings WHERE id = :id")
            bind.execute(statement, {"id": conversation, "settings": changed})


def _has_body(bind: sa.Connection, conversation: str, seq: int) -> bool:
    query = sa.text("SELECT data FROM events WHERE conversation = :conversation AND seq = :seq")
    data = bind.execute(query, {"conversation": conversation, "seq": seq}).scalar()
    return data is not None and json.loads(data).get("body") is not None


def downgrade() -> None:
    """The renamed get their aliases back."""
    bind = op.get_bind()
    for _, conversation, alias in _aliases(bind):
        if alias.startswith(MARK) and ID_SHAPE.fullmatch(alias[len(MARK) :]):
            statement = sa.text("UPDATE conversations SET alias = :alias WHERE id = :id")
            bind.execute(statement, {"id": conversation, "alias": alias[len(MARK) :]})
    op.drop_column("scheduled", "attempts")
    op.drop_column("scheduled", "not_before")
