"""What the commands share: options, settings, running a coroutine, printing, failing in a line."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer

from signaling import dev
from signaling.config import ConfigError, Settings, load
from signaling.errors import Refused

T = TypeVar("T")

ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def load_settings(config: Path | None) -> Settings:
    """For commands beside a server: the key of one in dev mode will do."""
    return _loaded(config, {}, dev.beside)


def load_to_serve(config: Path | None, options: dict[str, Any]) -> Settings:
    """As a server takes them; options that are None were not given."""
    given = {name: value for name, value in options.items() if value is not None}
    return _loaded(config, given, dev.with_secrets)


def _loaded(
    config: Path | None, options: dict[str, Any], finish: Callable[[Settings], Settings]
) -> Settings:
    try:
        return finish(load(config, options=options))
    except ConfigError as error:
        fail(str(error))


def with_registry(config: Path | None, work: Callable[[Any], Awaitable[T]]) -> T:
    from signaling.admin import open_registry  # noqa: PLC0415 - see serve

    settings = load_settings(config)

    async def go() -> T:
        async with open_registry(settings) as registry:
            return await work(registry)

    return run(go)


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    try:
        return _runner()(work())
    except (ConfigError, OSError, ValueError) as error:
        fail(str(error))
    except Refused as refused:
        fail(f"{refused.code}: {refused.message}")


def _runner() -> Callable[[Coroutine[Any, Any, T]], T]:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return asyncio.run
    return uvloop.run


def show(value: Any, json: bool) -> None:
    plain = msgspec.to_builtins(value)
    if json:
        print(msgspec.json.encode(plain).decode())
        return
    for row in plain if isinstance(plain, list) else [plain]:
        print("\n".join(f"{name}: {entry}" for name, entry in row.items()), end="\n\n")


def fail(message: str) -> NoReturn:
    print(f"tokenim: {message}", file=sys.stderr)
    raise typer.Exit(2)
