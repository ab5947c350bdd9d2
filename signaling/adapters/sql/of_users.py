"""What a table keeps of users, for many who ask at once."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, FromClause, Table, select

from signaling.adapters.sql.many import TEXT, Many, Statement

Asked: TypeAlias = tuple[str, Sequence[str]]
"""An app, and users of it."""


class OfUsers:
    """Columns of a table with one row by `app` and `user`."""

    def __init__(self, table: Table, *columns: str) -> None:
        # passed in
        self._table = table
        self._columns = columns
        # made here
        self._many = Many({"app": TEXT, "user": TEXT}, self._build)

    def find(
        self, connection: Connection, asked: Sequence[Asked]
    ) -> list[dict[str, Sequence[Any]]]:
        """By user, of those there are, for each who asks."""
        named = dict.fromkeys((app, user) for app, users in asked for user in users)
        rows = [{"app": app, "user": user} for app, user in named]
        found = {(row[0], row[1]): row[2:] for row in self._many.execute(connection, rows)}
        return [
            {user: found[app, user] for user in users if (app, user) in found}
            for app, users in asked
        ]

    def _build(self, given: FromClause) -> Statement:
        table = self._table.c
        here = (table.app == given.c.app) & (table.user == given.c.user)
        columns = (table[name] for name in ("app", "user", *self._columns))
        return select(*columns).select_from(given.join(self._table, here))
