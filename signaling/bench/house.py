"""A server in its own process, on one core, in a directory of its own."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

START_TIMEOUT_S = 30
UNLIMITED = {"TOKENIM_LIMITS_APP_RATE": "0", "TOKENIM_LIMITS_ADDRESS_REQUEST_RATE": "0"}
"""All the load is one app's, and comes from one address."""


class House:
    """`with House() as house`: serves in dev mode while it lasts; `house.url`."""

    def __init__(self, core: int | None = None, env: dict[str, str] | None = None) -> None:
        self._core = core
        self._env = env or {}
        self.directory = Path(tempfile.mkdtemp(prefix="tokenim-bench-"))
        self.process: subprocess.Popen[str] | None = None
        self.url = ""

    def __enter__(self) -> "House":
        self.start()
        return self

    def start(self) -> float:
        """Seconds from the start of the process to listening."""
        began = time.perf_counter()
        command = [sys.executable, "-m", "signaling", "serve", "--dev", "--port", "0"]
        env = {**os.environ, "TOKENIM_MEDIA_PORT": "0", **UNLIMITED, **self._env}
        self.process = subprocess.Popen(  # noqa: S603  this program
            [*command, "--data-dir", str(self.directory)],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if self._core is not None:
            os.sched_setaffinity(self.process.pid, {self._core})
        self.url = self._listening(began)
        return time.perf_counter() - began

    def _listening(self, began: float) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        said = ""
        while time.perf_counter() - began < START_TIMEOUT_S:
            line = self.process.stdout.readline()
            said += line
            found = re.search(r"https?://[\w.:\[\]-]+", line)
            if found:
                return found.group()
            if not line:
                break
        raise RuntimeError(f"the server did not start: {said}")

    def cpu_s(self) -> float:
        """Processor seconds the server has used."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def many_sockets(count: int) -> None:
    """Let this process open so many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
