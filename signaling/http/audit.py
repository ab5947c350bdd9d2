"""REST for the audit trail, by API key."""

from typing import Any

import msgspec
from aiohttp import web

from signaling.audit.chain import Record, details_of
from signaling.audit.trail import AuditStore
from signaling.errors import Refused
from signaling.http import paging
from signaling.http.callers import Callers
from signaling.protocol.audit import RecordView

ACTION_CHARS = 64


class AuditRoutes:
    """`/v1/audit` and `/v1/audit/verify`."""

    def __init__(self, callers: Callers, store: AuditStore) -> None:
        # passed in
        self._callers = callers
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Both."""
        return [web.get("/v1/audit", self.list), web.get("/v1/audit/verify", self.verify)]

    async def list(self, request: web.Request) -> web.Response:
        """The newest first; `?action=` keeps to one, or to those that begin so: `key:*`."""
        key = await self._callers.key(request, "admin")
        limit, action = paging.limit_of(request), request.query.get("action")
        if action is not None and (len(action) > ACTION_CHARS or "\0" in action):
            raise Refused("bad_request", f"`action` has at most {ACTION_CHARS} characters")
        before = paging.number_of(request)
        found = await self._store.page(key.app, before, limit + 1, action)
        rows, following = paging.page(found, limit, lambda record: record.number)
        return _json({"records": [_view(record) for record in rows], "next": following})

    async def verify(self, request: web.Request) -> web.Response:
        """Read the whole trail and check each record against the one before."""
        key = await self._callers.key(request, "admin")
        return _json(await self._store.verify(key.app))


def _view(record: Record) -> RecordView:
    return RecordView(
        number=record.number,
        at=record.at,
        actor=record.actor,
        action=record.action,
        subject=record.subject,
        details=details_of(record),
        previous=record.previous,
        hash=record.hash,
    )


def _json(body: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
