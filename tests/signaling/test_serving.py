"""A process that serves, from its first signal to its last."""

import subprocess
import sys
from pathlib import Path

SERVING = """
import asyncio, gc, os, signal, sys
from pathlib import Path
from signaling import dev, serving
from signaling.config import load

def announce(urls):
    print(gc.get_freeze_count(), len(gc.get_objects()))
    os.kill(os.getpid(), signal.SIGTERM)

env = {"TOKENIM_DATA_DIR": sys.argv[1], "TOKENIM_MEDIA_ENABLED": "false"}
settings = dev.with_secrets(load(env=env, options={"dev.enabled": True, "http.port": 0}))
asyncio.run(serving.serve(settings, announce))
"""


def test_garbage_is_not_looked_for_in_what_stays(tmp_path: Path) -> None:
    """A look at everything a process consists of would keep every request waiting."""
    command = [sys.executable, "-c", SERVING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    spared, looked_at = map(int, done.stdout.split())
    assert spared > 100_000
    assert looked_at < 10_000
