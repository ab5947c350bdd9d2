"""A PostgreSQL cluster of our own, in a temporary directory, on a free port."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.memory import memory
from tests.ports import free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
START_TIMEOUT_S = 120
MEMORY_MIN_BYTES = 2 << 30


class Cluster:
    """Starts at once; `database(name)` makes an empty database and gives its URL."""

    def __init__(self) -> None:
        """Raises RuntimeError where PostgreSQL is not installed or will not start."""
        if not BINARIES:
            raise RuntimeError("PostgreSQL is not installed")
        self._bin = BINARIES[-1]
        self._home = Path(tempfile.mkdtemp(prefix="tokenim-pg-", dir=memory(MEMORY_MIN_BYTES)))
        self._data = self._home / "data"
        self.port = free_port()
        if os.geteuid() == 0:
            os.chown(self._home, *_postgres_ids())
        self._run("initdb", "-D", str(self._data), "-U", "tokenim", "-A", "trust", "--no-sync")
        self.start()

    def start(self) -> None:
        """Listen on 127.0.0.1 only."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self._home} -c max_connections=60"
        options += " -c fsync=off -c max_wal_size=128MB"
        log = str(self._home / "log")
        wait = ["-w", "-t", str(START_TIMEOUT_S)]
        self._run("pg_ctl", "-D", str(self._data), *wait, "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def database(self, name: str, like: str = "template1") -> str:
        """The URL of a new database: empty, or a copy of another. One of that name is dropped."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "tokenim", "-d", "postgres"]
        old, new = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}"
        self._run("psql", *where, "-q", "-c", old, "-c", f"{new} TEMPLATE {like}")
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
            timeout=2 * START_TIMEOUT_S,
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
