"""An echo bot. TOKEN=… python examples/echo_bot.py [alias]"""

import asyncio
import os
import sys

from signaling.client import Client


async def main(alias: str) -> None:
    """Join the conversation with this alias and answer every text but our own."""
    url = os.environ.get("TOKENIM_URL", "http://127.0.0.1:8080")
    async with Client(url, os.environ["TOKEN"], device="echo-bot") as client:
        joined = await client.request("conversation:join", alias=alias, create=True)
        print("listening in", joined["conversation"]["id"], flush=True)
        async for event in client.events():
            if event["type"] != "message:created" or event["sender"] == client.session["user"]:
                continue
            if event["kind"] == "text":
                said = event["body"]["text"]
                await client.send(event["conversation"], {"text": said}, reply_to=event["seq"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "lobby"))
