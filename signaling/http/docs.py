"""`/docs`: the published schemas, and pages that render them for people."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import msgspec
from aiohttp import web

from signaling.errors import RETRYABLE, Code
from signaling.http.problems import STATUS
from signaling.protocol.asyncapi import asyncapi
from signaling.protocol.events import EVENTS
from signaling.protocol.naming import Requests
from signaling.protocol.openapi import openapi

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem;
  border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
code { font: .9em ui-monospace, monospace; }
nav a { margin-right: 1rem; }
"""

MEANINGS: dict[Code, str] = {
    "bad_request": "The payload does not fit; the message names the field.",
    "unauthorized": "No valid token or key, or it ended. Get a new one.",
    "forbidden": "Not with this role, these grants or this scope.",
    "not_found": "No such thing, or not for you.",
    "conflict": "The same client_id with another payload, or a state that forbids it.",
    "too_large": "A body, file or packet over its limit.",
    "rate_limited": "Too fast; retry_after_ms says when to go on.",
    "quota_exceeded": "The app's plan is used up.",
    "unavailable": "A store, broker or node is away. Try again.",
    "timeout": "No answer in time; it may have happened. Resend with the same client_id.",
    "unsupported": "Not offered by this server.",
    "internal": "Our mistake; it is logged with the number the message carries.",
}


class Docs:
    """Documents made once, at start."""

    def __init__(self, requests: Requests) -> None:
        rest, wire = openapi(requests), asyncapi(requests)
        self._bodies: dict[str, tuple[str, bytes]] = {
            "/openapi.json": ("application/json", msgspec.json.encode(rest)),
            "/asyncapi.json": ("application/json", msgspec.json.encode(wire)),
            "/docs": ("text/html", _overview(rest, wire, requests).encode()),
            "/docs/errors": ("text/html", _errors().encode()),
            "/docs/style.css": ("text/css", STYLE.encode()),
        }

    def routes(self) -> list[web.RouteDef]:
        """The five paths."""
        return [web.get(path, self.get) for path in self._bodies]

    async def get(self, request: web.Request) -> web.Response:
        """One document."""
        kind, body = self._bodies[request.path]
        charset = None if kind == "application/json" else "utf-8"
        return web.Response(body=body, content_type=kind, charset=charset)


def _overview(rest: Mapping[str, Any], wire: Mapping[str, Any], requests: Requests) -> str:
    messages = wire["channels"]["socket"]["messages"]
    sent = [
        (f"<code>{name}</code>", _fields(rest, kind), escape(messages[name]["summary"]))
        for name, kind in sorted(requests.items())
    ]
    received = [
        (f"<code>{kind.name}</code>", _names(kind.fields.split()), escape(kind.summary))
        for kind in EVENTS
    ]
    paths = [
        (f"<code>{method.upper()} {escape(path)}</code>", escape(entry["summary"]))
        for path, methods in rest["paths"].items()
        for method, entry in methods.items()
    ]
    return _page(
        "TokenIM: the interface",
        "<h2 id=requests>Requests over Socket.IO</h2>"
        + _table(("event", "payload", ""), sent)
        + "<h2 id=events>Events from the server</h2>"
        + _table(("event", "fields", ""), received)
        + "<h2 id=rest>REST</h2>"
        + _table(("path", ""), paths),
    )


def _errors() -> str:
    rows = [
        (
            f"<code id={code}>{code}</code>",
            str(STATUS[code]),
            escape(meaning),
            "yes" if code in RETRYABLE else "no",
        )
        for code, meaning in MEANINGS.items()
    ]
    return _page("TokenIM: errors", _table(("code", "HTTP", "means", "retry"), rows))


def _fields(rest: Mapping[str, Any], kind: type) -> str:
    schema = rest["components"]["schemas"].get(kind.__name__, {})
    required = schema.get("required", [])
    return _names(name if name in required else f"{name}?" for name in schema["properties"])


def _names(names: Iterable[str]) -> str:
    return f"<code>{escape(', '.join(names))}</code>"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th scope=col>{entry}</th>" for entry in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>"
        '<meta name=viewport content="width=device-width">'
        "<link rel=stylesheet href=/docs/style.css></head><body>"
        f"<h1>{title}</h1><nav><a href=/docs>Interface</a><a href=/docs/errors>Errors</a>"
        "<a href=/openapi.json>OpenAPI</a><a href=/asyncapi.json>AsyncAPI</a></nav>"
        f"{body}</body></html>"
    )
