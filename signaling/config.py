"""Settings: frozen, from defaults, a TOML file, TOKENIM_* variables and options; later ones win.

A name is `section.field` in TOML and `TOKENIM_SECTION_FIELD` in the environment. Fields that end in
`_ms`, `_s` or `_bytes` take a number in that unit or a text with its own (`"25s"`, `"32KiB"`).
"""

import difflib
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from signaling.config_values import value_of
from signaling.gateway.config import GatewayConfig

ENV_PREFIX = "TOKENIM_"
ENV_ALIASES = {
    "TOKENIM_DATABASE_URL": "storage.database_url",
    "TOKENIM_DATA_DIR": "storage.data_dir",
    "TOKENIM_BLOBS_URL": "storage.blobs_url",
    "TOKENIM_HOST": "http.host",
    "TOKENIM_PORT": "http.port",
}
NOT_SETTINGS = frozenset({"TOKENIM_CONFIG", "TOKENIM_SFU_TOKEN"})
MASTER_KEY_MIN_CHARS = 32
MAX_PORT = 65_535
LOOPBACK = ("127.0.0.1", "localhost")
PLACEHOLDERS = ("changeme", "change-me", "secret", "password", "default", "example", "masterkey")


class ConfigError(Exception):
    """A setting that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where browsers and apps come in."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    """How browsers reach this server, when it is not what they see in the address (a proxy)."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self: bool = False
    """Use a certificate of our own, made once in the data directory."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks whose X-Forwarded-* headers are believed."""
    max_body_bytes: int = 1024 * 1024
    idle_timeout_s: float = 75.0
    """A connection without a whole request is closed: a silent one, and one that sends slowly."""
    webhooks_to_private: bool = False
    """Let webhooks reach private and loopback addresses."""
    key_sets_from_private: bool = False
    """Let apps' `jwks_url` lead to private and loopback addresses."""
    shutdown_timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """The forwarding unit."""

    host: str = ""
    """Address to bind; empty follows http.host."""
    port: int = 7882
    """UDP; 0 takes a free one."""
    announce: tuple[str, ...] = ()
    """Addresses put into candidates instead of the interfaces' own (behind NAT)."""
    enabled: bool = True
    grace_ms: int = 6_000
    """A Participant whose socket is lost stays in its Room this long."""
    ring_ms: int = 45_000
    """A call that nobody answers for so long is missed."""
    ice_servers: tuple[str, ...] = ()
    """`stun:`, `turn:` and `turns:` URLs (RFC 7064, 7065) that clients are told."""
    turn_secret: str = field(default="", repr=False)
    """What the TURN server knows too (coturn's `static-auth-secret`): users get credentials of
    their own that run out.
    """
    turn_lifetime_ms: int = 24 * 3600 * 1000
    turn_username: str = ""
    """With `turn_password`: the same for everybody, when the TURN server has no shared secret."""
    turn_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where things are kept."""

    data_dir: Path = Path(".tokenim")
    database_url: str = ""
    """SQLAlchemy URL; empty means SQLite in the data directory."""
    blobs_url: str = ""
    """obstore URL; empty means a folder in the data directory."""
    files_url: str = ""
    """Base of signed links to files: a CDN that asks this server; empty for links to this host."""


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Scale-out; without a URL the process is alone."""

    url: str = ""
    prefix: str = "tokenim:"


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one caller may ask for."""

    message_bytes: int = 32 * 1024
    mentions: int = 100
    group_members: int = 10_000
    missed_events: int = 300
    scheduled: int = 100
    """Messages of one User that wait for their time."""
    file_bytes: int = 2 * 1024**3
    app_files_bytes: int = 20 * 1024**3
    room_participants: int = 100
    connection_rate: float = 100
    """Requests a second of one Connection, after a burst of five seconds' worth; 0: any number."""
    user_rate: float = 200
    """Requests a second of one User on all devices."""
    app_rate: float = 5_000
    """Requests a second of one App, by sockets and REST, on all nodes together."""
    address_request_rate: float = 2_000
    """The same of one address, after a burst of ten seconds' worth: many share one behind NAT."""
    address_rate: float = 50
    """Connections a second from one address, after a burst of ten seconds' worth."""
    rest_rate: float = 100
    """REST requests a second of one User or API key, after a burst of five seconds' worth."""


