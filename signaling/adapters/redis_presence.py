"""The PresenceManager in Redis, of Users that are here or were a moment ago; what outlives that is
in a PresenceStore. Times are Redis's own; keys:

presence:{app}:{user}   hash: mode, text, seen, and `c:{connection}` -> device, away, expiry. Goes
                        an hour after the last Connection was touched.
presence:expiry         sorted set: app, user and connection by lines -> when it runs out
"""

import logging
from collections.abc import Iterable, Sequence
from itertools import islice

from redis.asyncio import Redis

from signaling.adapters.presence_store import NotKept, PresenceStore
from signaling.adapters.presence_view import Kept, differs, view
from signaling.adapters.redis_client import answering, script
from signaling.errors import Refused
from signaling.model import Presence

log = logging.getLogger(__name__)

TTL_MS = 60_000
ROW_MS = 3_600_000
"""Of a user's hash: longer than a write to the store takes, so that who comes back meanwhile is as
they were.
"""
BATCH = 200
Fields = dict[bytes, bytes]


class RedisPresence:
    """Raises Refused unavailable when Redis does not answer."""

    def __init__(
        self,
        client: Redis,
        prefix: str,
        ttl_ms: int = TTL_MS,
        store: PresenceStore | None = None,
    ) -> None:
        # passed in
        self._client = client
        self._prefix = f"{prefix}presence:"
        self._ttl_ms = ttl_ms
        self._store = store or NotKept()
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
        keys = [self._key(app, user), self._expiry]
        args: list[str | int] = [connection, device, status, 0 if text is None else 1, text or ""]
        args += [self._ttl_ms, _member(app, user, connection), ROW_MS]
        with answering():
            said = await self._put(keys=keys, args=args)
        if not said:
            kept = (await self._store.read(app, [user])).get(user, Kept())
            args += [kept.mode, kept.text or "", "" if kept.last_seen is None else kept.last_seen]
            with answering():
                said = await self._put(keys=keys, args=args)
        return await self._changed(app, user, *said)

    async def remove(self, app: str, user: str, connection: str) -> bool:
        """One Connection went."""
        with answering():
            said = await self._remove(
                keys=[self._key(app, user), self._expiry],
                args=[connection, _member(app, user, connection)],
            )
        return await self._changed(app, user, *said)

    async def _changed(
        self, app: str, user: str, now: int, before: list[bytes], after: list[bytes]
    ) -> bool:
        """Whether others see a change; what outlives it is kept."""
        old, new = _fields(before), _fields(after)
        if new and _kept(new) != _kept(old):
            await self._keep(app, user, new)
        return differs(_view(user, old, now), _view(user, new, now))

    async def _keep(self, app: str, user: str, fields: Fields) -> None:
        try:
            await self._store.write(app, user, _kept(fields))
        except Refused as error:
            log.warning("cannot keep presence: %s", error.message)

    async def touch(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Unknown ones are passed over."""
        rest = iter(entries)
        while batch := list(islice(rest, BATCH)):
            keys = [self._expiry, *(self._key(app, user) for app, user, _ in batch)]
            args: list[str | int] = [self._ttl_ms, ROW_MS]
            for app, user, connection in batch:
                args += [connection, _member(app, user, connection)]
            with answering():
                await self._touch(keys=keys, args=args)

    async def get(self, app: str, users: Sequence[str]) -> list[Presence]:
        """One for each, in the same order; a stranger is offline."""
        now, rows = await self._read(app, users)
        others = [user for user, row in zip(users, rows, strict=True) if not row]
        kept = await self._store.read(app, others) if others else {}
        return [
            _view(user, row, now) if row else _offline(user, kept.get(user, Kept()))
            for user, row in zip(users, rows, strict=True)
        ]

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
        for app in dict.fromkeys(app for app, _ in gone):
            await self._keep_all(app, [user for of, user in gone if of == app])
        return gone

    async def _keep_all(self, app: str, users: Sequence[str]) -> None:
        _, rows = await self._read(app, users)
        for user, row in zip(users, rows, strict=True):
            if row:
                await self._keep(app, user, row)


def _member(app: str, user: str, connection: str) -> str:
    return f"{app}\n{user}\n{connection}"


def _fields(flat: list[bytes]) -> Fields:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _kept(fields: Fields) -> Kept:
    seen = fields.get(b"seen")
    return Kept(
        mode=fields.get(b"mode", b"online").decode(),
        text=fields.get(b"text", b"").decode() or None,
        last_seen=None if seen is None else int(seen),
    )


def _view(user: str, fields: Fields, now: int) -> Presence:
    kept = _kept(fields)
    return view(user, kept.mode, kept.text, kept.last_seen, _alive(fields, now))


def _offline(user: str, kept: Kept) -> Presence:
    return view(user, kept.mode, kept.text, kept.last_seen, ())


def _alive(fields: Fields, now: int) -> list[tuple[str, bool]]:
    """(device, away) of Connections that have not run out."""
    alive = []
    for name, entry in fields.items():
        if name.startswith(b"c:"):
            device, away, expires = entry.decode().rsplit("\n", 2)
            if int(expires) > now:
                alive.append((device, away == "1"))
    return alive
