"""REST paths of the wire's requests: the fields of each spread over path, query and body."""

from dataclasses import dataclass
from typing import Literal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Operation:
    """`method path` carries out the request `event`."""

    method: Method
    path: str
    """Below /v1; `{names}` are fields of the request."""
    event: str
    tag: str
    status: int = 200
    fixed: tuple[tuple[str, bool], ...] = ()
    """Fields that follow from the method."""
    pages: str = ""
    """The field that `cursor` is, `events` for a log's two directions, or the list to slice."""
    app: bool = False
    """An app's server may ask without naming a user: it acts for itself."""
    place: str = ""
    """What names a row of a list that is sliced."""


CONVERSATION = "/conversations/{conversation}"
MESSAGE = CONVERSATION + "/messages/{seq}"

OPERATIONS = (
    Operation("GET", "/conversations", "conversation:list", "conversations", pages="after"),
    Operation("POST", "/conversations", "conversation:create", "conversations", 201),
    Operation("POST", "/join", "conversation:join", "conversations"),
    Operation("GET", CONVERSATION, "conversation:get", "conversations"),
    Operation("PATCH", CONVERSATION, "conversation:update", "conversations"),
    Operation("POST", CONVERSATION + "/join", "conversation:join", "conversations"),
    Operation("POST", CONVERSATION + "/leave", "conversation:leave", "conversations"),
    Operation("POST", CONVERSATION + "/archive", "conversation:archive", "conversations"),
    Operation("PATCH", CONVERSATION + "/preferences", "conversation:prefer", "conversations"),
    Operation("GET", CONVERSATION + "/members", "member:list", "members", pages="after"),
    Operation("POST", CONVERSATION + "/members", "member:add", "members", 201),
    Operation("PATCH", CONVERSATION + "/members/{user}", "member:update", "members"),
    Operation("DELETE", CONVERSATION + "/members/{user}", "member:remove", "members"),
    Operation("GET", CONVERSATION + "/bans", "member:bans", "members", pages="after", app=True),
    Operation("PUT", CONVERSATION + "/bans/{user}", "member:ban", "members", app=True),
    Operation("DELETE", CONVERSATION + "/bans/{user}", "member:unban", "members", app=True),
    Operation(
        "GET",
        CONVERSATION + "/invites",
        "invite:list",
        "members",
        pages="invites",
        place="id",
    ),
    Operation("POST", CONVERSATION + "/invites", "invite:create", "members", 201),
    Operation("DELETE", "/invites/{invite}", "invite:revoke", "members"),
    Operation("GET", CONVERSATION + "/events", "history:get", "messages", pages="events"),
    Operation("POST", CONVERSATION + "/messages", "message:send", "messages", 201),
    Operation("PATCH", MESSAGE, "message:edit", "messages"),
    Operation("DELETE", MESSAGE, "message:recall", "messages"),
    Operation("PUT", MESSAGE + "/pin", "message:pin", "messages", fixed=(("on", True),)),
    Operation("DELETE", MESSAGE + "/pin", "message:pin", "messages", fixed=(("on", False),)),
    Operation(
        "PUT", MESSAGE + "/reactions/{emoji}", "reaction:set", "messages", fixed=(("on", True),)
    ),
    Operation(
        "DELETE", MESSAGE + "/reactions/{emoji}", "reaction:set", "messages", fixed=(("on", False),)
    ),
    Operation("POST", MESSAGE + "/report", "message:report", "moderation", 201),
    Operation("GET", "/reports", "report:list", "moderation", pages="before", app=True),
    Operation("POST", "/reports/{report}/resolve", "report:resolve", "moderation", app=True),
    Operation("GET", CONVERSATION + "/receipts", "receipt:get", "receipts"),
    Operation("PUT", CONVERSATION + "/delivered", "receipt:delivered", "receipts"),
    Operation("PUT", CONVERSATION + "/read", "receipt:read", "receipts"),
    Operation("PUT", CONVERSATION + "/typing", "typing:set", "messages"),
    Operation("GET", "/messages", "message:search", "messages", pages="before"),
    Operation("GET", "/scheduled", "scheduled:list", "messages", pages="scheduled", place="id"),
    Operation("DELETE", "/scheduled/{scheduled}", "scheduled:cancel", "messages"),
    Operation("POST", "/sync", "sync", "messages"),
    Operation("PATCH", "/presence/privacy", "presence:privacy", "users"),
    Operation("PUT", "/users/{user}/block", "user:block", "users"),
    Operation("DELETE", "/users/{user}/block", "user:unblock", "users"),
    Operation("GET", "/devices", "device:list", "users", pages="devices", place="device"),
    Operation("DELETE", "/devices/{device}", "device:sign_out", "users"),
    Operation("GET", "/push/key", "push:key", "push"),
    Operation("POST", "/push/subscriptions", "push:subscribe", "push", 201),
    Operation("DELETE", "/push/subscriptions", "push:unsubscribe", "push"),
    Operation("GET", "/calls", "call:list", "calls", pages="before"),
    Operation("POST", "/calls/{call}/decline", "call:decline", "calls"),
    Operation("POST", "/calls/{call}/cancel", "call:cancel", "calls"),
    Operation("POST", "/calls/{call}/hangup", "call:hangup", "calls"),
    Operation("POST", "/files", "file:offer", "files", 201),
    Operation("POST", "/files/{file}/fetch", "file:fetch", "files"),
    Operation("DELETE", "/files/{file}", "file:cancel", "files"),
)

_LIVE = "it belongs to one live socket"
_MEDIA = "media is negotiated by the socket that sends or receives it; WHIP and WHEP do it by HTTP"
_SEAT = "it is asked from a place in the Room; an app's server has `/v1/rooms`"

SOCKET_ONLY = {
    "session:refresh": _LIVE,
    "presence:set": _LIVE,
    "presence:watch": _LIVE,
    "presence:unwatch": _LIVE,
    "signal:send": _LIVE,
    "call:invite": "a call is begun by a device that is there",
    "call:accept": "a call is taken by a device that is there",
    "room:join": _MEDIA,
    "room:leave": _MEDIA,
    "media:publish": _MEDIA,
    "media:answer": _MEDIA,
    "media:candidate": _MEDIA,
    "media:restart": _MEDIA,
    "track:update": _MEDIA,
    "subscription:update": _MEDIA,
    "participant:update": _SEAT,
    "participant:remove": _SEAT,
    "participant:mute": _SEAT,
}
"""Requests without a path, and why."""
