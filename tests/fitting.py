"""Holds what the server says to what the published documents say of it."""

from collections.abc import Callable
from typing import Any

import msgspec

from signaling.protocol.answers import ANSWERS
from signaling.protocol.events import EVENTS
from signaling.protocol.naming import Shape, alternatives


def check_answer(request: str, answer: dict[str, Any]) -> None:
    """Raises AssertionError where an answer is not the one that is published."""
    _fit(request, ANSWERS[request], answer)


def check_event(name: str, payload: dict[str, Any]) -> None:
    """Raises AssertionError where an event is not the one that is published."""
    _fit(name, EVENTS[name], payload)


def _fit(name: str, shape: Shape, said: dict[str, Any]) -> None:
    """A struct drops what it does not know: going there and back has to lose nothing."""
    plain = msgspec.json.decode(msgspec.json.encode(said))
    wrong = [_misfit(kind, plain) for kind in alternatives(shape)]
    assert None in wrong, f"{name} is not as published: {wrong}\n{plain}"


def _misfit(kind: type[msgspec.Struct], plain: Any) -> str | None:
    convert: Callable[..., Any] = msgspec.convert
    try:
        back = msgspec.to_builtins(convert(plain, kind, strict=True))
    except msgspec.ValidationError as error:
        return f"{kind.__name__}: {error}"
    return None if back == plain else f"{kind.__name__} would be {back}"
