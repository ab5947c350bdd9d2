"""A stock Socket.IO client that writes down everything it is told, in order."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import socketio

from tests.fitting import check_answer, check_event

TIMEOUT_S = 45.0


class RequestRefused(Exception):
    """An ack with `ok: false`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: str = error["code"]


class WireClient:
    """One Device. `told` is every event since it connected, as (name, payload)."""

    def __init__(self, url: str, user: str, device: str = "phone", token: str = "") -> None:
        self.url = url
        self.user = user
        self.device = device
        self.token = token
        self.ready: dict[str, Any] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        self._news = asyncio.Event()
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("*", self._on_event)
        self.disconnected = asyncio.Event()
        self._socket.on("disconnect", self._on_disconnect)

    async def connect(self, cursor: str | None = None, transport: str = "websocket") -> WireClient:
        """Return when `session:ready` is here."""
        if not self.token:
            self.token = await asyncio.to_thread(demo_token, self.url, self.user)
        auth = {"token": self.token, "device": self.device, "cursor": cursor}
        if transport == "polling":  # else it takes five seconds of silence for an end
            self._socket.eio.request_timeout = TIMEOUT_S
        await self._socket.connect(
            self.url, auth=auth, transports=[transport], wait_timeout=TIMEOUT_S
        )
        self.ready = await self.until("session:ready")
        return self

    async def close(self) -> None:
        """Say goodbye. Raises AssertionError where something that was told is not as published."""
        await self._socket.disconnect()
        for name, data in self.told:
            check_event(name, data)

    async def _on_event(self, name: str, data: dict[str, Any]) -> None:
        self.told.append((name, data))
        self._news.set()

    async def _on_disconnect(self, *_: Any) -> None:
        self.disconnected.set()

    async def request(self, event: str, **payload: Any) -> dict[str, Any]:
        """The ack. Raises RequestRefused."""
        ack = await self._socket.call(event, payload, timeout=TIMEOUT_S)
        if not ack["ok"]:
            raise RequestRefused(ack["error"])
        check_answer(event, {name: field for name, field in ack.items() if name != "ok"})
        return dict(ack)

    def all(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """Every event of a name so far whose payload has these fields."""
        return [
            data
            for name, data in self.told
            if name == event and all(data.get(key) == value for key, value in fields.items())
        ]

    async def until(
        self,
        event: str,
        count: int = 1,
        where: Callable[[dict[str, Any]], bool] = lambda _: True,
        timeout_s: float = TIMEOUT_S,
        **fields: Any,
    ) -> dict[str, Any]:
        """The `count`th such event, waiting for it."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = [data for data in self.all(event, **fields) if where(data)]
                    if len(found) >= count:
                        return found[count - 1]
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            names = [name for name, _ in self.told]
            raise AssertionError(f"{self.user} was not told {event} {fields}: {names}") from None


def demo_token(url: str, user: str) -> str:
    """A guest's token of a development server."""
    body = json.dumps({"user": user, "name": user.title()}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/demo/token", body, headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        return str(json.load(response)["token"])
