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
    Column("failing_since", BigInteger),
    Column("disabled_at", BigInteger),
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
    Column("queued_at", BigInteger, nullable=False),
    Column("dead_at", BigInteger),
    Column("error", String),
)
_open = deliveries.c.dead_at.is_(None)
Index(
    "ix_deliveries_open",
    deliveries.c.webhook,
    deliveries.c.conversation,
    deliveries.c.position,
    sqlite_where=_open,
    postgresql_where=_open,
)
Index("ix_deliveries_age", deliveries.c.queued_at, sqlite_where=_open, postgresql_where=_open)
Index("ix_deliveries_app_dead_at", deliveries.c.app, deliveries.c.dead_at, deliveries.c.id)

lines = Table(
    "delivery_lines",
    metadata,
    Column("webhook", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("app", String, nullable=False),
    Column("next_at", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("webhook", "conversation"),
)
"""The (webhook, conversation) pairs with something open, and when their first is tried."""

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
