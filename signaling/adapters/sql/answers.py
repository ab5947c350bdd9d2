"""Kept answers in SQL."""

from sqlalchemy import Connection, delete, insert, select, update

from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_access import answers
from signaling.auth.repeats import Kept

AT_WORK_MS = 60_000
"""Whoever has been at work for this long is dead: the next one may do it."""


class SqlAnswers:
    """See auth.repeats.Answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, name: str, fingerprint: str, now: int, until: int) -> Kept | None:
        """One caller of a name gets None and is to `finish` or `drop` it."""
        return await self._database.write(lambda c: _begin(c, name, fingerprint, now, until))

    async def finish(self, name: str, sealed: bytes) -> None:
        """Keep what was answered."""
        statement = update(answers).where(answers.c.id == name).values(sealed=sealed)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def drop(self, name: str) -> None:
        """It may be tried again."""
        statement = delete(answers).where(answers.c.id == name)
        await self._database.write(lambda c: c.execute(statement).rowcount)

    async def forget(self, before: int) -> None:
        """Drop those whose time is over."""
        statement = delete(answers).where(answers.c.until < before)
        await self._database.write(lambda c: c.execute(statement).rowcount)


def _begin(
    connection: Connection, name: str, fingerprint: str, now: int, until: int
) -> Kept | None:
    row = connection.execute(select(answers).where(answers.c.id == name)).first()
    if row is not None:
        found = row._mapping
        dead = found["sealed"] is None and found["at"] < now - AT_WORK_MS
        if found["until"] >= now and not dead:
            sealed = None if found["sealed"] is None else bytes(found["sealed"])
            return Kept(fingerprint=found["fingerprint"], sealed=sealed)
        connection.execute(delete(answers).where(answers.c.id == name))
    values = {"id": name, "fingerprint": fingerprint, "at": now, "until": until}
    connection.execute(insert(answers).values(values))
    return None
