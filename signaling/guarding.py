"""Access put together: who may call, how fast, once or again, and for how long."""

from contextlib import AsyncExitStack
from functools import partial

from signaling.adapters.sql import Database, SqlAnswers, SqlRevocations
from signaling.adapters.sql.audit import SqlAudit
from signaling.adapters.sql.directory import SqlDirectory
from signaling.allowance import Allowances, Rate, Rates
from signaling.audit.trail import Trail
from signaling.auth.registry import Registry, now_ms
from signaling.auth.repeats import FORGET_S as FORGET_ANSWERS_S
from signaling.auth.repeats import Repeats
from signaling.auth.revocation import FORGET_S, POLL_S, Cut, Revoking
from signaling.auth.sealing import MasterKey
from signaling.auth.tokens import Tokens
from signaling.config import Settings
from signaling.dispatch import Handler
from signaling.http.apps import AppRoutes
from signaling.http.callers import Callers
from signaling.http.idempotency import Idempotency
from signaling.http.keysets import HttpKeySets
from signaling.http.management import Management
from signaling.http.people import PeopleRoutes
from signaling.http.rates import RestRates
from signaling.http.server import Server
from signaling.ports import Broker
from signaling.protocol.devices import ListDevices, SignOutDevice
from signaling.services.devices import Devices
from signaling.shared_allowance import Pot, SharedAllowance
from signaling.tasks import Tasks
from signaling.wiring import Stores


class Guarding:
    """Tokens, keys and callers of one process."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        registry: Registry,
        broker: Broker,
        cut: Cut,
        pot: Pot | None = None,
    ) -> None:
        """With a `pot`, apps and addresses are held to their rates over all nodes."""
        # passed in
        self._registry = registry
        # made here
        self.revoking = Revoking(SqlRevocations(database), broker, cut, now_ms)
        self.key_sets = HttpKeySets(allow_private=settings.http.key_sets_from_private)
        self.tokens = Tokens(registry, self.revoking, key_sets=self.key_sets)
        together = partial(_together, pot) if pot is not None else None
        self.allowances = Allowances(Rates.of(settings.limits), now_ms, together)
        self.rates = RestRates(self.allowances)
        self.callers = Callers(self.tokens, registry, self.rates)
        self._directory = SqlDirectory(database)
        self._answers = SqlAnswers(database)
        self._trail = Trail(SqlAudit(database), now_ms)

    async def start(
        self, stack: AsyncExitStack, tasks: Tasks, server: Server, master: MasterKey
    ) -> None:
        """Begin; `stack` and `tasks` end it."""
        await stack.enter_async_context(self.key_sets)
        await self.revoking.begin()
        repeats = Repeats(self._answers, master, now_ms)
        tasks.every(POLL_S, self.revoking.poll, "cut revoked sockets")
        tasks.every(FORGET_S, self.revoking.forget, "forget revocations")
        tasks.every(FORGET_ANSWERS_S, repeats.forget, "forget answers")
        server.outside(self.rates.middleware, self.rates.prepare)
        server.within(Idempotency(repeats, self.callers).middleware)

    def table(self, stores: Stores) -> dict[str, Handler]:
        """Requests about the user's own devices."""
        devices = self._devices = Devices(stores.users, self.revoking, now_ms)
        return {
            "device:list": Handler(ListDevices, devices.list),
            "device:sign_out": Handler(SignOutDevice, devices.sign_out),
        }

    def add_routes(self, server: Server, stores: Stores) -> None:
        """The app's own management, and the installation's; `table` was made before."""
        server.add(AppRoutes(self.callers, self._registry).routes())
        server.add(PeopleRoutes(self.callers, self._directory, stores.conversations).routes())
        management = Management(
            self.callers,
            self._registry,
            self.tokens,
            stores.users,
            self._devices,
            self.revoking,
            self._trail,
        )
        server.add(management.routes())


def _together(pot: Pot, kind: str, rate: Rate) -> SharedAllowance:
    return SharedAllowance(kind, rate, pot, now_ms)
