"""The published AsyncAPI 3.0 document of Socket.IO, made from the structs that validate."""

from typing import Any

import msgspec

from signaling.protocol.events import EVENTS, LOG_FIELDS, EventKind
from signaling.protocol.naming import REF, VERSION, Requests, components, identifier, summary
from signaling.protocol.problem import ACK_FIELDS, PROBLEM


def asyncapi(requests: Requests) -> dict[str, Any]:
    """The AsyncAPI document of the Socket.IO side, told by the server: it receives and sends."""
    messages = {name: _request_message(name, kind) for name, kind in requests.items()}
    messages |= {kind.name: _event_message(kind) for kind in EVENTS}
    operations: dict[str, Any] = {}
    for name in requests:
        operations[identifier("on", name)] = _socket_operation("receive", name) | {
            "reply": {
                "channel": {"$ref": "#/channels/socket"},
                "messages": [{"$ref": "#/channels/socket/messages/ack"}],
            }
        }
    for kind in EVENTS:
        operations[identifier("emit", kind.name)] = _socket_operation("send", kind.name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "TokenIM",
            "version": VERSION,
            "description": "Socket.IO v5 on /socket.io/, default namespace, text frames.",
        },
        "channels": {"socket": {"address": "/socket.io/", "messages": {**messages, "ack": _ack()}}},
        "operations": operations,
        "components": {"schemas": components(requests.values())},
    }


def _request_message(name: str, kind: type[msgspec.Struct]) -> dict[str, Any]:
    payload = {"$ref": REF.format(name=kind.__name__)}
    return {"name": name, "summary": summary(kind, name), "payload": payload}


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
    error = {key: value for key, value in PROBLEM["properties"].items() if key in ACK_FIELDS}
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


def _socket_operation(action: str, name: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{name}"}],
    }
