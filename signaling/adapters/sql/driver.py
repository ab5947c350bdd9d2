"""SQLite's driver, past SQLAlchemy: for statements so quick that SQLAlchemy takes longer over them
than the database.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def changes(connection: Connection) -> int:
    """How many rows it has changed since it was opened, whatever was undone."""
    count: int = connection.connection.dbapi_connection.total_changes  # type: ignore[union-attr]
    return count


def run(connection: Connection, statement: str, values: Sequence[Any] = ()) -> Sequence[Any]:
    """The rows it returns, if it returns rows. Raises what SQLAlchemy would."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, values)
        found: Sequence[Any] = cursor.fetchall()
    except sqlite3.Error as error:
        raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error
    finally:
        cursor.close()  # also when it failed: a statement half done would keep its locks
    return found
