"""The published schemas: OpenAPI 3.1 and AsyncAPI 3.0, made from the structs that validate."""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from signaling.errors import CODES
from signaling.protocol.events import EVENTS, LOG_FIELDS, EventKind
from signaling.protocol.management import MANAGEMENT, Managing
from signaling.protocol.rest import OPERATIONS, Operation

VERSION = "1"
REF = "#/components/schemas/{name}"
Requests = Mapping[str, type[msgspec.Struct]]
"""Event name -> the struct of its payload."""


def openapi(requests: Requests) -> dict[str, Any]:
    """The OpenAPI document of `/v1`."""
    bodies = [kind for row in MANAGEMENT for kind in (row.body, row.answer) if kind]
    components = _components([*requests.values(), *bodies])
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        if operation.event in requests:
            entry = _operation(operation, requests[operation.event], components)
            paths.setdefault("/v1" + operation.path, {})[operation.method.lower()] = entry
    for row in MANAGEMENT:
        paths.setdefault("/v1" + row.path, {})[row.method.lower()] = _managing(row)
    return {
        "openapi": "3.1.0",
        "info": {"title": "TokenIM", "version": VERSION},
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _problem()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "key": {"type": "http", "scheme": "basic"},
            },
        },
    }


def asyncapi(requests: Requests) -> dict[str, Any]:
    """The AsyncAPI document of the Socket.IO side, told by the server: it receives and sends."""
    messages = {name: _request_message(name, kind) for name, kind in requests.items()}
    messages |= {kind.name: _event_message(kind) for kind in EVENTS}
    operations: dict[str, Any] = {}
    for name in requests:
        operations[_identifier("on", name)] = _socket_operation("receive", name) | {
            "reply": {
                "channel": {"$ref": "#/channels/socket"},
                "messages": [{"$ref": "#/channels/socket/messages/ack"}],
            }
        }
    for kind in EVENTS:
        operations[_identifier("emit", kind.name)] = _socket_operation("send", kind.name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "TokenIM",
            "version": VERSION,
            "description": "Socket.IO v5 on /socket.io/, default namespace, text frames.",
        },
        "channels": {"socket": {"address": "/socket.io/", "messages": {**messages, "ack": _ack()}}},
        "operations": operations,
        "components": {"schemas": _components(requests.values())},
    }


def _components(kinds: Iterable[type]) -> dict[str, Any]:
    unique = list(dict.fromkeys(kinds))
    return msgspec.json.schema_components(unique, ref_template=REF)[1]


def _operation(
    operation: Operation, kind: type[msgspec.Struct], components: dict[str, Any]
) -> dict[str, Any]:
    schema = components[kind.__name__]
    in_path = re.findall(r"{(\w+)}", operation.path)
    fixed = dict(operation.fixed)
    left = {
        name: field
        for name, field in schema["properties"].items()
        if name not in in_path and name not in fixed
    }
    required = [name for name in schema.get("required", []) if name in left]
    parameters = [_parameter("path", name, schema["properties"], True) for name in in_path]
    entry: dict[str, Any] = {
        "operationId": _identifier(operation.method.lower(), operation.path),
        "summary": _summary(kind).removeprefix(f"`{operation.event}`").lstrip(":. ")
        or operation.event,
        "tags": [operation.tag],
    }
    if operation.method in ("GET", "DELETE"):
        parameters += [_parameter("query", name, left, name in required) for name in left]
    elif left:
        body = {"type": "object", "properties": left, "required": required}
        entry["requestBody"] = {
            "required": bool(required),
            "content": {"application/json": {"schema": body}},
        }
    parameters.append(_as_parameter())
    entry["parameters"] = parameters
    entry["responses"] = _responses(operation.status, {"type": "object"})
    entry["security"] = [{"token": []}, {"key": []}]
    return entry


def _managing(row: Managing) -> dict[str, Any]:
    result: dict[str, Any] = {"type": "object"}
    if row.answer is not None:
        result = {"$ref": REF.format(name=row.answer.__name__)}
    if row.listed:
        rows = {"type": "array", "items": result}
        result = {"type": "object", "properties": {row.listed: rows}, "required": [row.listed]}
    entry: dict[str, Any] = {
        "summary": row.summary,
        "tags": ["management"],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", row.path)
        ],
        "responses": _responses(row.status, result),
        "security": [{"key": []}],
    }
    if row.body is not None:
        schema = {"$ref": REF.format(name=row.body.__name__)}
        entry["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return entry


def _parameter(
    place: str, name: str, properties: Mapping[str, Any], required: bool
) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": properties[name]}


def _as_parameter() -> dict[str, Any]:
    return {
        "name": "as",
        "in": "query",
        "required": False,
        "description": "The user an app's server acts for; needed with an API key.",
        "schema": {"type": "string"},
    }


def _responses(status: int, schema: dict[str, Any]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    return {
        str(status): {"description": "Done.", "content": {"application/json": {"schema": schema}}},
        "default": {"description": "Refused (RFC 9457).", "content": problem},
    }


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "code", "message", "retryable"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"enum": list(CODES)},
            "message": {"type": "string"},
            "retryable": {"type": "boolean"},
            "retry_after_ms": {"type": "integer"},
        },
    }


def _request_message(name: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    payload = {"$ref": REF.format(name=kind.__name__)}
    return {"name": name, "summary": _summary(kind), "payload": payload}


def _event_message(kind: EventKind) -> dict[str, Any]:
    names = [*(LOG_FIELDS if kind.logged else ()), *kind.fields.split()]
    return {
        "name": kind.name,
        "summary": kind.summary,
        "payload": {
            "type": "object",
            "properties": {name.rstrip("?"): {} for name in names},
            "required": [name for name in names if not name.endswith("?")],
        },
    }


def _ack() -> dict[str, Any]:
    error = {key: value for key, value in _problem()["properties"].items() if key in _ACK_FIELDS}
    return {
        "name": "ack",
        "summary": "The one answer to a request.",
        "payload": {
            "type": "object",
            "required": ["ok"],
            "properties": {
                "ok": {"type": "boolean"},
                "error": {"type": "object", "properties": error},
            },
        },
    }


_ACK_FIELDS = frozenset({"code", "message", "retryable", "retry_after_ms"})


def _socket_operation(action: str, name: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"}],
    }


def _identifier(verb: str, name: str) -> str:
    return verb + "".join(word.title() for word in re.split(r"[:_/{}]+", name))


def _summary(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
