"""What the services need from outside, as small Protocols, each with the guarantee it gives.

Adapters live in `signaling.adapters`; one contract suite in tests/contract runs on every one of
them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from signaling.model import (
    ApiKey,
    App,
    Appended,
    Change,
    Conversation,
    Decided,
    Device,
    Draft,
    Event,
    History,
    Identity,
    Invite,
    Member,
    Moved,
    Presence,
    Scene,
    Scheduled,
    Standing,
)

Allow = Callable[[Conversation, Member | None], None]
"""A policy: sees the conversation and the sender's membership (None: never a member, or left) as
they are inside the transaction, and raises Refused. Pure: it may run on another thread, or
twice."""

Decide = Callable[[Scene], Change]
"""A decision over a scene; raises Refused. Pure, like Allow."""


class Log(Protocol):
    """The event logs. A returned append is on disk; seq of a conversation runs 1, 2, 3 without a
    gap.
    """

    async def append(self, draft: Draft, allow: Allow | None = None) -> Appended:
        """Increment the head and insert, in one transaction. Raises Refused: not_found, conflict,
        unavailable, and what `allow` raises.

        A message moves its sender's own watermarks to it.
        """

    async def read(
        self,
        conversation: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        thread: int | None = None,
    ) -> list[Event]:
        """Events in order. With `before`: the `limit` newest below it; else the oldest above
        `after`.

        `thread` keeps to the messages of one thread.
        """

    async def get(self, conversation: str, seq: int) -> Event | None:
        """One event."""

    async def history(
        self,
        app: str,
        conversation: str,
        user: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        thread: int | None = None,
    ) -> History | None:
        """Like `read`, by id or alias, of what this member may see. None: not a member."""

    async def since(
        self, app: str, user: str, position: int, known: Mapping[str, int], limit: int
    ) -> "Missed":
        """What a member has not seen: of every conversation that grew, or in which their watermarks
        moved, after `position`, and of those in `known` (id -> last seq seen): `limit` events each.

        Never skips an event that commits later; may repeat one. A membership that ended after
        `position` gives that one event.
        """

    async def tail(self, position: int, limit: int) -> tuple[list[tuple[str, Event]], int]:
        """(app, event) of the whole log after `position`, in order of commit, and the position
        reached.

        Position -1 reads nothing and gives the end.
        """


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What a member missed of one conversation, oldest first."""

    standing: Standing
    events: list[Event]
    limited: bool = False
    """There are more after the last of these."""


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `Log.since`."""

    gaps: list[Gap]
    position: int
    """The end of the log when it was read."""
    known: bool = True
    """False when the position asked for lies beyond the end: it belongs to another log."""


class Conversations(Protocol):
    """Conversations, members and watermarks."""

    async def create(
        self, conversation: Conversation, members: Sequence[Member], drafts: Sequence[Draft]
    ) -> tuple[Conversation, list[Event]]:
        """Insert and append, or give back the one that has this id, alias or client_id already (no
        events then). Raises Refused conflict when the client_id was used for something else."""

    async def get(self, app: str, conversation: str) -> Conversation | None:
        """By id or alias."""

    async def decide(
        self,
        app: str,
        conversation: str,
        users: Iterable[str],
        decide: Decide,
        target: int | None = None,
    ) -> Decided:
        """Show `decide` the scene (these users, this event) and do what it says, in one
        transaction.

        Raises Refused: not_found, conflict (alias taken, client_id used otherwise), unavailable.
        """

    async def member(self, conversation: str, user: str) -> Member | None:
        """One member who has not left."""

    async def members(self, conversation: str, after: str = "", limit: int = 100) -> list[Member]:
        """Members who have not left, ordered by user, with names."""

    async def members_of(
        self, conversations: Sequence[str], each: int = 100
    ) -> dict[str, list[Member]]:
        """The first `each` members of several conversations, with names."""

    async def standing(self, app: str, conversation: str, user: str) -> Standing | None:
        """One conversation (by id or alias) as one of its members sees it."""

    async def standings(
        self, app: str, user: str, before: int | None = None, limit: int = 100
    ) -> list[Standing]:
        """A member's conversations, the latest active first; `before` is the position of one."""

    async def ids_of(self, app: str, user: str) -> list[str]:
        """Ids of every conversation the user is in."""

    async def share(self, app: str, user: str, other: str) -> bool:
        """Whether two users have a conversation in common."""

    async def receipts(self, conversation: str, seq: int) -> tuple[int, int]:
        """How many members an event was delivered to, and how many have read it."""

    async def advance(
        self, conversation: str, user: str, *, delivered: int = 0, read: int = 0
    ) -> Moved | None:
        """Move watermarks forward (never back, never past head, read pulls delivered). None if
        nothing moved.
        """


class Users(Protocol):
    """People, their devices, and whom they block."""

    async def seen(self, app: str, user: str, device: str, name: str | None, at: int) -> None:
        """Insert or refresh user and device. Raises Refused unauthorized: device revoked."""

    async def names(self, app: str, users: Sequence[str]) -> dict[str, str]: ...

    async def devices(self, app: str, user: str) -> list[Device]: ...

    async def revoke_device(self, app: str, user: str, device: str, at: int) -> bool:
        """The device may not connect again; False when there is none."""

    async def block(self, app: str, user: str, other: str, on: bool) -> None: ...

    async def blocked(self, app: str, by: str, user: str) -> bool:
        """Whether `by` blocks `user`."""

    async def blocks(self, app: str, user: str) -> list[str]: ...


