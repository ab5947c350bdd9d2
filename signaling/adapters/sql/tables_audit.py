"""The trail of administrative acts. Triggers refuse to change or delete its rows."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from signaling.adapters.sql.tables import metadata

audit = Table(
    "audit",
    metadata,
    Column("app", String, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
    Index("ix_audit_app_action", "app", "action", "number"),
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("app", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
)
"""Where each app's trail ends, so that cutting its end off is seen."""
