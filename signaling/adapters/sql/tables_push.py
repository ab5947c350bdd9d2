"""The tables of Web Push: browsers, and what is on its way to them."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from signaling.adapters.sql.tables import metadata

subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("user", String, nullable=False),
    Column("device", String, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("p256dh", String, nullable=False),
    Column("auth", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_push_subscriptions_app_user", "app", "user"),
)

pushes = Table(
    "pushes",
    metadata,
    Column("id", String, primary_key=True),
    Column("subscription", String, nullable=False, index=True),
    Column("app", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("topic", String, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False, index=True),
)
