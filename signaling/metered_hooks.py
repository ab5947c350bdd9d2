"""The Hooks of a node, as many Connections as the app's plan allows."""

from collections.abc import Mapping
from typing import Any

from signaling.errors import Refused
from signaling.model import Identity
from signaling.ports import Hooks, Remote
from signaling.services.quota import Quota

REASON = "quota_exceeded"


class MeteredHooks:
    """Counts Connections from their authentication to their end."""

    def __init__(self, hooks: Hooks, quota: Quota) -> None:
        # passed in
        self._hooks = hooks
        self._quota = quota
        # no layer where there is nothing to add
        self.opened, self.request = hooks.opened, hooks.request

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """See Hooks. Raises Refused quota_exceeded too."""
        who = await self._hooks.authenticate(auth, remote)
        try:
            self._quota.connect(who.app)
        except Refused:
            await self._hooks.closed(who, REASON)
            raise
        return who

    async def closed(self, who: Identity, reason: str) -> None:
        """See Hooks."""
        self._quota.disconnect(who.app)
        await self._hooks.closed(who, reason)
