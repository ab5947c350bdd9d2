"""What people install: the wheel serves its own pages, and a checkout starts a second time."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.conftest import required
from tests.e2e.server import Server

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 240

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without the network, as pip unpacks it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *build]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if "hatchling" in done.stderr and "Cannot import" in done.stderr:
        required("hatchling is not installed")
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("tokenim-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as response:
        content: bytes = response.read()
        return content


def test_the_wheel_has_every_page(installed: Path) -> None:
    packed = installed / "signaling" / "_static"
    pages = {path.relative_to(ROOT / "static") for path in (ROOT / "static").rglob("*.js")}
    assert pages == {path.relative_to(packed) for path in packed.rglob("*.js")}
    migrations = "signaling/adapters/sql/migrations/versions"
    assert len(list((installed / migrations).glob("0*.py"))) > 10
    assert list(installed.glob("signaling/adapters/**/*.lua"))


def test_the_wheel_serves_its_own_pages(installed: Path, tmp_path: Path) -> None:
    page = installed / "signaling" / "_static" / "index.html"
    page.write_text(page.read_text() + "<!-- from the wheel -->")
    server = Server(tmp_path / "data", folder=tmp_path, PYTHONPATH=str(installed))
    try:
        server.start()
        assert fetched(server.url).endswith(b"<!-- from the wheel -->")
        for path in ("js/sdk/index.js", "css/base.css"):
            assert fetched(f"{server.url}/{path}") == (ROOT / "static" / path).read_bytes()
    finally:
        server.stop()
    assert server.exit_code == 0, server.output


def test_a_checkout_is_served_again(tmp_path: Path) -> None:
    env = {**os.environ, "TOKENIM_MEDIA_PORT": "0"}
    for _ in range(2):
        serving = subprocess.Popen(
            [ROOT / "scripts" / "serve", "--port", "0", "--data-dir", tmp_path / "data"],
            env=env,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert serving.stdout is not None
            found = re.search(r"TokenIM is at (http://\S+)", serving.stdout.readline())
            assert found is not None
            assert fetched(f"{found[1]}/healthz")
            serving.send_signal(signal.SIGTERM)
            serving.communicate(timeout=60)
            assert serving.returncode == 0
        finally:
            serving.kill()
            serving.communicate()
