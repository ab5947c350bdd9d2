"""What the outbox holds of a User, gone: their browsers, and what was still to be told of them."""

import msgspec
from sqlalchemy import Connection, delete, select

from signaling.adapters.sql.outbox import end_empty_lines
from signaling.adapters.sql.tables_outbox import deliveries, lines, news, presence_told
from signaling.adapters.sql.tables_push import pushes, subscriptions


def forget_untold(connection: Connection, app: str, user: str) -> None:
    """Deliveries (dead letters too) and pushes that the user sent or is named in. Who was active
    stays until its month is pruned: without it what they did would be counted once more."""
    mine = (subscriptions.c.app == app) & (subscriptions.c.user == user)
    browsers = select(subscriptions.c.id).where(mine)
    connection.execute(delete(pushes).where(pushes.c.subscription.in_(browsers)))
    connection.execute(delete(subscriptions).where(mine))
    connection.execute(
        delete(presence_told).where(presence_told.c.app == app, presence_told.c.user == user)
    )
    for table, text in ((deliveries, "body"), (pushes, "body"), (news, "data")):
        for field in ("sender", "user"):
            named = table.c[text].contains(f'"{field}":{_quoted(user)}', autoescape=True)
            connection.execute(delete(table).where(table.c.app == app, named))
    end_empty_lines(connection, lines.c.app == app)


def _quoted(user: str) -> str:
    return msgspec.json.encode(user).decode()
