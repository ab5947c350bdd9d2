"""An index of texts that holds every app's words apart."""

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
TRIGGERS = ("texts_added", "texts_gone", "texts_changed")


def upgrade() -> None:
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
    """Back to one index of trigrams; without pg_trgm's, which search does not need."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE texts_fts")
        for statement in OLD:
            op.execute(statement)
    else:
        op.execute("DROP INDEX ix_texts_tokens")
        op.execute("ALTER TABLE texts DROP COLUMN tokens")
