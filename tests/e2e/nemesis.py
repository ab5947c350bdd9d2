"""A device that sends, resends and reads by the rules, and writes down what happens to it."""

import asyncio
import json
import random
from http.client import HTTPException
from pathlib import Path
from typing import Any

from signaling.bench.wire import Client, token

CONFUSED = (ConnectionError, HTTPException, OSError, RuntimeError, TimeoutError)


class Device:
    """Lives through any number of connections. Everything it learns goes to `path`."""

    def __init__(
        self, user: str, server: Any, path: Path, seed: int, *, faithful: bool = True
    ) -> None:
        # passed in
        self._faithful = faithful
        """Whether the network leaves alone what the server sends."""
        self.name = f"{user}/phone"
        self._user = user
        self._server = server
        """Where it connects to: something with a `url`."""
        # made here
        self._random = random.Random(seed)
        self._file = path.open("w")
        self._client: Client | None = None
        self._connects = 0
        self._known: dict[str, int] = {}
        self.sent = 0
        self.acked = asyncio.Semaphore(0)
        """Released for each message that was acked."""
        self.refused = asyncio.Semaphore(0)
        """Released each time it was not served: told so, or not told in time."""

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.close()
        self._file.close()

    async def connect(self) -> Client:
        """The live connection, made anew as often as it takes."""
        while self._client is None or self._client.closed:
            try:
                auth = {"token": await self._token(), "device": "phone"}
                self._connects += 1
                self._client = await Client.connect(self._server.url, auth, self._heard)
            except CONFUSED:
                self.refused.release()
                await asyncio.sleep(0.05)
        return self._client

    async def _token(self) -> str:
        return await asyncio.to_thread(token, self._server.url, self._user)

    async def insist(self, event: str, request: dict[str, Any]) -> dict[str, Any]:
        """Ask until it is answered, sometimes twice at once as a bad network would."""
        while True:
            client = await self.connect()
            try:
                if self._random.random() < 0.2:
                    client.ask(event, request).add_done_callback(_look)
                return await client.request(event, request)
            except CONFUSED as error:
                if "unauthorized" in str(error):
                    client.close()  # the token's time is over: come back with a new one
                elif "'code'" in str(error) and "'retryable': True" not in str(error):
                    raise
                self.refused.release()
                await asyncio.sleep(0.02)

    async def join(self, alias: str) -> str:
        """The conversation's id."""
        joined = await self.insist("conversation:join", {"alias": alias, "create": True})
        name = str(joined["conversation"]["id"])
        self._known.setdefault(name, 0)
        return name

    async def send(self, conversation: str) -> None:
        """One message, until it is acked."""
        self.sent += 1
        client_id = f"{self._user}-{self.sent}"
        body = {"text": f"{client_id} {self._random.random()}"}
        send = {"conversation": conversation, "client_id": client_id, "type": "text", "body": body}
        answer = await self.insist("message:send", send)
        self._write(
            "acked",
            conversation=conversation,
            client_id=client_id,
            seq=answer["seq"],
            id=answer["id"],
        )
        self.acked.release()

    async def catch_up(self) -> None:
        """Fill every gap from history, and say what has been read."""
        for conversation in self._known:
            while True:
                after = self._known[conversation]
                ask = {"conversation": conversation, "after": after, "limit": 100}
                page = await self.insist("history:get", ask)
                for event in page["events"]:
                    self._apply(event)
                if not page["events"] or self._known[conversation] >= page["head"]:
                    break
            read = {"conversation": conversation, "seq": max(1, self._known[conversation])}
            marks = await self.insist("receipt:read", read)
            self._mark(conversation, self._user, marks)

    async def testify(self) -> None:
        """Read the whole log and everyone's marks of each conversation and write them down."""
        for conversation in self._known:
            listed = await self.insist("member:list", {"conversation": conversation})
            for member in listed["members"]:
                self._mark(conversation, member["user"], member)
            events: list[dict[str, Any]] = []
            while True:
                after = events[-1]["seq"] if events else 0
                ask = {"conversation": conversation, "after": after, "limit": 200}
                page = await self.insist("history:get", ask)
                if not page["events"]:
                    break
                events += page["events"]
            fields = ("seq", "id", "client_id", "sender")
            kept = [{name: event.get(name) for name in fields} for event in events]
            self._write("log", conversation=conversation, events=kept)
        self._file.flush()

    def _heard(self, event: str, data: Any) -> None:
        if event == "receipt:updated":
            self._mark(data["conversation"], data["user"], data)
        elif isinstance(data, dict) and "seq" in data:
            which = {"connection": self._connects} if self._faithful else {}
            place = {"conversation": data["conversation"], "seq": data["seq"], "id": data["id"]}
            self._write("heard", **place, **which)
            self._apply(data)

    def _apply(self, event: dict[str, Any]) -> None:
        """The gap rule: the next one is applied, a known one dropped, a later one waits."""
        conversation = event["conversation"]
        if event["seq"] != self._known.get(conversation, -1) + 1:
            return
        self._known[conversation] = event["seq"]
        self._write("received", conversation=conversation, seq=event["seq"], id=event["id"])

    def _mark(self, conversation: str, user: str, marks: dict[str, Any]) -> None:
        self._write(
            "receipt",
            conversation=conversation,
            user=user,
            delivered=marks["delivered"],
            read=marks["read"],
        )

    def _write(self, kind: str, **fields: Any) -> None:
        record = {"kind": kind, "device": self.name, **fields}
        self._file.write(json.dumps(record) + "\n")


def _look(done: "asyncio.Future[Any]") -> None:
    """Its failure is the other one's too."""
    done.exception()
