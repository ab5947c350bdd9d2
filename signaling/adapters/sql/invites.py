"""Invitations in SQL."""

from sqlalchemy import Connection, delete, insert, or_, select, update

from signaling.adapters.sql.audit import append_audit
from signaling.adapters.sql.database import Database
from signaling.adapters.sql.tables_messaging import invites
from signaling.errors import Refused
from signaling.model import AuditEntry, Invite


class SqlInvites:
    """See ports.Invites."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, invite: Invite, entry: AuditEntry) -> None:
        """Keep a new one."""
        row = {name: getattr(invite, name) for name in invite.__struct_fields__}

        def op(connection: Connection) -> None:
            connection.execute(insert(invites).values(row))
            append_audit(connection, entry)

        await self._database.write(op)

    async def get(self, app: str, invite: str) -> Invite | None:
        """One, whether it works or not."""
        query = select(invites).where(invites.c.app == app, invites.c.id == invite)
        found = await self._database.read(lambda c: c.execute(query).first())
        return Invite(**found._mapping) if found else None

    async def of(self, conversation: str, now: int) -> list[Invite]:
        """Those of a conversation that work."""
        query = (
            select(invites)
            .where(
                invites.c.conversation == conversation,
                or_(invites.c.expires_at.is_(None), invites.c.expires_at > now),
                or_(invites.c.max_uses.is_(None), invites.c.max_uses > invites.c.uses),
            )
            .order_by(invites.c.created_at)
        )
        found = await self._database.read(lambda c: c.execute(query).all())
        return [Invite(**row._mapping) for row in found]

    async def remove(self, invite: str, entry: AuditEntry) -> None:
        """Once: who comes second removed nothing."""

        def op(connection: Connection) -> None:
            if connection.execute(delete(invites).where(invites.c.id == invite)).rowcount:
                append_audit(connection, entry)

        await self._database.write(op)


def use_invite(connection: Connection, app: str, invite: str, now: int) -> None:
    """Count one use. Raises Refused not_found when it works no more."""
    here = (invites.c.app == app) & (invites.c.id == invite)
    row = connection.execute(select(invites).where(here)).first()
    found = Invite(**row._mapping) if row else None
    if found is None or not found.works(now):
        raise Refused("not_found", "this invitation does not work")
    connection.execute(update(invites).where(here).values(uses=invites.c.uses + 1))
