"""The table of files: what was offered, and what became of it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text, false

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
    Column("admin", Boolean, nullable=False, server_default=false()),
    Column("spool", String),
    Column("blob", String, nullable=False, server_default="", index=True),
    Index("uq_files_app_sender_client_id", "app", "sender", "client_id", unique=True),
    Index("ix_files_app_state_sha256_size", "app", "state", "sha256", "size"),
)

Index(
    "ix_files_unposted",
    files.c.state,
    files.c.touched_at,
    sqlite_where=files.c.seq.is_(None),
    postgresql_where=files.c.seq.is_(None),
)
"""What the sweep looks for: never a file whose message is in the log."""

files_space = Table(
    "files_space",
    metadata,
    Column("app", String, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
)
"""What each app's files weigh together; moved in every transaction that changes one of them."""
