"""Publishing is a hint, the log is the truth: losing the broker loses time, not messages."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.nodes import two_nodes
from tests.wire_client import WireClient

OUTAGE_S = 10.0


@pytest.mark.redis
@pytest.mark.slow
async def test_publishing_is_a_hint_and_the_log_is_the_truth(tmp_path: Path) -> None:
    """Redis dies for ten seconds while Ann on one node writes and Bob on the other listens."""
    with two_nodes(tmp_path) as nodes:
        ann = await WireClient(nodes.one.url, "ann").connect()
        bob = await WireClient(nodes.two.url, "bob").connect()
        joined = await ann.request("conversation:join", alias="hall", create=True)
        hall = joined["conversation"]["id"]
        await bob.request("conversation:join", conversation=hall)

        sent: list[int] = []

        async def send() -> None:
            n = len(sent)
            payload = {"type": "text", "body": {"text": str(n)}, "client_id": f"m{n}"}
            ack = await ann.request("message:send", conversation=hall, **payload)
            sent.append(ack["seq"])

        await send()
        await bob.until("message:created", seq=sent[-1])
        nodes.redis.kill()
        end = time.monotonic() + OUTAGE_S
        while time.monotonic() < end:
            await send()
            await asyncio.sleep(0.1)
        nodes.redis.start()
        for _ in range(20):
            await send()
        await bob.until("message:created", seq=sent[-1])
        await ann.until("message:created", seq=sent[-1])

        for who in (ann, bob):
            told = [event["seq"] for event in who.all("message:created", conversation=hall)]
            assert told == sent, f"{who.user}: lost, doubled or out of order"
        await ann.close()
        await bob.close()
