"""REST over all of an app's users and conversations, by API key: for its server and the console."""

from typing import Any, Protocol

import msgspec
from aiohttp import web

from signaling.errors import Refused
from signaling.http import paging
from signaling.http.callers import Callers
from signaling.model import Conversation, Member, User
from signaling.protocol.admin import ConversationView, MemberView, UserView

MAX_TEXT_CHARS = 200


class Directory(Protocol):
    """Lists of one app, a page at a time."""

    async def users(self, app: str, text: str, after: str, limit: int) -> list[User]:
        """Whose id or name has `text`, by id, those after one."""

    async def user(self, app: str, user: str) -> tuple[User, int] | None:
        """One, and how many devices."""

    async def conversations(
        self, app: str, text: str, before: tuple[int, str] | None, limit: int
    ) -> list[Conversation]:
        """The latest active first, those before a (position, id)."""


class Members(Protocol):
    """Conversations and who is in them."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def members(self, conversation: str, after: str = "", limit: int = 100) -> list[Member]:
        """By user, those after one."""


class PeopleRoutes:
    """`/v1/users` and `/v1/app/conversations`."""

    def __init__(self, callers: Callers, directory: Directory, members: Members) -> None:
        # passed in
        self._callers = callers
        self._directory = directory
        self._members = members

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/v1/users", self.users),
            web.get("/v1/users/{user}", self.user),
            web.get("/v1/app/conversations", self.conversations),
            web.get("/v1/app/conversations/{conversation}", self.conversation),
            web.get("/v1/app/conversations/{conversation}/members", self.members),
        ]

    async def users(self, request: web.Request) -> web.Response:
        """The app's users; `?query=` is looked for in ids and names."""
        key = await self._callers.key(request, "read")
        limit, after = paging.limit_of(request), paging.cursor_of(request) or ""
        found = await self._directory.users(key.app, _text(request), after, limit + 1)
        rows, following = paging.page(found, limit, lambda row: row.id)
        return _json({"users": [_user(row) for row in rows], "next": following})

    async def user(self, request: web.Request) -> web.Response:
        """One of them. Raises Refused not_found."""
        key = await self._callers.key(request, "read")
        found = await self._directory.user(key.app, _in_path(request, "user"))
        if found is None:
            raise Refused("not_found", "no such user")
        return _json(_user(*found))

    async def conversations(self, request: web.Request) -> web.Response:
        """All of the app's, the latest active first; `?query=` is looked for in titles."""
        key = await self._callers.key(request, "read")
        limit, before = paging.limit_of(request), _position(request)
        found = await self._directory.conversations(key.app, _text(request), before, limit + 1)
        rows, following = paging.page(found, limit, lambda row: f"{row.position}:{row.id}")
        return _json({"conversations": [_conversation(row) for row in rows], "next": following})

    async def conversation(self, request: web.Request) -> web.Response:
        """One of them, by id or alias. Raises Refused not_found."""
        key = await self._callers.key(request, "read")
        return _json(_conversation(await self._named(request, key.app)))

    async def members(self, request: web.Request) -> web.Response:
        """Who is in it. Raises Refused not_found."""
        key = await self._callers.key(request, "read")
        conversation = await self._named(request, key.app)
        limit, after = paging.limit_of(request), paging.cursor_of(request) or ""
        found = await self._members.members(conversation.id, after, limit + 1)
        rows, following = paging.page(found, limit, lambda row: row.user)
        return _json({"members": [_member(row) for row in rows], "next": following})

    async def _named(self, request: web.Request, app: str) -> Conversation:
        found = await self._members.get(app, _in_path(request, "conversation"))
        if found is None:
            raise Refused("not_found", "no such conversation")
        return found


def _in_path(request: web.Request, name: str) -> str:
    text = request.match_info[name]
    if "\0" in text:
        raise Refused("not_found", f"no such {name}")
    return text


def _text(request: web.Request) -> str:
    text = request.query.get("query", "").strip()
    if len(text) > MAX_TEXT_CHARS or "\0" in text:
        raise Refused("bad_request", f"`query` has at most {MAX_TEXT_CHARS} characters")
    return text


def _position(request: web.Request) -> tuple[int, str] | None:
    place = paging.cursor_of(request)
    if place is None:
        return None
    position, colon, name = place.partition(":")
    if not colon or not position.isascii() or not position.isdigit() or len(position) > 18:
        raise paging.no_such_page()
    return int(position), name


def _user(user: User, devices: int | None = None) -> UserView:
    return UserView(
        user=user.id,
        name=user.name,
        created_at=user.created_at,
        seen_at=user.seen_at,
        devices=devices,
    )


def _conversation(found: Conversation) -> ConversationView:
    return ConversationView(
        id=found.id,
        type=found.type,
        title=found.title,
        alias=found.alias,
        open=found.open,
        created_at=found.created_at,
        created_by=found.created_by,
        head=found.head,
        member_count=found.member_count,
        archived_at=found.archived_at,
    )


def _member(found: Member) -> MemberView:
    return MemberView(
        user=found.user,
        name=found.name,
        role=found.role,
        joined_at=found.joined_at,
        muted_until=found.muted_until,
        delivered=found.delivered,
        read=found.read,
    )


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
