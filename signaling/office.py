"""Webhooks, plans and usage opened by themselves, for commands beside a server or without one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import msgspec

from signaling.adapters.sql import Database, SqlApps, open_database
from signaling.adapters.sql.audit import SqlAudit
from signaling.adapters.sql.outbox import SqlOutbox
from signaling.adapters.sql.usage import SqlUsage
from signaling.adapters.sql.webhooks import SqlWebhooks
from signaling.audit.trail import Trail
from signaling.auth.registry import Registry, now_ms
from signaling.auth.sealing import MasterKey
from signaling.config import Settings, check_secrets
from signaling.errors import Refused
from signaling.outbox.metering import Metering
from signaling.outbox.usage import Plan
from signaling.outbox.webhook import new_webhook
from signaling.protocol.webhooks import CreateWebhook
from signaling.services.quota import Quota
from signaling.services.usage import UsageService

Fields = dict[str, Any]
CLI = "cli"
"""The actor of what is done here, in the audit trail."""


class Office:
    """What an operator does with an app, named by its id or name. Everything raises Refused."""

    def __init__(self, settings: Settings, database: Database) -> None:
        # made here
        self._master = MasterKey(settings.master_key)
        self._registry = Registry(SqlApps(database), self._master)
        self._webhooks, self._outbox = SqlWebhooks(database), SqlOutbox(database)
        self._trail = Trail(SqlAudit(database), now_ms)
        self._usage = SqlUsage(database)
        plans = plans_of(settings)
        quota = Quota(plans, settings.usage.default_plan, self._usage, now_ms)
        self._service = UsageService(self._usage, quota, plans, now_ms)

    async def create_webhook(self, app: str, url: str, events: tuple[str, ...]) -> Fields:
        """With its secret."""
        found = await self._registry.find_app(app)
        try:
            wish = msgspec.convert({"url": url, "events": events}, CreateWebhook)
        except msgspec.ValidationError as error:
            raise Refused("bad_request", str(error)) from error
        hook, secret = new_webhook(self._master, found.id, wish.url, wish.events)
        await self._webhooks.put(hook)
        await self._trail.note(found.id, CLI, "webhook:created", hook.id, url=url)
        return {"webhook": hook.id, "app": found.id, "url": url, "secret": secret}

    async def webhooks(self, app: str) -> list[Fields]:
        """An app's."""
        found = await self._registry.find_app(app)
        return [
            {
                "webhook": hook.id,
                "url": hook.url,
                "events": " ".join(hook.events),
                "disabled_at": hook.disabled_at,
            }
            for hook in await self._webhooks.of_app(found.id)
        ]

    async def remove_webhook(self, app: str, webhook: str) -> Fields:
        """Raises Refused not_found."""
        found = await self._registry.find_app(app)
        if not await self._webhooks.remove(found.id, webhook):
            raise Refused("not_found", f"no webhook {webhook!r}")
        await self._trail.note(found.id, CLI, "webhook:removed", webhook)
        return {"webhook": webhook}

    async def enable_webhook(self, app: str, webhook: str) -> Fields:
        """Tell it again. Raises Refused not_found."""
        found = await self._registry.find_app(app)
        if not await self._webhooks.enable(found.id, webhook):
            raise Refused("not_found", f"no webhook {webhook!r}")
        await self._trail.note(found.id, CLI, "webhook:enabled", webhook)
        return {"webhook": webhook}

    async def dead(self, app: str, webhook: str | None, limit: int) -> list[Fields]:
        """Dead letters, newest first."""
        found = await self._registry.find_app(app)
        return [
            {
                "delivery": letter.id,
                "webhook": letter.webhook,
                "type": letter.type,
                "attempts": letter.attempts,
                "dead_at": letter.dead_at,
                "error": letter.error,
            }
            for letter in await self._outbox.dead(found.id, limit, webhook)
        ]

    async def replay(self, app: str, delivery: str | None, webhook: str | None) -> Fields:
        """One, or all."""
        found = await self._registry.find_app(app)
        if delivery is None:
            count = await self._outbox.replay_all(found.id, webhook, now_ms())
        else:
            count = int(await self._outbox.replay(found.id, delivery, now_ms()))
            if not count:
                raise Refused("not_found", f"no dead letter {delivery!r}")
        subject = delivery or webhook or ""
        await self._trail.note(found.id, CLI, "dead_letters:replayed", subject, count=count)
        return {"replayed": count}

    async def plans(self) -> list[Fields]:
        """Those configured."""
        return [
            {"plan": plan.name, **{str(name): limit for name, limit in plan.limits.items()}}
            for plan in self._service.plans()
        ]

    async def assign(self, app: str, plan: str) -> Fields:
        """From now on."""
        found = await self._registry.find_app(app)
        made = await self._service.assign(found.id, plan)
        await self._trail.note(found.id, CLI, "plan:assigned", plan)
        return {"app": made.app, "plan": made.plan.name}

    async def usage(
        self, app: str, first: str | None, last: str | None, granularity: str
    ) -> Fields:
        """As REST gives it."""
        found = await self._registry.find_app(app)
        view = await self._service.usage(found.id, first, last, granularity)
        fields: Fields = msgspec.to_builtins(view)
        return fields

    async def rebuild(self) -> Fields:
        """Count again; a server that runs meanwhile helps."""
        await self._usage.rebuild()
        metering = Metering(self._usage, now_ms)
        await metering.catch_up()
        for app in await self._registry.apps():
            counted = metering.counted_total
            await self._trail.note(app.id, CLI, "usage:rebuilt", app.id, counted=counted)
        return {"counted": metering.counted_total}


def plans_of(settings: Settings) -> dict[str, Plan]:
    """The tables `[plans.NAME]`."""
    return {name: Plan(name=name, **asdict(plan)) for name, plan in settings.plans.items()}


@asynccontextmanager
async def open_office(settings: Settings) -> AsyncIterator[Office]:
    """Raises ConfigError when there is no master key to seal secrets with."""
    check_secrets(settings)
    settings.storage.data_dir.mkdir(parents=True, exist_ok=True)
    database = await open_database(settings.database_url)
    try:
        yield Office(settings, database)
    finally:
        await database.close()
