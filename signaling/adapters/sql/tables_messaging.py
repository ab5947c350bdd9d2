"""What messaging keeps beside the log: texts to search, invitations, messages that wait."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from signaling.adapters.sql.tables import metadata

readers = Table(
    "readers",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far a projection has read the log."""

texts = Table(
    "texts",
    metadata,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("conversation", String, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_texts_conversation_position", "conversation", "position"),
)
"""The text of messages, folded. What it is found by is in texts_fts with SQLite, in the column
`tokens` (tsvector) with PostgreSQL; see texts.py.
"""

invites = Table(
    "invites",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("conversation", String, nullable=False, index=True),
    Column("role", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("max_uses", Integer),
    Column("uses", Integer, nullable=False),
)

scheduled = Table(
    "scheduled",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("client_id", String, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("not_before", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index("uq_scheduled_app_sender_client_id", "app", "sender", "client_id", unique=True),
)
"""Sent by whichever node comes first: the client_id makes twice the same as once. What
could not be sent is tried again, not before `not_before`."""
