"""Which pages may connect for an App: its own allow-list, inside the server's `gateway.origins`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from signaling.errors import Refused
from signaling.gateway.origins import allowed
from signaling.model import App, Identity
from signaling.ports import Hooks, Remote


class OriginHooks:
    """The node's Hooks, for pages that the caller's App lists in its `origins` setting.

    An App without the setting allows every page that the server does; clients that are no browser
    send no origin and are not asked.
    """

    def __init__(self, hooks: Hooks, app: Callable[[str], Awaitable[App]]) -> None:
        # passed in
        self._hooks = hooks
        self._app = app
        """An App by its id; raises Refused."""
        # no layer where there is nothing to add
        self.opened, self.request, self.closed = hooks.opened, hooks.request, hooks.closed

    async def authenticate(self, auth: Mapping[str, Any], remote: Remote) -> Identity:
        """See Hooks; the App is known only after its token was read."""
        who = await self._hooks.authenticate(auth, remote)
        if remote.origin is None:
            return who
        origins = (await self._app(who.app)).settings.get("origins")
        if origins is not None and not allowed(remote.origin, origins):
            await self.closed(who, "forbidden")
            raise Refused("forbidden", f"this app does not allow pages of {remote.origin[:200]}")
        return who
