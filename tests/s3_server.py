"""A SeaweedFS of our own on free ports: an object store that people run, speaking S3."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.conftest import required
from tests.ports import free_ports

START_TIMEOUT_S = 120.0
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "only for tests"}
_PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)


class S3Server:
    """Everything it keeps is in `folder`."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("weed") or shutil.which(
            "weed", path=str(Path(sys.executable).parent)
        )
        if program is None:
            required("weed, which is SeaweedFS")
        self._program = str(program)
        self._folder = folder
        self._ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Where it speaks S3."""
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    def start(self) -> None:
        """Return when it can be written to. Raises RuntimeError with what it said instead."""
        data, config = self._folder / "data", self._folder / "s3.json"
        data.mkdir()
        config.write_text(json.dumps(_config()))
        command = [self._program, "server", "-s3", f"-dir={data}", f"-s3.config={config}"]
        command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.iam=false"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0"]
        command += ["-volume.max=20", "-master.volumeSizeLimitMB=64"]
        command += [f"-{name}={port}" for name, port in self._ports.items()]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._writable():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text()[-4000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            self._process = None

    def _writable(self) -> bool:
        """It is well seconds before there is a volume: nothing can be put until then."""
        master = f"http://127.0.0.1:{self._ports['master.port']}"
        return _is_ok(f"{self.endpoint}/healthz") and _is_ok(f"{master}/dir/assign")


def _is_ok(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _config() -> dict[str, object]:
    key = {"accessKey": KEYS["aws_access_key_id"], "secretKey": KEYS["aws_secret_access_key"]}
    actions = ["Admin", "Read", "Write", "List"]
    return {"identities": [{"name": "test", "credentials": [key], "actions": actions}]}
