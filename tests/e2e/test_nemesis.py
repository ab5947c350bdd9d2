"""Whatever breaks, whenever: what was acked is in everyone's log, once, in order.

TOKENIM_TEST_SEED repeats a run, TOKENIM_TEST_SENDS (default 24 a device) makes longer ones.
"""

import asyncio
import contextlib
import json
import os
import random
import resource
import signal
import sqlite3
import struct
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signaling.check_history import check
from tests.e2e.meddler import Meddler
from tests.e2e.nemesis import Device
from tests.e2e.server import Server
from tests.postgres import BINARIES, Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

USERS = ("ann", "bob", "cat")
SENDS = int(os.environ.get("TOKENIM_TEST_SENDS", "24"))
TIMES = 2
"""How often the nemesis strikes in a run."""
FREELY = {
    "TOKENIM_LIMITS_CONNECTION_RATE": "0",
    "TOKENIM_LIMITS_USER_RATE": "0",
    "TOKENIM_LIMITS_ADDRESS_RATE": "0",
    "TOKENIM_MEDIA_ENABLED": "false",
}
DAY_S = 86_400
NOTICED_S = 120


class Run:
    """People who write while something goes wrong, and what they wrote down."""

    def __init__(self, server: Server, directory: Path) -> None:
        # passed in
        self.server = server
        self._directory = directory
        # made here
        self.seed = int(os.environ.get("TOKENIM_TEST_SEED", random.randrange(2**32)))
        self.chance = random.Random(self.seed)
        self.devices: list[Device] = []
        self._struck = asyncio.Event()
        print(f"TOKENIM_TEST_SEED={self.seed}")

    async def against(
        self, strike: Callable[["Run"], Awaitable[None]], through: Any = None
    ) -> None:
        """Everyone writes while `strike` happens TIMES; then all is compared."""
        self.devices = [
            Device(
                user,
                through or self.server,
                self._path(user),
                self.seed + n,
                faithful=through is None,
            )
            for n, user in enumerate(USERS)
        ]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._strikes(strike))
                for device in self.devices:
                    group.create_task(self._live(device))
            for device in self.devices:
                await device.catch_up()
            for device in self.devices:
                await device.testify()
        finally:
            for device in self.devices:
                device.close()
        self._compare()

    async def _live(self, device: Device) -> None:
        """Go on for as long as the nemesis needs: it is to find everyone writing."""
        names = [await device.join(alias) for alias in ("one", "two")]
        while device.sent < SENDS or not self._struck.is_set():
            await device.send(names[device.sent % 2])
            if device.sent % 20 == 0:
                await device.catch_up()

    async def _strikes(self, strike: Callable[["Run"], Awaitable[None]]) -> None:
        for _ in range(TIMES):
            for _ in range(self.chance.randrange(2, max(3, SENDS // (TIMES + 1)))):
                await self.devices[0].acked.acquire()
            await strike(self)
        self._struck.set()

    async def refused(self) -> None:
        """Wait until somebody was not served."""
        refused = self.devices[0].refused
        while not refused.locked():
            await refused.acquire()
        async with asyncio.timeout(NOTICED_S):
            await refused.acquire()

    def _path(self, user: str) -> Path:
        return self._directory / f"{user}.jsonl"

    def _compare(self) -> None:
        lines = [line for user in USERS for line in self._path(user).read_text().splitlines()]
        records = [json.loads(line) for line in lines]
        report = check(records)
        print(f"{report} (seed {self.seed})")
        assert report.good, report.problems
        assert report.acked == sum(device.sent for device in self.devices)
        assert str(report) == f"{report.acked} acked, 0 lost, 0 duplicated, 0 reordered"
        assert report.heard > 0
        _everyone_has_read_all(records)


def _everyone_has_read_all(records: list[dict[str, Any]]) -> None:
    """The last marks of everybody, as everybody has them, are the head."""
    heads = {one["conversation"]: len(one["events"]) for one in records if one["kind"] == "log"}
    marks = {
        (one["device"], one["user"], one["conversation"]): (one["delivered"], one["read"])
        for one in records
        if one["kind"] == "receipt"
    }
    devices = [f"{user}/phone" for user in USERS]
    assert marks == {
        (device, user, name): (head, head)
        for device in devices
        for user in USERS
        for name, head in heads.items()
    }


@contextlib.contextmanager
def served(data_dir: Path, **options: str) -> Iterator[Server]:
    """A server while it lasts."""
    server = Server(data_dir, **options, **FREELY)
    try:
        server.start()
        yield server
    finally:
        server.stop()


async def test_sigkill_loses_nothing(tmp_path: Path) -> None:
    async def strike(run: Run) -> None:
        run.server.kill()
        await asyncio.to_thread(run.server.start)

    with served(tmp_path / "data") as server:
        await Run(server, tmp_path).against(strike)


async def test_sigkill_between_commit_and_ack_loses_and_doubles_nothing(tmp_path: Path) -> None:
    died = []

    async def strike(run: Run) -> None:
        run.server.kill()
        run.server.env["CURSED_AFTER"] = str(run.chance.randrange(1, 6))
        await asyncio.to_thread(run.server.start)
        await run.server.ended()
        died.append(run.server.exit_code)
        del run.server.env["CURSED_AFTER"]
        await asyncio.to_thread(run.server.start)

    with served(tmp_path / "data", module="tests.e2e.cursed") as server:
        await Run(server, tmp_path).against(strike)
    assert died == [-signal.SIGKILL] * TIMES


async def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    async def strike(run: Run) -> None:
        ballast = disk / "ballast"
        await asyncio.to_thread(_fill, ballast)
        await run.refused()
        ballast.unlink()

    with small_disk(tmp_path / "disk") as disk, served(disk / "data") as server:
        await Run(server, tmp_path).against(strike)


async def test_a_file_that_may_not_grow_loses_nothing(tmp_path: Path) -> None:
    """Also a full disk, of the other errno: EFBIG, as with a quota on file sizes."""

    async def strike(run: Run) -> None:
        pid = run.server.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        await run.refused()
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    with served(tmp_path / "data") as server:
        await Run(server, tmp_path).against(strike)


async def test_a_locked_database_loses_nothing(tmp_path: Path) -> None:
    async def strike(run: Run) -> None:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        await run.refused()
        await asyncio.to_thread(other.execute, "ROLLBACK")

    with served(tmp_path / "data") as server:
        path = tmp_path / "data" / "tokenim.db"
        with contextlib.closing(
            sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        ) as other:
            await Run(server, tmp_path).against(strike)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL of our own."""
    if not BINARIES and not os.environ.get("CI"):
        pytest.skip("PostgreSQL is not installed")
    with contextlib.closing(Cluster()) as made:
        yield made


async def test_a_postgresql_that_crashes_loses_nothing(tmp_path: Path, cluster: Cluster) -> None:
    async def strike(run: Run) -> None:
        await asyncio.to_thread(cluster.stop)
        await run.refused()
        await asyncio.to_thread(cluster.start)

    url = await asyncio.to_thread(cluster.database, "crashes")
    with served(tmp_path / "data", TOKENIM_DATABASE_URL=url) as server:
        await Run(server, tmp_path).against(strike)


async def test_sigkill_of_a_server_on_postgresql_loses_nothing(
    tmp_path: Path, cluster: Cluster
) -> None:
    async def strike(run: Run) -> None:
        run.server.kill()
        await asyncio.to_thread(run.server.start)

    url = await asyncio.to_thread(cluster.database, "kills")
    with served(tmp_path / "data", TOKENIM_DATABASE_URL=url) as server:
        await Run(server, tmp_path).against(strike)


async def test_repeated_and_delayed_frames_double_nothing(tmp_path: Path) -> None:
    async def strike(_: Run) -> None:
        """The network is bad all the time."""

    with served(tmp_path / "data") as server:
        run = Run(server, tmp_path)
        meddler = Meddler(server.url, run.seed)
        await meddler.start()
        try:
            await run.against(strike, through=meddler)
        finally:
            await meddler.close()
        assert meddler.repeated > SENDS / 10


async def test_a_clock_that_steps_loses_nothing(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<q", 0))

    async def strike(run: Run) -> None:
        step_s = run.chance.choice((-3600, -5, 5, 3600, 2 * DAY_S, -2 * DAY_S))
        print(f"clock {step_s:+} s")
        hands.seek(0)
        hands.write(struct.pack("<q", step_s))

    with (
        clock.open("r+b", buffering=0) as hands,  # at once: a clock that is empty has no time
        served(tmp_path / "data", module="tests.e2e.cursed", CURSED_CLOCK=str(clock)) as server,
    ):
        await Run(server, tmp_path).against(strike)


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[Path]:
    """A file system of 32 MB; needs root."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tokenim", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("may not mount; see test_a_file_that_may_not_grow_loses_nothing")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
