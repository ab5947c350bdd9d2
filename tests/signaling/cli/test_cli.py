"""The `tokenim` command, run as people and programs run it."""

import base64
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from signaling.addresses import lan_addresses
from tests.ports import free_port

KEY = "q4Jm8hZc1Yw0Tn5Rk2Xv7Pb3Ls9Dg6Fa+/="
TIMEOUT_S = 90

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A clean environment with a data directory of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOKENIM_")}
    return kept | {
        "TOKENIM_DATA_DIR": str(tmp_path / "data"),
        "TOKENIM_MASTER_KEY": KEY,
        "TOKENIM_MEDIA_PORT": "0",
        "TOKENIM_PORT": "0",
    }


def run(env: dict[str, str], *args: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "signaling", *args]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert (done.returncode != 0) == fails, done.stderr
    assert "Traceback" not in done.stderr
    return done


def answer(env: dict[str, str], *args: str) -> Any:
    return json.loads(run(env, *args, "--json").stdout)


@contextmanager
def serving(env: dict[str, str], *args: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    verb = () if args[:1] == ("sfu",) else ("serve",)
    command = [sys.executable, "-m", "signaling", *verb, *args]
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    try:
        line = process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found, process.stderr.read()
        yield found[0], process
    finally:
        process.kill()
        process.communicate(timeout=TIMEOUT_S)


def post(url: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        return json.load(response)


def get(url: str, key: str, secret: str) -> Any:
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        return json.load(response)


def test_apps_keys_and_tokens(env: dict[str, str]) -> None:
    made = answer(env, "app", "create", "Acme", "--id", "acme")
    assert made["app"] == "acme"
    assert answer(env, "app", "list")[0]["name"] == "Acme"
    key = answer(env, "key", "create", "acme", "--name", "server", "--scope", "tokens")
    assert key["scopes"] == ["tokens"]
    token = answer(env, "token", "--user", "alice", "--key", key["key"], "--lifetime", "10m")
    assert token["token"].count(".") == 2
    assert answer(env, "key", "revoke", key["key"])["revoked_at"] > 0
    refused = run(env, "token", "--user", "alice", "--key", key["key"], fails=True)
    assert "not_found" in refused.stderr


def test_a_name_or_the_only_key_will_do(env: dict[str, str]) -> None:
    first = answer(env, "app", "create", "Acme")
    assert answer(env, "token", "--user", "alice")["token"]
    second = answer(env, "key", "create", "Acme")
    assert second["app"] == first["app"]
    refused = run(env, "token", "--user", "alice", fails=True)
    assert first["key"] in refused.stderr
    assert second["key"] in refused.stderr
    other = answer(env, "app", "create", "Acme")
    refused = run(env, "key", "create", "Acme", fails=True)
    assert other["app"] in refused.stderr


def test_webhooks_and_their_dead_letters(env: dict[str, str]) -> None:
    run(env, "app", "create", "Acme", "--id", "acme")
    made = answer(env, "webhook", "create", "Acme", "https://hook.example/x", "--event", "call:*")
    assert len(made["secret"]) > 30
    (listed,) = answer(env, "webhook", "list", "acme")
    assert (listed["webhook"], listed["events"]) == (made["webhook"], "call:*")
    assert answer(env, "webhook", "dead", "acme") == []
    assert answer(env, "webhook", "replay", "acme") == {"replayed": 0}
    assert "not_found" in run(env, "webhook", "replay", "acme", "wd_1", fails=True).stderr
    assert answer(env, "webhook", "remove", "acme", made["webhook"])
    wrong = run(env, "webhook", "create", "acme", "ftp://x", fails=True)
    assert "bad_request" in wrong.stderr


def test_plans_and_usage(env: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "tokenim.toml"
    config.write_text("[plans.free]\nmessages = 100\n[plans.pro]\nmessages = 1000\n")
    env["TOKENIM_CONFIG"] = str(config)
    run(env, "app", "create", "Acme", "--id", "acme")
    assert [plan["plan"] for plan in answer(env, "plan", "list")] == ["free", "pro"]
    assert answer(env, "usage", "show", "acme")["plan"]["limits"]["messages"] == 100
    assert answer(env, "plan", "set", "acme", "pro") == {"app": "acme", "plan": "pro"}
    shown = answer(env, "usage", "show", "Acme", "--from", "2026-01-01", "--to", "2026-01-03")
    assert shown["plan"]["limits"]["messages"] == 1000
    assert [point["messages"] for point in shown["points"]] == [0, 0, 0]
    assert answer(env, "usage", "rebuild") == {"counted": 0}
    assert "no plan is called" in run(env, "plan", "set", "acme", "gold", fails=True).stderr


def test_people_get_plain_text(env: dict[str, str]) -> None:
    run(env, "app", "create", "Acme", "--id", "acme")
    assert "app: acme\nname: Acme\n" in run(env, "app", "list").stdout


@pytest.mark.parametrize(
    ("args", "changes", "message"),
    [
        (("serve",), {"TOKENIM_MASTER_KEY": ""}, "master_key is not set"),
        (("serve",), {"TOKENIM_MASTER_KEY": "changeme" * 5}, "can be guessed"),
        (("serve",), {"TOKENIM_REDIS": "x"}, "did you mean 'TOKENIM_REDIS_URL'"),
        (("serve", "--tls", "own"), {}, "--tls takes `self`"),
        (("serve", "--tls-cert", "/nowhere.pem"), {}, "No such file"),
        (("serve", "--tls-key", "/nowhere.pem"), {}, "a key needs its certificate"),
        (("serve", "--port", "99999"), {}, "a port is at most 65535"),
        (("doctor",), {"TOKENIM_MEDIA_ANNOUNCE": "example.org"}, "candidates hold no names"),
        (("serve", "--config", "/nowhere.toml"), {}, "cannot read"),
        (("serve", "--trusted-proxy", "example"), {}, "example"),
        (("app", "list"), {"TOKENIM_MASTER_KEY": ""}, "master_key is not set"),
        (("app", "create", "x", "--id", "NO"), {}, "not an app id"),
        (("token", "--user", "alice"), {}, "tokenim key create"),
        (("key", "create", "Acme"), {}, "no app has the id or name 'Acme'"),
        (("token", "--user", "a", "--key", "k", "--lifetime", "long"), {}, "expected a duration"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    env: dict[str, str], args: tuple[str, ...], changes: dict[str, str], message: str
) -> None:
    refused = run(env | changes, *args, fails=True)
    assert message in refused.stderr


def test_serve_dev_makes_its_own_secrets_once(env: dict[str, str]) -> None:
    del env["TOKENIM_MASTER_KEY"]
    secrets = Path(env["TOKENIM_DATA_DIR"]) / "dev.json"
    with serving(env, "--dev") as (url, process):
        guest = post(f"{url}/demo/token", {"name": "Ann"})
        assert guest["name"] == "Ann"
        assert guest["user"].startswith("guest-")
        before = secrets.read_text()
        assert secrets.stat().st_mode & 0o077 == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
    with serving(env, "--dev") as (url, _):
        assert secrets.read_text() == before
        assert post(f"{url}/demo/token", {"user": "ann"})["user"] == "ann"
    assert answer(env, "token", "--user", "alice")["token"]


def test_guest_tokens_are_for_dev_only(env: dict[str, str]) -> None:
    with serving(env) as (url, _), pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{url}/demo/token", {})
    assert refused.value.code in (404, 405)
    refused.value.close()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(env: dict[str, str], name: signal.Signals) -> None:
    with serving(env) as (url, process):
        with urllib.request.urlopen(f"{url}/readyz", timeout=TIMEOUT_S) as response:
            assert json.load(response)["status"] == "ready"
        process.send_signal(name)
        assert process.wait(TIMEOUT_S) == 0
        assert process.stderr
        assert "Traceback" not in process.stderr.read()


def test_a_taken_port_is_said_in_a_line(env: dict[str, str]) -> None:
    with serving(env) as (url, _):
        port = url.rsplit(":", 1)[1]
        refused = run(env, "serve", "--port", port, fails=True)
    assert port in refused.stderr


def test_doctor_finds_what_is_wrong(env: dict[str, str]) -> None:
    healthy = answer(env, "doctor")
    assert healthy["ok"], healthy
    assert {finding["check"] for finding in healthy["findings"]} >= {"UDP port", "Redis", "clock"}
    with socket.create_server(("127.0.0.1", 0)) as strangers:
        port = str(strangers.getsockname()[1])
        broken = env | {"TOKENIM_REDIS_URL": "redis://127.0.0.1:1"}
        sick = json.loads(run(broken, "doctor", "--port", port, "--json", fails=True).stdout)
    wrong = {finding["check"] for finding in sick["findings"] if not finding["ok"]}
    assert wrong == {"HTTP port", "Redis", "files"}
    broken["TOKENIM_STORAGE_BLOBS_URL"] = "s3://files?region=eu-west-1"
    found = json.loads(run(broken, "doctor", "--json", fails=True).stdout)["findings"]
    assert next(one for one in found if one["check"] == "files")["ok"]


@pytest.mark.parametrize("options", [(), ("--tls", "self")])
def test_doctor_knows_a_running_server_of_ours(
    env: dict[str, str], options: tuple[str, ...]
) -> None:
    env["TOKENIM_MEDIA_PORT"] = str(free_port())
    with serving(env, *options) as (url, _):
        port = url.rsplit(":", 1)[1]
        found = answer(env, "doctor", "--port", port, *options)["findings"]
    details = {finding["check"]: finding["detail"] for finding in found}
    assert all(finding["ok"] for finding in found), found
    assert "TokenIM that runs" in details["HTTP port"]
    assert "TokenIM runs" in details["UDP port"]


def test_doctor_takes_the_options_of_serve(env: dict[str, str]) -> None:
    open_to_all = ("doctor", "--host", "0.0.0.0")
    encrypted = answer(env, *open_to_all, "--tls", "self")
    assert encrypted["ok"], encrypted
    assert "--tls takes" in run(env, *open_to_all, "--tls", "own", fails=True).stderr


def test_every_address_is_told(env: dict[str, str]) -> None:
    with serving(env, "--host", "0.0.0.0", "--tls", "self", "--dev") as (url, process):
        assert url.startswith("https://localhost:")
        port = url.rsplit(":", 1)[1]
        lines: list[str] = []
        assert process.stdout
        while "console" not in "".join(lines):
            lines.append(process.stdout.readline())
    others = [entry for entry in lan_addresses() if not ip_address(entry).is_loopback]
    told = [f"https://{entry}:{port}" for entry in others if ":" not in entry]
    assert [line.rsplit(" ", 1)[1].strip() for line in lines[:-1]] == told


def test_the_key_for_the_console_is_made_by_the_line_that_is_printed(
    env: dict[str, str], tmp_path: Path
) -> None:
    del env["TOKENIM_MASTER_KEY"]
    with serving(env, "--dev", "--data-dir", str(tmp_path / "its own")) as (url, process):
        assert process.stdout
        line = process.stdout.readline()
        command = line.partition("a key for it: ")[2]
        env["TOKENIM_DATA_DIR"] = str(tmp_path / "elsewhere")
        made = subprocess.run(
            shlex.split(command), env=env, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        fields = dict(line.split(": ", 1) for line in made.stdout.strip().splitlines())
        assert get(f"{url}/v1/key", fields["key"], fields["secret"])["app"] == "demo"


def test_a_server_in_earnest_does_not_run_under_the_key_of_a_first_look(
    env: dict[str, str],
) -> None:
    del env["TOKENIM_MASTER_KEY"]
    with serving(env, "--dev"):
        assert answer(env, "app", "list")  # a command beside it does
    for command in ("serve", "doctor"):
        refused = run(env, command, fails=True)
        assert "master_key is not set" in refused.stderr + refused.stdout


def test_the_sfu_runs_alone(env: dict[str, str]) -> None:
    with serving(env, "sfu", "--port", "0", "--udp-port", "0") as (url, process):
        with urllib.request.urlopen(f"{url.rstrip(':')}/healthz", timeout=TIMEOUT_S) as response:
            assert response.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
    refused = run(env, "sfu", "--host", "0.0.0.0", "--port", "0", "--udp-port", "0", fails=True)
    assert "token is required" in refused.stderr


def test_a_key_is_rotated(env: dict[str, str]) -> None:
    made = answer(env, "app", "create", "Tea", "--id", "tea")
    rotated = answer(env, "key", "rotate", made["key"], "--overlap", "1h")
    assert rotated["old"] == made["key"]
    assert rotated["secret"] != made["secret"]
    run(env, "key", "rotate", made["key"], fails=True)
