"""Texts to search, invitations, messages that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

FTS = (
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
        " INSERT INTO texts_fts (texts_fts, rowid, text)"
        " VALUES ('delete', old.position, old.text); END"
    ),
    (
        "CREATE TRIGGER texts_changed AFTER UPDATE ON texts BEGIN"
        " INSERT INTO texts_fts (texts_fts, rowid, text)"
        " VALUES ('delete', old.position, old.text);"
        " INSERT INTO texts_fts (rowid, text) VALUES (new.position, new.text); END"
    ),
)


def upgrade() -> None:
    """Make the tables, and the trigram index the database can give."""
    op.create_table(
        "readers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_readers"),
    )
    op.create_table(
        "texts",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_texts"),
    )
    op.create_index("ix_texts_conversation_position", "texts", ["conversation", "position"])
    _invites_and_scheduled()
    if op.get_bind().dialect.name == "sqlite":
        for statement in FTS:
            op.execute(statement)
    else:
        _trigrams()


def _invites_and_scheduled() -> None:
    op.create_table(
        "invites",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invites"),
    )
    op.create_index("ix_invites_conversation", "invites", ["conversation"])
    op.create_table(
        "scheduled",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scheduled"),
    )
    op.create_index("ix_scheduled_due_at", "scheduled", ["due_at"])
    op.create_index(
        "uq_scheduled_app_sender_client_id",
        "scheduled",
        ["app", "sender", "client_id"],
        unique=True,
    )


def _trigrams() -> None:
    """An index for substring search, where this role may have the extension; else without."""
    bind = op.get_bind()
    have = bind.exec_driver_sql("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if have.first() is None:
        return
    try:
        with bind.begin_nested():
            bind.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.ProgrammingError:  # not allowed: search works without, only slower
        return
    bind.exec_driver_sql("CREATE INDEX ix_texts_trigrams ON texts USING gin (text gin_trgm_ops)")


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE texts_fts")
    for name in ("scheduled", "invites", "texts", "readers"):
        op.drop_table(name)
