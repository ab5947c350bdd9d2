"""The tables of calls under way, and how those that are over are found in the log."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    literal_column,
)

from signaling.adapters.sql.tables import events, metadata

live_calls = Table(
    "live_calls",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("node", String, nullable=False, index=True),
    Column("seen_at", BigInteger, nullable=False, index=True),
    Column("ended", Boolean, nullable=False),
    Column("data", Text, nullable=False),
)

Index(
    "uq_live_calls_conversation",
    live_calls.c.conversation,
    unique=True,
    sqlite_where=live_calls.c.ended.is_(False),
    postgresql_where=live_calls.c.ended.is_(False),
)

live_talkers = Table(
    "live_talkers",
    metadata,
    Column("app", String, nullable=False),
    Column("user", String, nullable=False),
    Column("call", String, nullable=False, index=True),
    PrimaryKeyConstraint("app", "user", "call"),
)
"""Who is in which call that is not over."""

ENDED = events.c.type == literal_column("'call:ended'")
"""Spelled out: a parameter would not match the index's condition."""

Index(
    "ix_events_calls",
    events.c.conversation,
    events.c.position,
    sqlite_where=ENDED,
    postgresql_where=ENDED,
)
