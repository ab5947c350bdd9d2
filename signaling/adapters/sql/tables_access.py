"""The tables of taken back tokens, and of answers kept for a repeated request."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from signaling.adapters.sql.tables import metadata

revocations = Table(
    "revocations",
    metadata,
    Column(
        "number",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("app", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("user", String),
    Column("jti", String),
    Column("key", String),
    Column("device", String),
    Column("until", BigInteger, nullable=False, index=True),
    Index("ix_revocations_app_user", "app", "user"),
    Index("ix_revocations_app_jti", "app", "jti"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("sealed", LargeBinary),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
)
"""`id` is a digest of caller and idempotency key; `sealed` is null while the first is at work."""
