"""The table of files: what was offered, and what became of it."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from signaling.adapters.sql.tables import metadata

files = Table(
    "files",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("client_id", String, nullable=False),
    Column("conversation", String),
    Column("room", String),
    Column("name", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("state", String, nullable=False),
    Column("seq", BigInteger),
    Column("image", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Index("uq_files_app_sender_client_id", "app", "sender", "client_id", unique=True),
    Index("ix_files_app_state_sha256_size", "app", "state", "sha256", "size"),
    Index("ix_files_state_touched_at", "state", "touched_at"),
)
