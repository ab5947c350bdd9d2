"""The PresenceManager in Redis. Times are Redis's own; keys:

presence:{app}:{user}   hash: mode, text, seen, and `c:{connection}` -> device, away, expiry
presence:expiry         sorted set: app, user and connection by lines -> when it runs out
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from redis.asyncio import Redis

from signaling.adapters.presence_view import differs, view
from signaling.adapters.redis_client import answering, script
from signaling.model import Presence

TTL_MS = 60_000
BATCH = 200
Fields = dict[bytes, bytes]


class RedisPresence:
    """Raises Refused unavailable when Redis does not answer."""

    def __init__(self, client: Redis, prefix: str, ttl_ms: int = TTL_MS) -> None:
        # passed in
        self._client = client
        self._prefix = f"{prefix}presence:"
        self._ttl_ms = ttl_ms
        # made here
        self._put = script(client, "presence_put")
        self._remove = script(client, "presence_remove")
        self._touch = script(client, "presence_touch")
        self._expire = script(client, "presence_expire")

    def _key(self, app: str, user: str) -> str:
        return f"{self._prefix}{app}:{user}"

    @property
    def _expiry(self) -> str:
        return f"{self._prefix}expiry"

    async def put(
        self, app: str, user: str, device: str, connection: str, status: str, text: str | None
    ) -> bool:
        """See `presence_view` for what a status means. `text` None leaves it, empty clears it."""
        said = "0" if text is None else "1"
        member = _member(app, user, connection)
        with answering():
            now, before, after = await self._put(
                keys=[self._key(app, user), self._expiry],
                args=[connection, device, status, said, text or "", self._ttl_ms, member],
            )
        return differs(_view(user, _fields(before), now), _view(user, _fields(after), now))

    async def remove(self, app: str, user: str, connection: str) -> bool:
        """One Connection went."""
        with answering():
            now, before, after = await self._remove(
                keys=[self._key(app, user), self._expiry],
                args=[connection, _member(app, user, connection)],
            )
        return differs(_view(user, _fields(before), now), _view(user, _fields(after), now))

    async def touch(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Unknown ones are passed over."""
        rest = iter(entries)
        while batch := list(islice(rest, BATCH)):
            keys = [self._expiry, *(self._key(app, user) for app, user, _ in batch)]
            args: list[str | int] = [self._ttl_ms]
            for app, user, connection in batch:
                args += [connection, _member(app, user, connection)]
            with answering():
                await self._touch(keys=keys, args=args)

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]:
        """One for each, in the same order; a stranger is offline."""
        now, rows = await self._read(app, users)
        return [_view(user, row, now) for user, row in zip(users, rows, strict=True)]

    async def live(self, app: str, users: Sequence[str]) -> set[str]:
        """Those with a Connection that has not run out."""
        now, rows = await self._read(app, users)
        return {user for user, row in zip(users, rows, strict=True) if _alive(row, now)}

    async def devices(self, app: str, users: Sequence[str]) -> dict[str, set[str]]:
        """Likewise."""
        now, rows = await self._read(app, users)
        alive = {user: _alive(row, now) for user, row in zip(users, rows, strict=True)}
        return {user: {device for device, _ in found} for user, found in alive.items()}

    async def _read(self, app: str, users: Sequence[str]) -> tuple[int, list[Fields]]:
        if not users:
            return 0, []
        with answering():
            pipe = self._client.pipeline(transaction=False)
            pipe.time()
            for user in users:
                pipe.hgetall(self._key(app, user))
            (seconds, micros), *rows = await pipe.execute()
        return seconds * 1000 + micros // 1000, rows

    async def expire(self) -> list[tuple[str, str]]:
        """Each user is given to one node only."""
        gone: list[tuple[str, str]] = []
        taken = BATCH
        while taken == BATCH:
            with answering():
                taken, *flat = await self._expire(keys=[self._expiry], args=[self._prefix, BATCH])
            names = [name.decode() for name in flat]
            gone += zip(names[::2], names[1::2], strict=True)
        return gone


def _member(app: str, user: str, connection: str) -> str:
    return f"{app}\n{user}\n{connection}"


def _fields(flat: list[bytes]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _view(user: str, fields: Fields, now: int) -> Presence:
    seen = fields.get(b"seen")
    mode = fields.get(b"mode", b"online").decode()
    text = fields.get(b"text", b"").decode() or None
    return view(user, mode, text, None if seen is None else int(seen), _alive(fields, now))


def _alive(fields: Fields, now: int) -> list[tuple[str, bool]]:
    """(device, away) of Connections that have not run out."""
    alive = []
    for name, entry in fields.items():
        if name.startswith(b"c:"):
            device, away, expires = entry.decode().rsplit("\n", 2)
            if int(expires) > now:
                alive.append((device, away == "1"))
    return alive
