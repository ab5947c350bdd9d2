"""The log and everything else durable, on SQLite or PostgreSQL, through SQLAlchemy Core."""

from signaling.adapters.sql.apps import SqlApps
from signaling.adapters.sql.conversations import SqlConversations
from signaling.adapters.sql.database import Database, open_database
from signaling.adapters.sql.files import SqlFiles
from signaling.adapters.sql.log import SqlLog
from signaling.adapters.sql.tables import metadata
from signaling.adapters.sql.users import SqlUsers

__all__ = [
    "Database",
    "SqlApps",
    "SqlConversations",
    "SqlFiles",
    "SqlLog",
    "SqlUsers",
    "metadata",
    "open_database",
]
