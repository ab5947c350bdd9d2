"""The log and everything else durable, on SQLite or PostgreSQL, through SQLAlchemy Core."""

from signaling.adapters.sql.answers import SqlAnswers
from signaling.adapters.sql.apps import SqlApps
from signaling.adapters.sql.calls import SqlCalls
from signaling.adapters.sql.conversations import SqlConversations
from signaling.adapters.sql.database import Database, open_database
from signaling.adapters.sql.files import SqlFiles
from signaling.adapters.sql.invites import SqlInvites
from signaling.adapters.sql.log import SqlLog
from signaling.adapters.sql.presences import SqlPresences
from signaling.adapters.sql.revocations import SqlRevocations
from signaling.adapters.sql.search import SqlSearch
from signaling.adapters.sql.tables import metadata
from signaling.adapters.sql.users import SqlUsers
from signaling.adapters.sql.waiting import SqlWaiting

__all__ = [
    "Database",
    "SqlAnswers",
    "SqlApps",
    "SqlCalls",
    "SqlConversations",
    "SqlFiles",
    "SqlInvites",
    "SqlLog",
    "SqlPresences",
    "SqlRevocations",
    "SqlSearch",
    "SqlUsers",
    "SqlWaiting",
    "metadata",
    "open_database",
]
