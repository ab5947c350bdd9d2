"""Jobs on people's data, and how far retention has come."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from signaling.adapters.sql.tables import metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("user", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("error", String),
    Column("result", String),
    Column("expires_at", BigInteger),
    Column("holder", String),
    Column("held_until", BigInteger),
    Index("ix_jobs_app_id", "app", "id"),
    Index("ix_jobs_state_updated_at", "state", "updated_at"),
)

retained = Table(
    "retained",
    metadata,
    Column("conversation", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
"""Up to which event a conversation's old messages have been blanked."""
