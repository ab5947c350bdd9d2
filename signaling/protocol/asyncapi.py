"""The published AsyncAPI 3.0 document of Socket.IO, made from the structs that validate."""

from typing import Any

from signaling.protocol.answers import ANSWERS
from signaling.protocol.events import EVENTS
from signaling.protocol.naming import (
    VERSION,
    Requests,
    Shape,
    alternatives,
    components,
    identifier,
    reference,
    summary,
)
from signaling.protocol.told import Refusal


def asyncapi(requests: Requests) -> dict[str, Any]:
    """The AsyncAPI document of the Socket.IO side, told by the server: it receives and sends."""
    messages = {name: _message(name, kind) for name, kind in requests.items()}
    messages |= {ack_of(name): _ack(name) for name in requests}
    messages |= {name: _message(name, shape) for name, shape in EVENTS.items()}
    operations: dict[str, Any] = {}
    for name in requests:
        reply = {"channel": _CHANNEL, "messages": [_named(ack_of(name)), _named("refused")]}
        operations[identifier("on", name)] = {**_operation("receive", name), "reply": reply}
    for name in EVENTS:
        operations[identifier("emit", name)] = _operation("send", name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "TokenIM",
            "version": VERSION,
            "description": "Socket.IO v5 on /socket.io/, default namespace, text frames.",
        },
        "channels": {
            "socket": {"address": "/socket.io/", "messages": {**messages, "refused": _refused()}}
        },
        "operations": operations,
        "components": {"schemas": _schemas(requests)},
    }


def ack_of(request: str) -> str:
    """The name of the message that answers it."""
    return f"{request}:ack"


def _schemas(requests: Requests) -> dict[str, Any]:
    shapes: list[Shape] = [*(ANSWERS[name] for name in requests), *EVENTS.values(), Refusal]
    kinds = [kind for shape in shapes for kind in alternatives(shape)]
    found: dict[str, Any] = _plain(components([*requests.values(), *kinds]))
    return found


def _plain(schema: Any) -> Any:
    """Without `discriminator`, which OpenAPI writes otherwise than AsyncAPI: constants do."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _plain(one) for name, one in schema.items() if name != "discriminator"}


def _message(name: str, shape: Shape) -> dict[str, Any]:
    said = summary(alternatives(shape)[0], name)
    return {"name": name, "summary": said, "payload": reference(shape)}


def _ack(request: str) -> dict[str, Any]:
    """The answer's fields beside `ok`."""
    shape = ANSWERS[request]
    said = summary(alternatives(shape)[0])
    payload = {"allOf": [_outcome(True), reference(shape)]}
    return {"name": ack_of(request), "summary": said, "payload": payload}


def _refused() -> dict[str, Any]:
    payload = _outcome(False)
    payload["properties"]["error"] = reference(Refusal)
    payload["required"].append("error")
    return {"name": "refused", "summary": summary(Refusal), "payload": payload}


def _outcome(ok: bool) -> dict[str, Any]:
    return {"type": "object", "properties": {"ok": {"const": ok}}, "required": ["ok"]}


_CHANNEL = {"$ref": "#/channels/socket"}


def _named(message: str) -> dict[str, Any]:
    return {"$ref": f"#/channels/socket/messages/{message}"}


def _operation(action: str, name: str) -> dict[str, Any]:
    return {"action": action, "channel": _CHANNEL, "messages": [_named(name)]}
