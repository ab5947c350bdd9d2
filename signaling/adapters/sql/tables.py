"""The tables of the log and of who may read it. Other nouns keep theirs in tables_<noun>.py.

Times are UTC milliseconds. JSON is text: both databases store it as it came, and msgspec reads it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

positions = Table(
    "positions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
"""One row: the last position given out. Its row lock is held until commit, so positions become
visible in their order, and a reader's cursor can never pass one that commits later."""

apps = Table(
    "apps",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("settings", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, ForeignKey("apps.id"), nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

users = Table(
    "users",
    metadata,
    Column("app", String, nullable=False),
    Column("id", String, nullable=False),
    Column("name", String),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "id"),
)

devices = Table(
    "devices",
    metadata,
    Column("app", String, nullable=False),
    Column("user", String, nullable=False),
    Column("device", String, nullable=False),
    Column("name", String),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("not_before", BigInteger),
    PrimaryKeyConstraint("app", "user", "device"),
)
"""`revoked_at` is cleared when the device is back; tokens made until `not_before` stay refused."""

blocks = Table(
    "blocks",
    metadata,
    Column("app", String, nullable=False),
    Column("user", String, nullable=False),
    Column("other", String, nullable=False),
    PrimaryKeyConstraint("app", "user", "other"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String, primary_key=True),
    Column("app", String, nullable=False),
    Column("type", String, nullable=False),
    Column("title", String),
    Column("alias", String),
    Column("open", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String, nullable=False),
    Column("head", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("member_count", Integer, nullable=False),
    Column("archived_at", BigInteger),
    Column("settings", Text, nullable=False),
    Index("uq_conversations_app_alias", "app", "alias", unique=True),
)

members = Table(
    "members",
    metadata,
    Column("conversation", String, ForeignKey("conversations.id"), nullable=False),
    Column("user", String, nullable=False),
    Column("app", String, nullable=False),
    Column("role", String, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("from_seq", BigInteger, nullable=False),
    Column("left_at", BigInteger),
    Column("left_seq", BigInteger, nullable=False),
    Column("banned_until", BigInteger),
    Column("muted_until", BigInteger),
    Column("delivered", BigInteger, nullable=False),
    Column("read", BigInteger, nullable=False),
    Column("moved", BigInteger, nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Column("preferences", Text, nullable=False),
    PrimaryKeyConstraint("conversation", "user"),
    Index("ix_members_app_user", "app", "user"),
)
"""`moved` is the end of the log when this row last changed: what `sync` compares cursors with."""

events = Table(
    "events",
    metadata,
    Column(
        "position",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("conversation", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("app", String, nullable=False),
    Column("id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("nth", BigInteger, nullable=False),
    Column("thread", BigInteger),
    Column("expires_at", BigInteger),
    Column("data", Text, nullable=False),
    Index("uq_events_conversation_seq", "conversation", "seq", unique=True),
)
"""The logs, in order of commit. `nth` counts the conversation's messages up to this event."""

Index(
    "ix_events_thread",
    events.c.conversation,
    events.c.thread,
    events.c.seq,
    sqlite_where=events.c.thread.is_not(None),
    postgresql_where=events.c.thread.is_not(None),
)

Index(
    "ix_events_expires_at",
    events.c.expires_at,
    sqlite_where=events.c.expires_at.is_not(None),
    postgresql_where=events.c.expires_at.is_not(None),
)

sends = Table(
    "sends",
    metadata,
    Column("app", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("client_id", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("app", "sender", "client_id"),
    sqlite_with_rowid=False,
)
"""Every client_id ever used; it outlives the events it points to."""

recent_sends = Table(
    "recent_sends",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), autoincrement=False),
    *(Column(column.name, column.type, nullable=False) for column in sends.c),
    PrimaryKeyConstraint("position"),
)
"""In SQLite the newest of them by the event's position; they move to `sends` in one go: see
sends.py.
"""

mentions = Table(
    "mentions",
    metadata,
    Column("conversation", String, nullable=False),
    Column("user", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("conversation", "user", "seq"),
    sqlite_with_rowid=False,
)
"""Who is mentioned where; user `*` is everyone."""
