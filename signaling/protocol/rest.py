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


CONVERSATION = "/conversations/{conversation}"
MESSAGE = CONVERSATION + "/messages/{seq}"

OPERATIONS = (
    Operation("GET", "/conversations", "conversation:list", "conversations"),
    Operation("POST", "/conversations", "conversation:create", "conversations", 201),
    Operation("POST", "/join", "conversation:join", "conversations"),
    Operation("GET", CONVERSATION, "conversation:get", "conversations"),
    Operation("PATCH", CONVERSATION, "conversation:update", "conversations"),
    Operation("POST", CONVERSATION + "/join", "conversation:join", "conversations"),
    Operation("POST", CONVERSATION + "/leave", "conversation:leave", "conversations"),
    Operation("POST", CONVERSATION + "/archive", "conversation:archive", "conversations"),
    Operation("PATCH", CONVERSATION + "/preferences", "conversation:prefer", "conversations"),
    Operation("GET", CONVERSATION + "/members", "member:list", "members"),
    Operation("POST", CONVERSATION + "/members", "member:add", "members", 201),
    Operation("PATCH", CONVERSATION + "/members/{user}", "member:update", "members"),
    Operation("DELETE", CONVERSATION + "/members/{user}", "member:remove", "members"),
    Operation("GET", CONVERSATION + "/invites", "invite:list", "members"),
    Operation("POST", CONVERSATION + "/invites", "invite:create", "members", 201),
    Operation("DELETE", "/invites/{invite}", "invite:revoke", "members"),
    Operation("GET", CONVERSATION + "/events", "history:get", "messages"),
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
    Operation("GET", CONVERSATION + "/receipts", "receipt:get", "receipts"),
    Operation("PUT", CONVERSATION + "/delivered", "receipt:delivered", "receipts"),
    Operation("PUT", CONVERSATION + "/read", "receipt:read", "receipts"),
    Operation("GET", "/messages", "message:search", "messages"),
    Operation("GET", "/scheduled", "scheduled:list", "messages"),
    Operation("DELETE", "/scheduled/{scheduled}", "scheduled:cancel", "messages"),
    Operation("POST", "/sync", "sync", "messages"),
    Operation("PUT", "/users/{user}/block", "user:block", "users"),
    Operation("DELETE", "/users/{user}/block", "user:unblock", "users"),
    Operation("GET", "/push/key", "push:key", "push"),
    Operation("POST", "/push/subscriptions", "push:subscribe", "push", 201),
    Operation("DELETE", "/push/subscriptions", "push:unsubscribe", "push"),
    Operation("POST", "/files", "file:offer", "files", 201),
    Operation("POST", "/files/{file}/fetch", "file:fetch", "files"),
    Operation("DELETE", "/files/{file}", "file:cancel", "files"),
)
