"""`tokenim bench`: what this machine makes of it."""

import asyncio
import json
from typing import Annotated

import typer

from signaling.bench import report
from signaling.bench.house import many_sockets
from signaling.bench.im import PARTS, Scale, measure
from signaling.cli_base import JsonOption, fail

bench = typer.Typer(help="Measure a server of its own on this machine.", no_args_is_help=True)


@bench.callback()
def everywhere() -> None:
    """Measure a server of its own on this machine."""


@bench.command("im")
def im(
    only: Annotated[str, typer.Option(help="Parts, by comma.")] = ",".join(PARTS),
    seconds: Annotated[float, typer.Option(help="Of sending.")] = Scale.seconds,
    clients: Annotated[int, typer.Option(help="In the reconnect storm.")] = Scale.clients,
    events: Annotated[int, typer.Option(help="In the long history.")] = Scale.events,
    as_json: JsonOption = False,
) -> None:
    """Messaging: durable sends, delivery, reconnect storm, history, growth."""
    parts = tuple(only.split(","))
    if unknown := [part for part in parts if part not in PARTS]:
        fail(f"no part {unknown[0]}; there are {', '.join(PARTS)}")
    many_sockets(clients)
    scale = Scale(seconds=seconds, clients=clients, events=events)
    result = asyncio.run(measure(parts, scale))
    for line in [json.dumps(result)] if as_json else report.lines(result):
        typer.echo(line)
