"""The product as a subprocess: started, killed and started again like in real life."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from tests.ports import free_port
from tests.said import Said

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
TESTS_OWN = "TOKENIM_TEST_"
"""Variables for the tests; a server refuses what it does not know."""
UNHURRIED = {"TOKENIM_GATEWAY_CONNECT_TIMEOUT_MS": "60000"}
"""A page may be slow to get its token."""
ROOT = Path(__file__).parents[2]


class Server:
    """One `tokenim serve --dev`, on the same port whenever it is started."""

    def __init__(
        self,
        data_dir: Path,
        *,
        module: str = "signaling",
        options: tuple[str, ...] = (),
        folder: Path = ROOT,
        **env: str,
    ) -> None:
        # passed in
        self._data_dir = data_dir
        self._module = module
        self._options = options
        self._folder = folder
        ours = {key: text for key, text in os.environ.items() if not key.startswith(TESTS_OWN)}
        self.env = {**ours, **UNHURRIED, "TOKENIM_MEDIA_PORT": "0", **env}
        """Of the next start."""
        # made here
        self._process: subprocess.Popen[str] | None = None
        self._lines: list[str] = []
        self._said = Said(f"the server in {data_dir}")
        self._port = 0
        self.url = ""

    def start(self) -> None:
        """Start and wait until it says where it listens. Raises RuntimeError with its output."""
        self._port = self._port or free_port()
        command = [sys.executable, "-m", self._module, "serve", "--dev", "--port", str(self._port)]
        process = self._process = subprocess.Popen(
            [*command, "--data-dir", str(self._data_dir), *self._options],
            cwd=self._folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # One for each process: the reader of the last may still be at its end.
        listening: Future[str] = Future()
        threading.Thread(target=self._read, args=(process, listening), daemon=True).start()
        try:
            self.url = listening.result(START_TIMEOUT_S)
        except (EOFError, TimeoutError):
            self.kill()
            raise RuntimeError("the server did not start:\n" + self.output) from None

    def kill(self) -> None:
        """SIGKILL: no chance to say goodbye."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(STOP_TIMEOUT_S)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL for a process that will not."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    async def ended(self) -> None:
        """Wait until the process is gone by itself. Raises TimeoutExpired."""
        if self._process is not None:
            await asyncio.to_thread(self._process.wait, START_TIMEOUT_S)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """0 after an orderly end, None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def output(self) -> str:
        """Everything it printed."""
        return "".join(self._lines)

    def _read(self, process: "subprocess.Popen[str]", listening: "Future[str]") -> None:
        assert process.stdout is not None
        self._said.over = False
        for line in process.stdout:
            self._lines.append(line)
            self._said.hear(line)
            found = re.search(r"TokenIM is at (https?://127\.0\.0\.1:\d+)", line)
            if found and not listening.done():
                listening.set_result(found[1])
        process.stdout.close()
        self._said.over = True
        if not listening.done():
            listening.set_exception(EOFError())
