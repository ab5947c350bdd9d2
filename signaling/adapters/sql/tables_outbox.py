"""The tables of the outbox: where its readers are, who wants to hear, what is still to be told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
)
from sqlalchemy import Text as LongText

from signaling.adapters.sql.tables import metadata

readers = Table(
    "outbox_readers",
    metadata,
    Column("name", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, ForeignKey("apps.id"), nullable=False, index=True),
    Column("url", String, nullable=False),
    Column("events", LongText, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String, primary_key=True),
    Column("webhook", String, nullable=False),
    Column("app", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("type", String, nullable=False),
    Column("body", LongText, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("dead_at", BigInteger),
    Column("error", String),
    Index("ix_deliveries_webhook_conversation_position", "webhook", "conversation", "position"),
    Index("ix_deliveries_dead_at_next_at", "dead_at", "next_at"),
)

news = Table(
    "news",
    metadata,
    Column("app", String, nullable=False),
    Column("type", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("line", String, nullable=False),
    Column("data", LongText, nullable=False),
    PrimaryKeyConstraint("app", "type", "subject"),
)
"""What happened outside the log, until the outbox took it."""

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("until", BigInteger, nullable=False),
)

presence_told = Table(
    "presence_told",
    metadata,
    Column("app", String, nullable=False),
    Column("user", String, nullable=False),
    Column("data", LongText, nullable=False),
    Column("here", Boolean, nullable=False, index=True),
    PrimaryKeyConstraint("app", "user"),
)
"""What webhooks heard last of a user; who is `here` is looked at again after a crash."""
