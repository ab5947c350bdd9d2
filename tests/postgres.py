"""A PostgreSQL cluster of our own, in a temporary directory, on an ephemeral port."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
START_TIMEOUT_S = 30


class Cluster:
    """Starts at once; `database(name)` makes an empty database and gives its URL."""

    def __init__(self) -> None:
        """Raises RuntimeError where PostgreSQL is not installed or will not start."""
        if not BINARIES:
            raise RuntimeError("PostgreSQL is not installed")
        self._bin = BINARIES[-1]
        self._home = Path(tempfile.mkdtemp(prefix="tokenim-pg-"))
        self._data = self._home / "data"
        self.port = _free_port()
        if os.geteuid() == 0:
            os.chown(self._home, *_postgres_ids())
        self._run("initdb", "-D", str(self._data), "-U", "tokenim", "-A", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        """Listen on 127.0.0.1 only."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self._home} -c max_connections=60"
        log = str(self._home / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "tokenim", name)
        return f"postgresql+asyncpg://tokenim@127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        """Stop and remove."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self._home)

    def _run(self, program: str, *args: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *args],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=START_TIMEOUT_S,
            cwd=self._home,
            **_as_postgres(),
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")


def _as_postgres() -> dict[str, int]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user, group = _postgres_ids()
    return {"user": user, "group": group}


def _postgres_ids() -> tuple[int, int]:
    entry = pwd.getpwnam("postgres")
    return entry.pw_uid, entry.pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