@dataclass(frozen=True, slots=True)
class PushSettings:
    """Web Push."""

    contact: str = ""
    """Where push services write to when something is wrong: `mailto:…` or a URL; empty takes
    http.public_url.
    """


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What apps on a plan may use in a month; left out is any amount."""

    messages: int | None = None
    active_users: int | None = None
    connections: int | None = None
    """At one time."""
    stored_bytes: int | None = None
    call_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """Which plan apps have; plans are tables `[plans.NAME]`."""

    default_plan: str = "free"
    """Of apps that were assigned none. Without a plan of this name they have no limits."""


@dataclass(frozen=True, slots=True)
class DevSettings:
    """A first look: an app made at start, guest tokens for whoever asks. Never in production."""

    enabled: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    http: HttpSettings = field(default_factory=HttpSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    limits: LimitSettings = field(default_factory=LimitSettings)
    push: PushSettings = field(default_factory=PushSettings)
    usage: UsageSettings = field(default_factory=UsageSettings)
    plans: Mapping[str, PlanSettings] = field(default_factory=dict)
    dev: DevSettings = field(default_factory=DevSettings)
    master_key: str = field(default="", repr=False)
    """Root of every secret kept; the same on every node. Made by `openssl rand -base64 32`."""
    node: str = ""
    """This process's name among the nodes; empty makes one up."""

    @property
    def database_url(self) -> str:
        """The database, with the default filled in."""
        data_dir = self.storage.data_dir.absolute()
        return self.storage.database_url or f"sqlite+aiosqlite:///{data_dir / 'tokenim.db'}"

    @property
    def edge(self) -> GatewayConfig:
        """The Socket.IO edge, which knows where browsers find it."""
        public_url = self.gateway.public_url or self.http.public_url or ""
        return replace(self.gateway, public_url=public_url)

    @property
    def push_contact(self) -> str:
        """Who answers for pushes."""
        return self.push.contact or self.http.public_url or "mailto:push@localhost.localdomain"

    @property
    def media_host(self) -> str:
        """Where UDP is bound: as HTTP, but on every address when a first look is for this machine
        only, because browsers refuse to send media to loopback.
        """
        everywhere = self.dev.enabled and self.http.host in LOOPBACK
        return self.media.host or ("0.0.0.0" if everywhere else self.http.host)  # noqa: S104


