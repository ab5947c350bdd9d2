"""Who is banned from an app, what was reported, and who may see whom."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text, UniqueConstraint

from signaling.adapters.sql.tables import metadata

bans = Table(
    "bans",
    metadata,
    Column("app", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("until", BigInteger),
    Column("reason", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("sender", String, nullable=False),
    Column("reporter", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("snapshot", Text),
    Column("at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("action", String),
    Column("resolved_by", String),
    Column("resolved_at", BigInteger),
    Column("note", Text),
    Column("claimed_until", BigInteger),
    UniqueConstraint("conversation", "seq", "reporter", name="uq_reports_conversation"),
    Index("ix_reports_app_state", "app", "state", "id"),
    Index("ix_reports_conversation", "conversation", "state", "id"),
    Index("ix_reports_app_sender", "app", "sender"),
    Index("ix_reports_app_reporter", "app", "reporter"),
)
"""`snapshot` is the message as it was, as JSON, until the report is resolved."""

privacies = Table(
    "privacies",
    metadata,
    Column("app", String, primary_key=True),
    Column("user", String, primary_key=True),
    Column("presence", String),
    Column("last_seen", String),
)
"""Null stands for what the app's settings say."""
