"""What Users said of themselves last, and when they went."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, Table

from signaling.adapters.sql.tables import metadata

presences = Table(
    "presences",
    metadata,
    Column("app", String, nullable=False),
    Column("user", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("text", String),
    Column("last_seen", BigInteger),
    PrimaryKeyConstraint("app", "user"),
)
