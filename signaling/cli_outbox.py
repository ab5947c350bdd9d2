"""`tokenim webhook …`, `tokenim plan …` and `tokenim usage …`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from signaling.cli_base import ConfigOption, JsonOption, load_settings, run, show

if TYPE_CHECKING:
    from signaling.office import Office

T = TypeVar("T")

webhooks = typer.Typer(help="Webhooks of apps, and their dead letters.", no_args_is_help=True)
plans = typer.Typer(help="Plans of apps.", no_args_is_help=True)
usage = typer.Typer(help="What apps used.", no_args_is_help=True)

AppArgument = Annotated[str, typer.Argument(help="An app's id or name.")]
WebhookOption = Annotated[str | None, typer.Option(help="Only of this webhook.")]


@webhooks.command("create")
def webhook_create(
    app: AppArgument,
    url: str,
    event: Annotated[
        list[str] | None, typer.Option(help="Type, or a family like `message:*`; may be repeated.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Post an app's events to a URL; the signing secret is shown once."""
    events = tuple(event or ("*",))
    show(_office(config, lambda office: office.create_webhook(app, url, events)), json)


@webhooks.command("list")
def webhook_list(app: AppArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """An app's webhooks."""
    show(_office(config, lambda office: office.webhooks(app)), json)


@webhooks.command("remove")
def webhook_remove(
    app: AppArgument, webhook: str, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """End one, with what it was still owed."""
    show(_office(config, lambda office: office.remove_webhook(app, webhook)), json)


@webhooks.command("enable")
def webhook_enable(
    app: AppArgument, webhook: str, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Tell one again that was disabled because it failed for a day."""
    show(_office(config, lambda office: office.enable_webhook(app, webhook)), json)


@webhooks.command("dead")
def webhook_dead(
    app: AppArgument,
    webhook: WebhookOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Dead letters, newest first."""
    show(_office(config, lambda office: office.dead(app, webhook, limit)), json)


@webhooks.command("replay")
def webhook_replay(
    app: AppArgument,
    delivery: Annotated[str | None, typer.Argument(help="One; else all.")] = None,
    webhook: WebhookOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Deliver dead letters once more."""
    show(_office(config, lambda office: office.replay(app, delivery, webhook)), json)


@plans.command("list")
def plan_list(config: ConfigOption = None, json: JsonOption = False) -> None:
    """The plans of the config file."""
    show(_office(config, lambda office: office.plans()), json)


@plans.command("set")
def plan_set(
    app: AppArgument, plan: str, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Give an app a plan; `unlimited` has no limits."""
    show(_office(config, lambda office: office.assign(app, plan)), json)


@usage.command("show")
def usage_show(
    app: AppArgument,
    first: Annotated[str | None, typer.Option("--from", help="Like 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Like 2026-11-30.")] = None,
    granularity: Annotated[str, typer.Option(help="day or month.")] = "day",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """What an app used, by day or month."""
    show(_office(config, lambda office: office.usage(app, first, last, granularity)), json)


@usage.command("rebuild")
def usage_rebuild(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Count the log from its start again; peaks and stored bytes stay as they are."""
    show(_office(config, lambda office: office.rebuild()), json)


def _office(config: Path | None, work: Callable[["Office"], Awaitable[T]]) -> T:
    from signaling.office import open_office  # noqa: PLC0415 - the other commands start faster

    settings = load_settings(config)

    async def go() -> Any:
        async with open_office(settings) as office:
            return await work(office)

    found: T = run(go)
    return found
