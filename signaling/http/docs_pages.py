"""The published documents as pages for people: no scripts, nothing from elsewhere."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from signaling.errors import RETRYABLE
from signaling.http.docs_errors import MEANINGS
from signaling.http.problems import STATUS

Schema = Mapping[str, Any]
PAGES = (("/docs", "REST"), ("/docs/events", "Socket.IO"), ("/docs/errors", "Errors"))


def rest_page(document: Schema) -> str:
    """Every operation, by tag; its parameters, body and answer behind a click."""
    tags: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            made = _operation(document, method.upper(), path, entry)
            tags.setdefault(entry["tags"][0], []).append(made)
    intro = (
        "<h1>REST</h1><p>Everything a user or an app’s server does without a live socket. Users"
        " send their token (<code>Authorization: Bearer</code>), servers their API key and secret"
        " (<code>Basic</code>) and name the user they act for: <code>?as=</code>.</p>"
        "<p>Lists take <code>cursor</code> and <code>limit</code> and answer <code>next</code>."
        " A POST with an <code>Idempotency-Key</code> is carried out once; sent again, it gets the"
        " first answer. Refusals are <a href=/docs/errors>problems</a> (RFC 9457).</p>"
    )
    body = "".join(f"<h2 id={tag}>{tag.title()}</h2>{''.join(rows)}" for tag, rows in tags.items())
    return _page("/docs", intro + body, [(tag, tag.title()) for tag in tags])


def events_page(document: Schema) -> str:
    """Requests a client sends and events the server sends."""
    messages = document["channels"]["socket"]["messages"]
    sides: dict[str, list[str]] = {"receive": [], "send": []}
    for operation in document["operations"].values():
        name = operation["messages"][0]["$ref"].rpartition("/")[2]
        made = _message(document, name, messages[name], _ack(document, operation))
        sides[operation["action"]].append(made)
    intro = (
        "<h1>Socket.IO</h1><p>Path <code>/socket.io/</code>, default namespace. Connect with"
        " <code>auth: {token, device?, cursor?}</code>; the first event is"
        " <code>session:ready</code>. Each request gets one ack: <code>{ok: true, …}</code> or"
        " <code>{ok: false, error}</code>.</p>"
    )
    body = (
        f"<h2 id=requests>Requests</h2>{''.join(sorted(sides['receive']))}"
        f"<h2 id=events>Events</h2>{''.join(sides['send'])}"
    )
    return _page("/docs/events", intro + body, [("requests", "Requests"), ("events", "Events")])


def errors_page() -> str:
    """Each code: its HTTP status, what it means, whether to try again."""
    rows = [
        (f"<code id={code}>{code}</code>", str(STATUS[code]), escape(meaning), _yes(code))
        for code, meaning in MEANINGS.items()
    ]
    table = _table(("Code", "HTTP", "Means", "Retry"), rows)
    intro = "<h1>Errors</h1><p>Codes are stable words; messages are for people and may change.</p>"
    return _page("/docs/errors", f"{intro}<div class=card>{table}</div>", [])


def _yes(code: str) -> str:
    return "yes" if code in RETRYABLE else "no"


def _operation(document: Schema, method: str, path: str, entry: Schema) -> str:
    summary = (
        f"<summary><span class=verb>{method}</span><code>{escape(path)}</code>"
        f"<span>{_prose(entry['summary'])}</span></summary>"
    )
    inside = _paragraph(entry.get("description"))
    rows = [
        (_name(one["name"], one.get("required")), one["in"], _kind(document, one["schema"]),
         _prose(one.get("description") or one["schema"].get("description") or ""))
        for one in entry.get("parameters", ())
    ]  # fmt: skip
    if rows:
        inside += "<h3>Parameters</h3>" + _table(("Name", "In", "Type", ""), rows)
    for kind, content in entry.get("requestBody", {}).get("content", {}).items():
        inside += f"<h3>Body, {escape(kind)}</h3>" + _fields(document, content["schema"])
    for status, answer in entry["responses"].items():
        if status == "default":
            continue
        inside += f"<h3>{status}: {escape(answer['description'])}</h3>"
        for content in answer.get("content", {}).values():
            inside += _fields(document, content.get("schema", {}))
    return f"<details>{summary}<div class=inside>{inside}</div></details>"


def _ack(document: Schema, operation: Schema) -> str:
    """What a request is answered with, when it is carried out."""
    if "reply" not in operation:
        return ""
    ack = _resolved(document, _resolved(document, operation["reply"]["messages"][0]))
    fields = _fields(document, ack["payload"])
    return f"<h3>Ack</h3><p class=muted>{_prose(ack['summary'])}</p>{fields}"


def _message(document: Schema, name: str, message: Schema, ack: str) -> str:
    summary = (
        f"<summary class=event><code>{escape(name)}</code>"
        f"<span>{_prose(message['summary'])}</span></summary>"
    )
    fields = _fields(document, message["payload"]) or "<p class=muted>No fields.</p>"
    return f"<details>{summary}<div class=inside>{fields}{ack}</div></details>"


def _fields(document: Schema, schema: Schema) -> str:
    """A table; one for each of several parts or alternatives."""
    schema = _resolved(document, schema)
    if "allOf" in schema:
        return "".join(_fields(document, one) for one in schema["allOf"])
    if "anyOf" in schema:
        return "<p class=muted>or</p>".join(_fields(document, one) for one in schema["anyOf"])
    required = schema.get("required", ())
    rows = [
        (_name(name, name in required), _kind(document, field),
         _prose(_resolved(document, field).get("description", "")))
        for name, field in schema.get("properties", {}).items()
    ]  # fmt: skip
    return _table(("Field", "Type", ""), rows) if rows else ""


def _resolved(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _kind(document: Schema, schema: Schema) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        return escape(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']).lower())}</code>"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(one))}</code>" for one in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_kind(document, one) for one in schema["anyOf"])
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_kind(document, schema['items'])}"
    kind = schema.get("type", "any")
    return escape(" | ".join(kind) if isinstance(kind, list) else kind) + _bounds(schema)


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and high < 2**31:
        return f" {low}–{high}"
    if "maxLength" in schema:
        return f", at most {schema['maxLength']}"
    return ""


def _name(name: str, required: bool | None) -> str:
    return f"<code>{escape(name)}</code>" + (" <span class=needed>needed</span>" * bool(required))


def _prose(text: str) -> str:
    """Words between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _paragraph(text: str | None) -> str:
    return f"<p class=muted>{_prose(text)}</p>" if text else ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th scope=col>{entry}</th>" for entry in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _page(path: str, body: str, parts: Iterable[tuple[str, str]]) -> str:
    links = "".join(
        f"<a href={where}{' aria-current=page' * (where == path)}>{name}</a>"
        for where, name in PAGES
    )
    inside = "".join(f"<li><a href=#{anchor}>{name}</a></li>" for anchor, name in parts)
    title = dict(PAGES)[path]
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{title} · TokenIM</title>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        "<link rel=icon href=/favicon.svg><link rel=stylesheet href=/docs/style.css></head><body>"
        '<header><strong><img src=/favicon.svg alt="">TokenIM</strong>'
        f"<nav aria-label=Documents>{links}<a href=/openapi.json>OpenAPI</a>"
        "<a href=/asyncapi.json>AsyncAPI</a><a href=/console>Console</a></nav></header>"
        f"<div class=page><aside><nav aria-label=Sections><ul>{inside}</ul></nav></aside>"
        f"<main>{body}</main></div></body></html>"
    )
