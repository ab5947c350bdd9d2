"""A client for Python programs: bots, bridges, tests.

    async with Client("http://127.0.0.1:8080", token) as client:
        room = await client.request("conversation:join", alias="lobby", create=True)
        await client.send(room["conversation"]["id"], {"text": "hello"})
        async for event in client.events():
            ...

It resends until it is answered, fills gaps from history, and keeps its place in a `Store`.
"""

from signaling.client.client import Client
from signaling.client.store import MemoryStore, Store

__all__ = ["Client", "MemoryStore", "Store"]
