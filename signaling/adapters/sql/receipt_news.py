"""Receipts for webhooks, kept in the transaction that moves the watermarks."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from signaling.adapters.sql.news import put_news
from signaling.model import Member
from signaling.outbox.news import News


class Step(NamedTuple):
    """A member before and after."""

    app: str
    before: Member
    after: Member


def tell_receipts(connection: Connection, steps: Sequence[Step]) -> None:
    """`receipt:delivered` and `receipt:read`, the newest of each member while they wait."""
    if steps:
        put_news(connection, [news for step in steps for news in _news(step)])


def _news(step: Step) -> Iterator[News]:
    for name in ("delivered", "read"):
        seq = getattr(step.after, name)
        if seq == getattr(step.before, name):
            continue
        conversation, user = step.after.conversation, step.after.user
        yield News(
            app=step.app,
            type=f"receipt:{name}",
            line=f"receipt:{conversation}",
            subject=f"{conversation}/{user}",
            data={"conversation": conversation, "user": user, "seq": seq},
        )
