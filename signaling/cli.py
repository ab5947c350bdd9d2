"""The `tokenim` command. Every command that a program might read has `--json`."""

import gc
import logging
import os
import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from signaling import dev
from signaling.cli_audit import audit
from signaling.cli_base import (
    ConfigOption,
    JsonOption,
    fail,
    load_settings,
    load_to_serve,
    run,
    show,
    with_registry,
)
from signaling.cli_bench import bench
from signaling.cli_outbox import plans, usage, webhooks
from signaling.config import Settings

cli = typer.Typer(
    name="tokenim",
    help="Instant messaging and calling in one process.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
apps = typer.Typer(help="Apps: the tenants.", no_args_is_help=True)
keys = typer.Typer(help="API keys of apps.", no_args_is_help=True)
cli.add_typer(apps, name="app")
cli.add_typer(keys, name="key")
cli.add_typer(webhooks, name="webhook")
cli.add_typer(plans, name="plan")
cli.add_typer(usage, name="usage")
cli.add_typer(audit, name="audit")
cli.add_typer(bench, name="bench")


HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one.")]
TlsOption = Annotated[
    str | None, typer.Option(help="`self`: serve HTTPS with a certificate of our own.")
]
CertOption = Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")]
TlsKeyOption = Annotated[Path | None, typer.Option(help="Its key, PEM.")]
DataDirOption = Annotated[Path | None, typer.Option(help="Where things are kept.")]


@cli.callback()
def everywhere(data_dir: DataDirOption = None) -> None:
    """Instant messaging and calling in one process."""
    if data_dir is not None:
        os.environ["TOKENIM_DATA_DIR"] = str(data_dir)


@cli.command()
def serve(
    *,
    dev_mode: Annotated[
        bool, typer.Option("--dev", help="A first look: random secrets, guest tokens.")
    ] = False,
    host: HostOption = None,
    port: PortOption = None,
    tls: TlsOption = None,
    tls_cert: CertOption = None,
    tls_key: TlsKeyOption = None,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(help="Address or network of a proxy; may be repeated.")
    ] = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve messaging, calls, files, REST and the demo."""
    gc.disable()  # until everything is made: what is imported stays, and is looked through in vain
    options = {
        "dev.enabled": dev_mode or None,
        "http.host": host,
        "http.port": port,
        "http.tls_self": _tls_self(tls),
        "http.tls_cert": tls_cert,
        "http.tls_key": tls_key,
        "http.trusted_proxies": trusted_proxy,
        "storage.data_dir": data_dir,
    }
    settings = load_to_serve(config, options)
    _log_to_stderr(log_level)
    from signaling import serving  # noqa: PLC0415 - the other commands start faster without it

    run(lambda: serving.serve(settings, announce=lambda urls: _announce(urls, settings, config)))


def _tls_self(tls: str | None) -> bool | None:
    if tls not in (None, "self"):
        fail("--tls takes `self`; a certificate of yours goes to --tls-cert and --tls-key")
    return tls == "self" or None


def _announce(urls: list[str], settings: Settings, config: Path | None) -> None:
    print(f"TokenIM is at {urls[0]}", flush=True)
    for url in urls[1:]:
        print(f"  on this network at {url}", flush=True)
    if settings.dev.enabled:
        scopes = "--scope admin --scope read --scope write --scope tokens --scope operator"
        key = f"{_this_command(settings)} key create demo {scopes}"
        key += f" --config {shlex.quote(str(config.absolute()))}" if config else ""
        print(f"Its console is at {urls[0]}/console; a key for it: {key}", flush=True)


def _this_command(settings: Settings) -> str:
    """How to call `tokenim` on the same data from any shell and folder."""
    words = ["tokenim"] if shutil.which("tokenim") else [sys.executable, "-m", "signaling"]
    if sys.argv[0].endswith("tokenim") and words != ["tokenim"]:
        words = [str(Path(sys.argv[0]).absolute())]
    return shlex.join([*words, "--data-dir", str(settings.storage.data_dir.absolute())])


@cli.command()
def sfu(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port of WHIP and WHEP.")] = 8081,
    udp_port: Annotated[int, typer.Option(help="UDP port of media; 0 takes a free one.")] = 7882,
    token: Annotated[
        str | None,
        typer.Option(help="Bearer token that callers must send.", envvar="TOKENIM_SFU_TOKEN"),
    ] = None,
    announce: Annotated[
        list[str] | None, typer.Option(help="Address for candidates; may be repeated.")
    ] = None,
) -> None:
    """Run the forwarding unit alone, with WHIP and WHEP."""
    _log_to_stderr("info")
    from media.whip import serve as serve_whip  # noqa: PLC0415 - see serve

    announced = tuple(announce or ())
    run(
        lambda: serve_whip(
            host=host, port=port, udp_port=udp_port, token=token, announced=announced
        )
    )


@apps.command("create")
def app_create(
    name: str,
    app: Annotated[str | None, typer.Option("--id", help="Its id; made up if absent.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Register an app and its first key; the secret is shown once."""

    async def create(registry: Any) -> dict[str, Any]:
        made = await registry.create_app(name, app)
        issued = await registry.create_key(made.id, "first", ("admin", "tokens", "read", "write"))
        return {"app": made.id, "name": made.name, "key": issued.key.id, "secret": issued.secret}

    show(with_registry(config, create), json)


@apps.command("list")
def app_list(config: ConfigOption = None, json: JsonOption = False) -> None:
    """All apps."""

    async def listed(registry: Any) -> list[dict[str, Any]]:
        return [
            {"app": app.id, "name": app.name, "created_at": app.created_at}
            for app in await registry.apps()
        ]

    show(with_registry(config, listed), json)


@keys.command("create")
def key_create(
    app: str,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="tokens, read, write, admin or operator."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a key of an app, named by its id or name; the secret is shown once."""

    async def create(registry: Any) -> dict[str, Any]:
        scopes = tuple(scope or ("tokens", "read", "write"))
        found = await registry.find_app(app)
        issued = await registry.create_key(found.id, name, scopes)
        return {"app": found.id, "key": issued.key.id, "secret": issued.secret, "scopes": scopes}

    show(with_registry(config, create), json)


@keys.command("rotate")
def key_rotate(
    key: str,
    overlap: Annotated[str, typer.Option(help="How long the old one goes on.")] = "24h",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put a new key in the place of one; the new secret is shown once."""
    from signaling.units import duration_ms  # noqa: PLC0415 - see serve

    async def rotate(registry: Any) -> dict[str, Any]:
        issued = await registry.rotate_key(key, None, duration_ms(overlap) // 1000)
        return {"app": issued.key.app, "key": issued.key.id, "secret": issued.secret, "old": key}

    show(with_registry(config, rotate), json)


@keys.command("revoke")
def key_revoke(key: str, config: ConfigOption = None, json: JsonOption = False) -> None:
    """End a key: tokens signed with it are refused from now on."""

    async def revoke(registry: Any) -> dict[str, Any]:
        ended = await registry.revoke_key(key)
        return {"key": ended.id, "app": ended.app, "revoked_at": ended.revoked_at}

    show(with_registry(config, revoke), json)


@cli.command()
def token(
    user: Annotated[str, typer.Option(help="Whose token.")],
    key: Annotated[str | None, typer.Option(help="Signing key; dev mode has its own.")] = None,
    name: Annotated[str | None, typer.Option(help="What people see.")] = None,
    device: Annotated[str | None, typer.Option(help="Only for this device.")] = None,
    room: Annotated[
        list[str] | None, typer.Option(help="Pattern of standalone rooms; may be repeated.")
    ] = None,
    lifetime: Annotated[str, typer.Option(help="At most 24h.")] = "1h",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Mint a user's token."""
    from signaling.auth.tokens import Tokens  # noqa: PLC0415 - see serve
    from signaling.model import Grants  # noqa: PLC0415
    from signaling.units import duration_ms  # noqa: PLC0415

    known = dev.read(load_settings(config).storage.data_dir)

    async def mint(registry: Any) -> dict[str, Any]:
        signer = key or (known.key if known else "") or await registry.only_signing_key()
        lifetime_s = duration_ms(lifetime) // 1000
        text = await Tokens(registry).mint(
            signer,
            user,
            name=name,
            device=device,
            grants=Grants(rooms=tuple(room)) if room else None,
            lifetime_s=lifetime_s,
        )
        await registry.minted(signer, user, device=device, lifetime_s=lifetime_s, rooms=room)
        return {"token": text, "user": user}

    minted = with_registry(config, mint)
    show(minted, json) if json else print(minted["token"])


@cli.command()
def doctor(
    *,
    dev_mode: Annotated[bool, typer.Option("--dev", help="As `serve --dev` would run.")] = False,
    host: HostOption = None,
    port: PortOption = None,
    tls: TlsOption = None,
    tls_cert: CertOption = None,
    tls_key: TlsKeyOption = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Look at ports, UDP, addresses, database, Redis and clock; exits 1 when something fails."""
    from signaling.doctor import Doctor  # noqa: PLC0415 - see serve

    options = {
        "dev.enabled": dev_mode or None,
        "http.host": host,
        "http.port": port,
        "http.tls_self": _tls_self(tls),
        "http.tls_cert": tls_cert,
        "http.tls_key": tls_key,
        "storage.data_dir": data_dir,
    }
    settings = load_to_serve(config, options)
    findings = run(Doctor(settings).examine)
    if json:
        show({"ok": all(f.ok for f in findings), "findings": findings}, json)
    for finding in findings if not json else ():
        print(f"{'ok  ' if finding.ok else 'FAIL'} {finding.check}: {finding.detail}")
        if finding.advice:
            print(f"     {finding.advice}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@cli.command("check-history")
def check_history(
    files: Annotated[list[Path], typer.Argument(help="What clients wrote down, as JSON lines.")],
    json: JsonOption = False,
) -> None:
    """Compare what clients wrote down with the log they read; exits 1 when something is wrong."""
    from signaling.check_history import check  # noqa: PLC0415 - see serve

    try:
        lines = (line for file in files for line in file.read_bytes().splitlines() if line)
        report = check(msgspec.json.decode(line, type=dict[str, Any]) for line in lines)
    except (OSError, ValueError, KeyError) as error:
        fail(f"cannot read it: {error}")
    if json:
        show({**asdict(report), "ok": report.good}, json)
    else:
        print("\n".join([str(report), *report.problems]))
    if not report.good:
        raise typer.Exit(1)


def _log_to_stderr(level: str) -> None:
    """Ours at the chosen level; libraries speak up when something is wrong."""
    logging.basicConfig(level="WARNING", format="%(levelname).1s %(name)s: %(message)s")
    for name in ("signaling", "media"):
        logging.getLogger(name).setLevel(level.upper())


def main() -> None:
    """The console script."""
    cli()
