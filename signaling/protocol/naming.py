"""What the published documents share: references, names, summaries."""

import inspect
import re
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec

VERSION = "1"
REF = "#/components/schemas/{name}"
Requests = Mapping[str, type[msgspec.Struct]]
"""Event name -> the struct of its payload."""
Shape = type[msgspec.Struct] | UnionType
"""A struct, or any of several."""


def alternatives(shape: Shape) -> tuple[type[msgspec.Struct], ...]:
    """The structs a shape may be."""
    return get_args(shape) or (shape,)


def reference(shape: Shape) -> dict[str, Any]:
    """Its schema, where `components` of its alternatives are."""
    found = [{"$ref": REF.format(name=kind.__name__)} for kind in alternatives(shape)]
    return found[0] if len(found) == 1 else {"anyOf": found}


def components(kinds: Iterable[type]) -> dict[str, Any]:
    """JSON schemas of structs, and of those they hold, by name."""
    unique = list(dict.fromkeys(kinds))
    return msgspec.json.schema_components(unique, ref_template=REF)[1]


def identifier(verb: str, name: str) -> str:
    """`("on", "message:send")` is `onMessageSend`."""
    return verb + "".join(word.title() for word in re.split(r"[^A-Za-z0-9]+", name))


def summary(kind: type, name: str = "") -> str:
    """The first paragraph of what a struct says of itself, without the names of its requests."""
    text = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    text = re.sub(r"^(`[a-z:]+`(, | and )?)+", "", text).lstrip(":.; ")
    return (text[:1].upper() + text[1:]) or _title(name)


def _title(name: str) -> str:
    """`conversation:get` is "Get conversation"."""
    noun, _, verb = name.partition(":")
    return f"{verb} {noun}".strip().capitalize()
