"""A first look: secrets and an app made at the first start, kept in the data directory."""

import contextlib
import dataclasses
import os
import secrets
from pathlib import Path

import msgspec

from signaling.auth.registry import Registry
from signaling.config import ConfigError, Settings
from signaling.errors import Refused

DEV_FILE = "dev.json"
DEV_APP = "demo"


class DevSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What `dev.json` keeps: random, of this machine, readable by its owner only."""

    master_key: str
    key: str = ""
    """API key that signs guest tokens."""


def read(data_dir: Path) -> DevSecrets | None:
    """The secrets made before, if any. Raises ConfigError for a file that is none of ours."""
    path = data_dir / DEV_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=DevSecrets)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error


def with_secrets(settings: Settings) -> Settings:
    """Settings for a server: the configured master key, or in dev mode the one made here. A server
    that is none in dev mode never runs under what a first look left behind.
    """
    if settings.master_key or not settings.dev.enabled:
        return settings
    if read(settings.storage.data_dir) is None:
        _create(settings.storage.data_dir, DevSecrets(master_key=secrets.token_urlsafe(32)))
    return beside(settings)


def beside(settings: Settings) -> Settings:
    """Settings for a command that works on what a server keeps: one in dev mode has made its key
    here.
    """
    known = None if settings.master_key else read(settings.storage.data_dir)
    return settings if known is None else dataclasses.replace(settings, master_key=known.master_key)


async def guest_key(registry: Registry, data_dir: Path, master_key: str) -> str:
    """The key that signs guest tokens; makes the app and the key when there are none."""
    known = read(data_dir) or DevSecrets(master_key=master_key)
    if known.key and await registry.live_key(known.key) is not None:
        return known.key
    try:
        await registry.create_app("Demo", DEV_APP)
    except Refused as refused:
        if refused.code != "conflict":
            raise
    issued = await registry.create_key(DEV_APP, "guests", ("tokens",))
    _replace(data_dir, msgspec.structs.replace(known, key=issued.key.id))
    return issued.key.id


def _create(data_dir: Path, content: DevSecrets) -> None:
    """Write unless another process was faster."""
    data_dir.mkdir(parents=True, exist_ok=True)
    draft = _draft(data_dir, content)
    with contextlib.suppress(FileExistsError):
        os.link(draft, data_dir / DEV_FILE)
    draft.unlink()


def _replace(data_dir: Path, content: DevSecrets) -> None:
    data_dir.mkdir(parents=True, exist_ok=True)
    _draft(data_dir, content).replace(data_dir / DEV_FILE)


def _draft(data_dir: Path, content: DevSecrets) -> Path:
    path = data_dir / f"{DEV_FILE}.{secrets.token_hex(4)}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(content))
    return path
