"""`tokenim audit …`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from signaling.cli_base import ConfigOption, JsonOption, load_settings, run, show

if TYPE_CHECKING:
    from signaling.audit.chain import Verdict
    from signaling.audit.trail import AuditStore

T = TypeVar("T")

audit = typer.Typer(help="The trail of administrative acts.", no_args_is_help=True)

AppOption = Annotated[str | None, typer.Option("--app", help="Only this app's, by its id.")]


@audit.command("verify")
def verify(
    app: AppOption = None,
    head: Annotated[
        str | None, typer.Option(help="A hash that was noted earlier: it must be in the trail.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Check every record against the one before. Ends with 1 when one is not as it was written."""

    async def work(store: "AuditStore") -> "list[Verdict]":
        return [await store.verify(one) for one in ([app] if app else await store.apps())]

    verdicts = _with_trail(config, work)
    show({"trails": verdicts}, json=True) if json else _print(verdicts)
    known = head is None or any(_has(config, verdict.app, head) for verdict in verdicts)
    if not known:
        typer.echo(f"no record has the hash {head}", err=True)
    if not known or any(verdict.broken_at is not None for verdict in verdicts):
        raise typer.Exit(1)


def _has(config: Any, app: str, head: str) -> bool:
    async def work(store: "AuditStore") -> bool:
        before = None
        while page := await store.page(app, before, 500):
            if any(record.hash == head for record in page):
                return True
            before = page[-1].number
        return False

    return _with_trail(config, work)


def _print(verdicts: "list[Verdict]") -> None:
    for verdict in verdicts:
        if verdict.broken_at is None:
            typer.echo(f"{verdict.app}: {verdict.records} records hold, head {verdict.head}")
        else:
            typer.echo(f"{verdict.app}: BROKEN at record {verdict.broken_at}: {verdict.problem}")


def _with_trail(config: Any, work: "Callable[[AuditStore], Awaitable[T]]") -> T:
    from signaling.adapters.sql import open_database  # noqa: PLC0415 - the command starts faster
    from signaling.adapters.sql.audit import SqlAudit  # noqa: PLC0415

    settings = load_settings(config)

    async def go() -> T:
        database = await open_database(settings.database_url)
        try:
            return await work(SqlAudit(database))
        finally:
            await database.close()

    return run(go)