class Search(Protocol):
    """Finds messages by what they say. A projection of the log; `index` catches up."""

    async def index(self) -> int:
        """Read on in the log; how many events were read."""

    async def find(
        self, app: str, user: str, query: str, conversation: str | None, before: int, limit: int
    ) -> tuple[list[Event], int | None]:
        """Messages that contain `query` and that the user may see, newest first, at positions below
        `before`; and where to go on, None at the end.
        """


class Invites(Protocol):
    """Invitations to conversations."""

    async def put(self, invite: Invite) -> None: ...

    async def use(self, app: str, invite: str, now: int) -> Invite:
        """Count one use. Raises Refused not_found when it works no more."""

    async def get(self, app: str, invite: str) -> Invite | None: ...

    async def of(self, conversation: str, now: int) -> list[Invite]:
        """Those that still work."""

    async def remove(self, invite: str) -> None: ...


class Waiting(Protocol):
    """What waits for its time: messages to send, and messages to forget."""

    async def put(self, message: Scheduled) -> Scheduled:
        """Keep it, or give back the one with this client_id. Raises Refused conflict."""

    async def due(self, now: int, limit: int) -> list[Scheduled]: ...

    async def of(self, app: str, sender: str) -> list[Scheduled]: ...

    async def remove(self, message: str) -> bool: ...

    async def expire(self, now: int, limit: int) -> int:
        """Blank messages whose time is over, wherever their bodies are kept; how many."""


class Apps(Protocol):
    """Tenants and their keys."""

    async def create(self, app: App) -> App:
        """Raises Refused conflict when the id is taken."""

    async def get(self, app: str) -> App | None: ...

    async def all(self) -> list[App]: ...

    async def update(self, app: App) -> None:
        """Replace name and settings. Raises Refused not_found."""

    async def put_key(self, key: ApiKey) -> None:
        """Insert or replace (revoking sets revoked_at)."""

    async def key(self, key: str) -> ApiKey | None: ...

    async def keys(self, app: str) -> list[ApiKey]: ...


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What travels over the Broker: an event for every Connection that listens to a topic."""

    event: str
    data: dict[str, Any]
    volatile: bool = False
    exclude: str | None = None
    """A Connection that does not get it: the one that caused it."""
    device: str | None = None
    """On a user's topic: only this Device's Connections get it."""


class Broker(Protocol):
    """Topics between nodes. At most once, in order per publisher and topic; losing one loses time
    only.
    """

    async def publish(self, topic: str, hint: Hint) -> None:
        """Never raises for a broker that is away: hints are lost then, and `on_gap` is called on
        return.
        """

    async def subscribe(self, topics: Iterable[str]) -> None: ...

    async def unsubscribe(self, topics: Iterable[str]) -> None: ...

    async def request(
        self, node: str, verb: str, body: dict[str, Any], timeout_s: float
    ) -> dict[str, Any]:
        """Ask another node. Raises Refused: unavailable, timeout, or what that node said."""

    async def start(
        self,
        on_hint: Callable[[str, Hint], None],
        on_request: Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]],
        on_gap: Callable[[], None],
    ) -> None: ...

    async def close(self) -> None: ...


class PresenceManager(Protocol):
    """Which devices of a user are connected, on any node. Entries expire unless touched."""

    async def put(
        self, app: str, user: str, device: str, connection: str, status: str, text: str | None
    ) -> bool:
        """Add or change one connection; True when what others see changed."""

    async def remove(self, app: str, user: str, connection: str) -> bool: ...

    async def touch(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Keep (app, user, connection) alive for another period."""

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]: ...

    async def expire(self) -> list[tuple[str, str]]:
        """(app, user) whose last connection ran out since the last call."""


class NodeRegistry(Protocol):
    """Which nodes live, and which one holds a room. A claim is exclusive while its node keeps it
    alive.
    """

    async def announce(self, node: str, info: Mapping[str, str]) -> None:
        """This node is alive for another period (10 s)."""

    async def nodes(self) -> dict[str, dict[str, str]]: ...

    async def claim(self, room: str, node: str) -> str:
        """The node that holds the room: this one if nobody living did.

        A claim lasts a period (10 s); its holder claims again before that to keep it.
        """

    async def release(self, room: str, node: str) -> None: ...

    async def withdraw(self, node: str) -> None:
        """The node leaves: its announcement and claims go."""


class BlobStore(Protocol):
    """Immutable bytes by key."""

    async def put_file(self, key: str, path: str) -> None:
        """Store the file at `path`; whole or not at all."""

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes [start, end) in chunks. Raises Refused not_found."""

    async def size(self, key: str) -> int | None: ...

    async def delete(self, key: str) -> None: ...


class Connections(Protocol):
    """The live sockets of this node."""

    def emit(
        self,
        connections: Iterable[str],
        event: str,
        data: Mapping[str, Any],
        *,
        volatile: bool = False,
    ) -> None:
        """Queue for each, encoded once. Unknown ids are passed over. Volatile ones are dropped
        first when a queue fills.
        """

    def close(self, connection: str, reason: str) -> None:
        """End one socket; `reason` is a stable word."""


class Remote(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Connection comes from."""

    connection: str
    address: str
    origin: str | None = None
    user_agent: str | None = None


class Hooks(Protocol):
    """What the gateway asks of the node."""

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """Raises Refused; it becomes `connect_error` with `{code, message}`."""

    async def opened(self, who: Identity, cursor: str | None) -> dict[str, Any]:
        """The payload of `session:ready`. The Connection counts as open from the call on."""

    async def request(self, who: Identity, event: str, payload: Any) -> dict[str, Any]:
        """The ack's fields without `ok`. Raises Refused."""

    async def closed(self, who: Identity, reason: str) -> None:
        """Once for every Identity that `authenticate` gave, `opened` or not."""


class Clock(Protocol):
    """UTC milliseconds; a fake in tests."""

    def __call__(self) -> int: ...
