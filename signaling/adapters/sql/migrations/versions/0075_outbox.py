"""An index of texts that holds every app's words apart; lines of deliveries as rows."""

import time
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from signaling.adapters.sql.grams import folded
from signaling.adapters.sql.texts import Indexed, add_tokens

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

BATCH = 500

FTS = (
    "CREATE VIRTUAL TABLE texts_fts USING fts5("
    "tokens, content='', columnsize=0, detail=none, tokenize='ascii')"
)
OPEN = {
    "ix_deliveries_open": "webhook, conversation, position",
    "ix_deliveries_age": "queued_at",
}
TRIGGERS = ("texts_added", "texts_gone", "texts_changed")


def upgrade() -> None:
    """All of it."""
    _search()
    _columns()
    _lines()


def _search() -> None:
    """Build the index anew: about a minute for a million messages."""
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE texts_fts")
        op.execute(FTS)
    else:
        op.execute("DROP INDEX IF EXISTS ix_texts_trigrams")
        op.execute("ALTER TABLE texts ADD COLUMN tokens tsvector")
        op.execute("CREATE INDEX ix_texts_tokens ON texts USING gin (tokens)")
    _index()


def _index() -> None:
    bind = op.get_bind()
    fold = sa.text("UPDATE texts SET text = :text WHERE position = :position")
    for page in _pages():
        bind.execute(fold, [{"text": one.text, "position": one.position} for one in page])
        add_tokens(bind, page)


def _pages() -> Iterator[list[Indexed]]:
    query = sa.text(
        "SELECT texts.position, events.app, texts.conversation, texts.text FROM texts"
        " JOIN events ON events.position = texts.position"
        " WHERE texts.position > :after ORDER BY texts.position LIMIT :batch"
    )
    after = 0
    while rows := op.get_bind().execute(query, {"after": after, "batch": BATCH}).all():
        yield [Indexed(row[0], row[1], row[2], folded(row[3])) for row in rows]
        after = rows[-1][0]


def _columns() -> None:
    op.execute("ALTER TABLE webhooks ADD COLUMN failing_since BIGINT")
    op.execute("ALTER TABLE webhooks ADD COLUMN disabled_at BIGINT")
    op.execute("ALTER TABLE reports ADD COLUMN claimed_until BIGINT")


def _lines() -> None:
    """What waits now begins to age now."""
    op.create_table(
        "delivery_lines",
        sa.Column("webhook", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("webhook", "conversation", name="pk_delivery_lines"),
    )
    op.create_index("ix_delivery_lines_next_at", "delivery_lines", ["next_at"])
    op.execute(
        "INSERT INTO delivery_lines (webhook, conversation, app, next_at)"
        " SELECT webhook, conversation, min(app), max(next_at) FROM deliveries"
        " WHERE dead_at IS NULL GROUP BY webhook, conversation"
    )
    op.drop_index("ix_deliveries_dead_at_next_at", "deliveries")
    op.drop_index("ix_deliveries_webhook_conversation_position", "deliveries")
    op.execute("ALTER TABLE deliveries RENAME COLUMN next_at TO queued_at")
    op.execute(f"UPDATE deliveries SET queued_at = {int(time.time() * 1000)}")  # noqa: S608
    for name, columns in OPEN.items():
        op.execute(f"CREATE INDEX {name} ON deliveries ({columns}) WHERE dead_at IS NULL")
    op.create_index("ix_deliveries_app_dead_at", "deliveries", ["app", "dead_at", "id"])


def _no_lines() -> None:
    op.drop_index("ix_deliveries_app_dead_at", "deliveries")
    for name in OPEN:
        op.drop_index(name, "deliveries")
    op.execute("ALTER TABLE deliveries RENAME COLUMN queued_at TO next_at")
    op.drop_table("delivery_lines")
    place = ["webhook", "conversation", "position"]
    op.create_index("ix_deliveries_webhook_conversation_position", "deliveries", place)
    op.create_index("ix_deliveries_dead_at_next_at", "deliveries", ["dead_at", "next_at"])


OLD = (
    (
        "CREATE VIRTUAL TABLE texts_fts USING fts5("
        "text, content='texts', content_rowid='position', tokenize='trigram')"
    ),
    (
        "CREATE TRIGGER texts_added AFTER INSERT ON texts BEGIN"
        " INSERT INTO texts_fts (rowid, text) VALUES (new.position, new.text); END"
    ),
    (
        "CREATE TRIGGER texts_gone AFTER DELETE ON texts BEGIN"
        " INSERT INTO texts_fts (texts_fts, rowid, text) VALUES ('delete', old.position, old.text);"
        " END"
    ),
    (
        "CREATE TRIGGER texts_changed AFTER UPDATE ON texts BEGIN"
        " INSERT INTO texts_fts (texts_fts, rowid, text) VALUES ('delete', old.position, old.text);"
        " INSERT INTO texts_fts (rowid, text) VALUES (new.position, new.text); END"
    ),
    "INSERT INTO texts_fts (texts_fts) VALUES ('rebuild')",
)


def downgrade() -> None:
    """Back; webhooks that were disabled are told again."""
    _no_lines()
    op.execute("ALTER TABLE reports DROP COLUMN claimed_until")
    for column in ("failing_since", "disabled_at"):
        op.execute(f"ALTER TABLE webhooks DROP COLUMN {column}")
    _trigrams()


def _trigrams() -> None:
    """Back to one index of trigrams; without pg_trgm's, which search does not need."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE texts_fts")
        for statement in OLD:
            op.execute(statement)
    else:
        op.execute("DROP INDEX ix_texts_tokens")
        op.execute("ALTER TABLE texts DROP COLUMN tokens")
