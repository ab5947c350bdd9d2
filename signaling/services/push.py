"""Web Push as clients ask for it: which browsers of a user may be woken."""

from collections.abc import Callable
from typing import Any

from signaling.model import Identity
from signaling.outbox.push import Subscriptions
from signaling.outbox.push_collector import subscription_of
from signaling.ports import Clock
from signaling.protocol.push import PushKey, PushSubscribe, PushUnsubscribe

BROWSERS_MAX = 20
"""Of one user; a further one replaces the oldest."""


class PushService:
    """Answers `push:*`."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        public: Callable[[str], str],
        check_keys: Callable[[str, str], None],
        clock: Clock,
    ) -> None:
        # passed in
        self._subscriptions = subscriptions
        self._public = public
        self._check_keys = check_keys
        self._clock = clock

    async def key(self, who: Identity, _request: PushKey) -> dict[str, Any]:
        """`push:key`: `{key}`, the app's public key."""
        return {"key": self._public(who.app)}

    async def subscribe(self, who: Identity, request: PushSubscribe) -> dict[str, Any]:
        """`push:subscribe`: `{subscription}`. Raises Refused bad_request for impossible keys."""
        keys = request.keys
        self._check_keys(keys.p256dh, keys.auth)
        made = subscription_of(
            who.app,
            who.user,
            who.device,
            request.endpoint,
            keys.p256dh,
            keys.auth,
            self._clock(),
        )
        await self._subscriptions.put(made, BROWSERS_MAX)
        return {"subscription": made.id}

    async def unsubscribe(self, who: Identity, request: PushUnsubscribe) -> dict[str, Any]:
        """`push:unsubscribe`: `{removed}`."""
        removed = await self._subscriptions.remove(who.app, who.user, request.endpoint)
        return {"removed": removed}
