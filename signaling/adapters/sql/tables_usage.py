"""The tables of metering: totals by day and month, who was active, plans, what apps were told."""

from sqlalchemy import BigInteger, Column, Float, PrimaryKeyConstraint, String, Table

from signaling.adapters.sql.tables import metadata

totals = Table(
    "usage_totals",
    metadata,
    Column("app", String, nullable=False),
    Column("period", String, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("active_users", BigInteger, nullable=False),
    Column("connections", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("call_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("period", "app"),
)
"""`period` is a day, 2026-11-24, or a month, 2026-11, in UTC."""

active = Table(
    "usage_active",
    metadata,
    Column("app", String, nullable=False),
    Column("period", String, nullable=False),
    Column("user", String, nullable=False),
    PrimaryKeyConstraint("app", "period", "user"),
    sqlite_with_rowid=False,
)

connections = Table(
    "usage_connections",
    metadata,
    Column("app", String, nullable=False),
    Column("node", String, nullable=False),
    Column("now", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "node"),
)
"""How many each node has; a row that was not renewed is of a node that died."""

notices = Table(
    "usage_notices",
    metadata,
    Column("app", String, nullable=False),
    Column("period", String, nullable=False),
    Column("metric", String, nullable=False),
    Column("level", String, nullable=False),
    Column("used", Float, nullable=False),
    Column("limit", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "period", "metric", "level"),
)

plans = Table(
    "app_plans",
    metadata,
    Column("app", String, primary_key=True),
    Column("plan", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)
