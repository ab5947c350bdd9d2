"""Settings: sources and their order, units, and names that do not exist."""

import dataclasses
from pathlib import Path

import pytest

from signaling.config import ConfigError, Settings, check_secrets, load

GOOD_KEY = "q4Jm8hZc1Yw0Tn5Rk2Xv7Pb3Ls9Dg6Fa+/="


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tokenim.toml"
    path.write_text(text)
    return path


def test_defaults_need_nothing() -> None:
    settings = load(env={})
    assert settings == Settings()
    assert settings.http.port == 8080
    assert settings.media.port == 7882


def test_settings_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load(env={}).http.port = 1  # type: ignore[misc]


def test_later_sources_win(tmp_path: Path) -> None:
    path = written(tmp_path, "[http]\nport = 1\nhost = '0.0.0.0'\n[limits]\nmentions = 7\n")
    env = {"TOKENIM_HTTP_PORT": "2", "TOKENIM_LIMITS_MENTIONS": "8"}
    settings = load(path, env, {"http.port": 3})
    assert (settings.http.port, settings.http.host, settings.limits.mentions) == (3, "0.0.0.0", 8)


def test_the_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    path = written(tmp_path, "node = 'left'")
    assert load(env={"TOKENIM_CONFIG": str(path)}).node == "left"


@pytest.mark.parametrize(
    ("variable", "value", "section", "field", "expected"),
    [
        ("TOKENIM_GATEWAY_PING_INTERVAL_MS", "25s", "gateway", "ping_interval_ms", 25_000),
        ("TOKENIM_GATEWAY_PING_INTERVAL_MS", "300", "gateway", "ping_interval_ms", 300),
        ("TOKENIM_GATEWAY_MAX_QUEUE_BYTES", "2MiB", "gateway", "max_queue_bytes", 2 * 2**20),
        ("TOKENIM_LIMITS_FILE_BYTES", "1.5GB", "limits", "file_bytes", 1_500_000_000),
        ("TOKENIM_HTTP_SHUTDOWN_TIMEOUT_S", "500ms", "http", "shutdown_timeout_s", 0.5),
        ("TOKENIM_HTTP_TLS_SELF", "yes", "http", "tls_self", True),
        (
            "TOKENIM_GATEWAY_ORIGINS",
            "https://a, https://b",
            "gateway",
            "origins",
            ("https://a", "https://b"),
        ),
        (
            "TOKENIM_GATEWAY_DRAIN_RETRY_MS",
            "500ms, 10s",
            "gateway",
            "drain_retry_ms",
            (500, 10_000),
        ),
        (
            "TOKENIM_DATABASE_URL",
            "postgresql+asyncpg://x/y",
            "storage",
            "database_url",
            "postgresql+asyncpg://x/y",
        ),
        ("TOKENIM_REDIS_URL", "redis://r", "redis", "url", "redis://r"),
    ],
)
def test_values_are_read_with_their_units(
    variable: str, value: str, section: str, field: str, expected: object
) -> None:
    settings = load(env={variable: value})
    assert getattr(getattr(settings, section), field) == expected


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("TOKENIM_REDISURL", "TOKENIM_REDIS_URL"),
        ("TOKENIM_HTTP_PROT", "TOKENIM_HTTP_PORT"),
        ("TOKENIM_MASTERKEY", "TOKENIM_MASTER_KEY"),
    ],
)
def test_unknown_variables_are_refused_with_the_nearest_name(variable: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"{variable}.*did you mean '{nearest}'"):
        load(env={variable: "1"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[http]\nprot = 1", "did you mean 'http.port'"),
        ("[htpp]\nport = 1", "did you mean 'http.port'"),
        ("masterkey = 'x'", "did you mean 'master_key'"),
        ("[http]\nport = 'eighty'", "http.port: "),
        ("[http]\nport = -1", "negative"),
        ("[http]\nport = true", "expected a number"),
        ("[http]\nport = 99999", "http.port: a port is at most 65535"),
        ("[media]\nport = 65536", "media.port: a port is at most 65535"),
        ("[http]\ntls_key = 'key.pem'", "a key needs its certificate"),
        ("[http]\nhost = 1", "expected text"),
        ("[http]\ntls_self = 'maybe'", "true or false"),
        ("[gateway]\nping_timeout_ms = '5 parsecs'", "expected a duration"),
        ("[limits]\nfile_bytes = '5 parsecs'", "expected a size"),
        ("[gateway]\ndrain_retry_ms = [1, 2, 3]", "expected 2 values"),
        ("[http]\ntrusted_proxies = [1]", "expected text"),
        ("not toml", "cannot read"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(written(tmp_path, text), env={})


@pytest.mark.parametrize(
    "key", ["", "short", "changeme-changeme-changeme-changeme-0123", "a" * 64, "abab" * 16]
)
def test_missing_default_and_guessable_master_keys_are_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="master_key"):
        check_secrets(load(env={"TOKENIM_MASTER_KEY": key}))


def test_a_random_master_key_passes_and_is_not_shown() -> None:
    settings = load(env={"TOKENIM_MASTER_KEY": GOOD_KEY})
    check_secrets(settings)
    assert GOOD_KEY not in repr(settings)
