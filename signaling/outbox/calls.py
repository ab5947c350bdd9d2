"""Calls for webhooks, while they ring and go on; how they ended is in the log."""

from collections.abc import Callable

from signaling.outbox.news import News, NewsStore
from signaling.services.call_state import Call


class CallNews:
    """Tells `call:ringing` once a call and `call:changed` as it moves on."""

    def __init__(self, store: NewsStore, wanted: Callable[[str, str], bool]) -> None:
        # passed in
        self._store = store
        self._wanted = wanted

    async def watch(self, event: str, call: Call) -> None:
        """What a CallHost tells its watchers."""
        if not self._wanted(call.app, event):
            return
        await self._store.put(
            News(
                app=call.app,
                type=event,
                line=f"call:{call.conversation}",
                subject=call.id,
                data={"conversation": call.conversation, "call": call.to_wire()},
            )
        )
