"""The running server against its own OpenAPI document, as schemathesis reads it: all checks."""

import asyncio
import sys
from pathlib import Path

import pytest

from signaling.app import Process
from tests.conftest import MakeProcess

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 5
ALL = ("admin", "operator", "read", "tokens", "write")


@pytest.fixture
async def process(make_process: MakeProcess) -> Process:
    return await make_process(**{"limits.rest_rate": 100_000, "limits.address_rate": 100_000})


async def run(process: Process, *arguments: str) -> None:
    """Raises AssertionError with what was found."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG)]
    command += ["run", f"{process.url}/openapi.json", "--max-examples", str(EXAMPLES), *arguments]
    running = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=process._settings.storage.data_dir,  # it leaves a cache where it runs
    )
    try:
        output, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0, output.decode()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_an_apps_server_may_ask(process: Process) -> None:
    issued = await process.registry.create_key("demo", "checks", ALL)
    await run(process, "--auth", f"{issued.key.id}:{issued.secret}", "--include-tag", "management")


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_a_user_may_ask(process: Process) -> None:
    issued = await process.registry.create_key("demo", "checks", ALL)
    token = await process.guarding.tokens.mint(issued.key.id, "ann")
    header = f"Authorization: Bearer {token}"
    await run(process, "--header", header, "--exclude-tag", "management")
