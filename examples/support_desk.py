"""A support desk: who writes to it gets a conversation with the agent who has the least to do.

TOKEN=… AGENTS=bob,eve python examples/support_desk.py     (agents end a case with /close)
"""

import asyncio
import os
from collections import Counter
from typing import Any

from signaling.client import Client

AGENTS = os.environ.get("AGENTS", "bob").split(",")


class Desk:
    """A case is a group of the customer, an agent and the desk, which owns it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cases: Counter[str] = Counter()

    async def heard(self, event: dict[str, Any]) -> None:
        """A text by somebody else, in private or in a case."""
        where, who, text = event["conversation"], event["sender"], event["body"]["text"]
        about = (await self.client.request("conversation:get", conversation=where))["conversation"]
        if about["type"] == "direct" and who not in AGENTS:
            agent = await self.open(who, text, f"case-{event['id']}")
            await self.client.send(where, {"text": f"{agent} will answer you."})
        elif text == "/close" and who in AGENTS:
            self.cases[who] -= 1
            await self.client.send(where, {"text": "This case is closed."})
            await self.client.request("conversation:archive", conversation=where, scope="all")

    async def open(self, customer: str, text: str, client_id: str) -> str:
        """The agent. Asked again, the same client_id gives the same case."""
        watched = (await self.client.request("presence:watch", users=AGENTS))["users"]
        online = [agent["user"] for agent in watched if agent["status"] == "online"]
        agent = min(online or AGENTS, key=lambda name: self.cases[name])
        self.cases[agent] += 1
        case = {"type": "group", "title": f"Case of {customer}", "members": [customer, agent]}
        made = await self.client.request("conversation:create", client_id=client_id, **case)
        await self.client.send(made["conversation"]["id"], {"text": text}, mentions=[agent])
        return agent


async def main() -> None:
    """Listen until stopped."""
    url = os.environ.get("TOKENIM_URL", "http://127.0.0.1:8080")
    async with Client(url, os.environ["TOKEN"], device="desk") as client:
        desk, me = Desk(client), client.session["user"]
        print(me, "is open", flush=True)
        async for event in client.events():
            if event["type"] == "message:created" and event["sender"] != me:
                await desk.heard(event)


asyncio.run(main())