def load(
    path: Path | None = None,
    env: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from a TOML file, the environment and `options` (`{"http.port": 0}`).

    Raises ConfigError for a name that does not exist, with the nearest one that does, and for a
    value of the wrong shape. Without `path`, TOKENIM_CONFIG names the file, if set.
    """
    env = os.environ if env is None else env
    if path is None and env.get("TOKENIM_CONFIG"):
        path = Path(env["TOKENIM_CONFIG"])
    known = dict(_known(Settings))
    values: dict[str, Any] = {"plans": {}}
    for source in (_from_file(path), _from_env(env, known), (options or {}).items()):
        for name, raw in source:
            if name.startswith("plans."):
                values["plans"][name.removeprefix("plans.")] = _plan(name, raw)
                continue
            if name not in known:
                raise ConfigError(f"unknown setting {name!r}{_nearest(name, known)}")
            values[name] = _converted(name, known[name], raw)
    settings = _built(Settings, values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """What one value cannot say: ranges, and what goes together."""
    _check_default_plan(settings)
    _check_ports(settings)
    _check_media(settings.media)
    if settings.http.tls_key is not None and settings.http.tls_cert is None:
        raise ConfigError("http.tls_key: a key needs its certificate, http.tls_cert")


def _check_ports(settings: Settings) -> None:
    for name, port in (("http.port", settings.http.port), ("media.port", settings.media.port)):
        if port > MAX_PORT:
            raise ConfigError(f"{name}: a port is at most {MAX_PORT}, not {port}")


def _check_media(media: MediaSettings) -> None:
    for address in media.announce:
        try:
            ip_address(address)
        except ValueError as error:
            raise ConfigError(f"media.announce: {error}; candidates hold no names") from error
    schemes = {url.partition(":")[0] for url in media.ice_servers}
    if unknown := schemes - {"stun", "turn", "turns"}:
        raise ConfigError(f"media.ice_servers: not stun:, turn: or turns: but {min(unknown)}:")
    known = media.turn_secret or (media.turn_username and media.turn_password)
    if schemes - {"stun"} and not known:
        raise ConfigError("media.ice_servers: TURN needs media.turn_secret, or user and password")


def _check_default_plan(settings: Settings) -> None:
    name = settings.usage.default_plan
    if name not in settings.plans and name != UsageSettings().default_plan:
        raise ConfigError(f"usage.default_plan: there is no [plans.{name}]")


def _plan(name: str, raw: Any) -> PlanSettings:
    """A table `[plans.NAME]`."""
    known = dict(_known(PlanSettings))
    if not isinstance(raw, dict):
        raise ConfigError(f"{name}: expected a table, not {raw!r}")
    for limit in raw:
        if limit not in known:
            raise ConfigError(f"unknown setting '{name}.{limit}'{_nearest(limit, known)}")
    return PlanSettings(
        **{
            limit: _converted(f"{name}.{limit}", known[limit], value)
            for limit, value in raw.items()
        }
    )


def check_secrets(settings: Settings) -> None:
    """Refuse to serve with a missing, default or guessable master key. Raises ConfigError."""
    key = settings.master_key
    if not key:
        raise ConfigError(
            "master_key is not set: put the output of `openssl rand -base64 32` into"
            " TOKENIM_MASTER_KEY, or use --dev for a first look"
        )
    plain = key.lower()
    if len(key) < MASTER_KEY_MIN_CHARS or len(set(key)) < 12 or plain.startswith(PLACEHOLDERS):
        raise ConfigError(
            "master_key can be guessed: use at least 32 random characters, as"
            " `openssl rand -base64 32` prints"
        )


def _known(cls: Any) -> Iterator[tuple[str, Any]]:
    hints = typing.get_type_hints(cls)
    for item in fields(cls):
        hint = hints[item.name]
        if is_dataclass(hint):
            yield from ((f"{item.name}.{name}", inner) for name, inner in _known(hint))
        elif typing.get_origin(hint) is not Mapping:
            yield item.name, hint


def _from_file(path: Path | None) -> Iterator[tuple[str, Any]]:
    if path is None:
        return
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", raw) for inner, raw in value.items())
        else:
            yield name, value


def _from_env(env: Mapping[str, str], known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = {ENV_PREFIX + name.replace(".", "_").upper(): name for name in known} | ENV_ALIASES
    for variable in sorted(env):
        if not variable.startswith(ENV_PREFIX) or variable in NOT_SETTINGS:
            continue
        if variable not in names:
            raise ConfigError(f"unknown variable {variable!r}{_nearest(variable, names)}")
        yield names[variable], env[variable]


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _converted(name: str, hint: Any, raw: Any) -> Any:
    try:
        return value_of(name, hint, raw)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{name}: {error}") from error


T = TypeVar("T")


def _built(cls: type[T], values: Mapping[str, Any], prefix: str = "") -> T:
    hints = typing.get_type_hints(cls)
    made: dict[str, Any] = {}
    for item in fields(cls):  # type: ignore[arg-type]
        name = prefix + item.name
        if is_dataclass(hints[item.name]):
            made[item.name] = _built(hints[item.name], values, f"{name}.")
        elif name in values:
            made[item.name] = values[name]
    return cls(**made)
