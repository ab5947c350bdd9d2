"""Whatever is killed, whenever: what was acked is in everyone's log, once, in order."""

import asyncio
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from signaling.check_history import check
from tests.e2e.nemesis import Device
from tests.e2e.server import Server

USERS = ("ann", "bob", "cat")
KILLS = 3
SENDS = 60
FREELY = {
    "TOKENIM_LIMITS_CONNECTION_RATE": "0",
    "TOKENIM_LIMITS_USER_RATE": "0",
    "TOKENIM_LIMITS_ADDRESS_RATE": "0",
    "TOKENIM_MEDIA_ENABLED": "false",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "data", **FREELY)
    made.start()
    yield made
    made.stop()


@pytest.mark.e2e
@pytest.mark.timeout(180)
async def test_sigkill_loses_nothing(server: Server, tmp_path: Path) -> None:
    seed = int(os.environ.get("TOKENIM_TEST_SEED", random.randrange(2**32)))
    print(f"TOKENIM_TEST_SEED={seed}")
    chance = random.Random(seed)
    devices = [
        Device(user, server, tmp_path / f"{user}.jsonl", seed + n) for n, user in enumerate(USERS)
    ]
    talks = [[await device.join(alias) for alias in ("one", "two")] for device in devices]
    acked = asyncio.Semaphore(0)

    async def live(device: Device, names: list[str]) -> None:
        for n in range(SENDS):
            await device.send(names[n % len(names)])
            acked.release()
            if n % 20 == 19:
                await device.catch_up()

    async def nemesis() -> None:
        for _ in range(KILLS):
            for _ in range(chance.randrange(10, 40)):
                await acked.acquire()
            server.kill()
            await asyncio.to_thread(server.start)

    await asyncio.gather(nemesis(), *(live(*pair) for pair in zip(devices, talks, strict=True)))
    for device in devices:
        await device.catch_up()
        await device.testify()
        device.close()
    lines = [
        line
        for user in USERS
        for line in (await asyncio.to_thread((tmp_path / f"{user}.jsonl").read_text)).splitlines()
    ]
    report = check(json.loads(line) for line in lines)
    print(f"{report} (seed {seed})")
    assert report.good, report.problems
    assert report.acked == SENDS * len(USERS)
    assert str(report) == f"{report.acked} acked, 0 lost, 0 duplicated, 0 reordered"
