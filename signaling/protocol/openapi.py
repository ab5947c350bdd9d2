"""The published OpenAPI 3.1 document of `/v1`, made from the structs that validate."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from signaling.protocol.answers import ANSWERS
from signaling.protocol.management import MANAGEMENT, Managing
from signaling.protocol.naming import (
    REF,
    VERSION,
    Requests,
    alternatives,
    components,
    identifier,
    reference,
    summary,
)
from signaling.protocol.problem import PROBLEM
from signaling.protocol.rest import OPERATIONS, Operation
from signaling.protocol.rest_files import FILE_PATHS, UploadedFile

PREFIX = "/v1"
HEADERS = {
    "X-RateLimit-Limit": "Requests at once.",
    "X-RateLimit-Remaining": "How many of them are left.",
    "X-RateLimit-Reset": "In how many seconds all are there again.",
}
NEXT = {"type": ["string", "null"], "description": "The `cursor` of the page after."}
WITHOUT_BODY = ("GET", "DELETE")


def openapi(requests: Requests) -> dict[str, Any]:
    """All of it; of the wire's requests those that are answered here."""
    bodies = [kind for row in MANAGEMENT for kind in (row.body, row.answer) if kind]
    answers = [kind for event in requests for kind in alternatives(ANSWERS[event])]
    schemas = components([*requests.values(), *answers, *bodies, UploadedFile])
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        if operation.event in requests:
            entry = _operation(operation, requests[operation.event], schemas)
            paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = entry
    for row in MANAGEMENT:
        paths.setdefault(PREFIX + row.path, {})[row.method.lower()] = _managing(row)
    for path, methods in FILE_PATHS.items():
        for method, entry in methods.items():
            paths.setdefault(PREFIX + path, {})[method] = {**entry, **_ends(entry)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TokenIM",
            "version": VERSION,
            "description": "Everything a user or an app's server does without a live socket.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM},
            "headers": {
                name: {"description": text, "schema": {"type": "integer"}}
                for name, text in HEADERS.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "key": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(
    operation: Operation, kind: type[msgspec.Struct], schemas: dict[str, Any]
) -> dict[str, Any]:
    schema = schemas[kind.__name__]
    in_path = re.findall(r"{(\w+)}", operation.path)
    hidden = {*in_path, *dict(operation.fixed)}
    if operation.pages and not operation.place:
        hidden |= {"before", "after"} if operation.pages == "events" else {operation.pages}
    left = {name: field for name, field in schema["properties"].items() if name not in hidden}
    required = [name for name in schema.get("required", []) if name in left]
    parameters = [_parameter("path", name, schema["properties"][name], True) for name in in_path]
    entry: dict[str, Any] = {
        "operationId": identifier(operation.method.lower(), operation.path),
        "summary": _said(kind, operation),
        "description": f"The request `{operation.event}` of the wire.",
        "tags": [operation.tag],
    }
    if operation.method in WITHOUT_BODY:
        parameters += [_parameter("query", name, left[name], name in required) for name in left]
    elif left:
        body = {"type": "object", "properties": left, "required": required}
        entry["requestBody"] = _body(body, bool(required))
    if operation.pages:
        parameters += _paging("limit" not in left)
    entry["parameters"] = [*parameters, AS, *_repeatable(operation.method)]
    entry["responses"] = _responses(operation.status, _answer(operation))
    entry["security"] = [{"token": []}, {"key": []}]
    return entry


def _answer(operation: Operation) -> dict[str, Any]:
    """What the wire answers; a list has `next` here also where it has none there."""
    shape = ANSWERS[operation.event]
    known = {name for kind in alternatives(shape) for name in kind.__struct_fields__}
    if not operation.pages or "next" in known:
        return reference(shape)
    following = {"type": "object", "properties": {"next": NEXT}, "required": ["next"]}
    return {"allOf": [reference(shape), following]}


def _said(kind: type, operation: Operation) -> str:
    text = summary(kind, operation.event)
    return text.replace("`after`", "`cursor`").replace("`before`", "`cursor`")


def _managing(row: Managing) -> dict[str, Any]:
    result: dict[str, Any] = {"type": "object"}
    if row.answer is not None:
        result = {"$ref": REF.format(name=row.answer.__name__)}
    if row.listed:
        result = _listed(row, result)
    parameters = [
        _parameter("path", name, {"type": "string"}, True)
        for name in re.findall(r"{(\w+)}", row.path)
    ]
    parameters += [_parameter("query", name, schema, False) for name, schema in row.query]
    parameters += _paging(True) if row.paged else []
    entry: dict[str, Any] = {
        "operationId": identifier(row.method.lower(), row.path),
        "summary": row.summary,
        "description": f"By an API key with the scope `{row.scope}`.",
        "tags": [row.tag],
        "parameters": [*parameters, *_repeatable(row.method)],
        "responses": _responses(row.status, result),
        "security": [{"key": []}],
    }
    if row.body is not None:
        schema = {"$ref": REF.format(name=row.body.__name__)}
        entry["requestBody"] = _body(schema, any(_required(row.body)))
    return entry


def _listed(row: Managing, item: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {row.listed: {"type": "array", "items": item}}
    if row.paged:
        properties["next"] = NEXT
    return {"type": "object", "properties": properties, "required": list(properties)}


def _required(kind: type[msgspec.Struct]) -> list[bool]:
    return [field.required for field in msgspec.structs.fields(kind)]


def _body(schema: dict[str, Any], required: bool) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _parameter(place: str, name: str, schema: Any, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _paging(limit: bool) -> list[dict[str, Any]]:
    cursor = {
        "name": "cursor",
        "in": "query",
        "description": "The `next` of the page before.",
        "schema": {"type": "string"},
    }
    size = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    return [cursor, *([_parameter("query", "limit", size, False)] if limit else [])]


AS = {
    "name": "as",
    "in": "query",
    "description": "The user an app's server acts for; needed with an API key.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}


def _repeatable(method: str) -> list[dict[str, Any]]:
    if method != "POST":
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key with the same request gets the first answer again, for a"
            " day.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        }
    ]


def _responses(status: int, schema: dict[str, Any]) -> dict[str, Any]:
    done = {"description": "Done.", "content": {"application/json": {"schema": schema}}}
    return {str(status): {**done, "headers": _headers()}, "default": _refused()}


def _ends(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"responses": {**entry["responses"], "default": _refused()}}


def _refused() -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    return {"description": "Refused (RFC 9457).", "content": problem, "headers": _headers()}


def _headers() -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
