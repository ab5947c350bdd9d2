"""The table of events: what a payload has to be, and what a result becomes."""

from typing import Any

import msgspec
import pytest

from signaling.errors import Refused
from signaling.gateway import Handler, Handlers
from signaling.model import Grants, Identity

WHO = Identity(
    app="a", user="u", device="d", connection="c", name="", grants=Grants(), expires_at=0
)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    count: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    total: int


class Service:
    async def as_dict(self, who: Identity, request: Ask) -> dict[str, Any]:
        return {"user": who.user, "count": request.count}

    async def as_struct(self, who: Identity, request: Ask) -> Told:
        return Told(total=request.count + 1)

    async def as_nothing(self, who: Identity, request: Ask) -> None:
        return None


@pytest.fixture
def handlers() -> Handlers:
    service = Service()
    return Handlers(
        {
            "dict": Handler(Ask, service.as_dict),
            "struct": Handler(Ask, service.as_struct),
            "nothing": Handler(Ask, service.as_nothing),
        }
    )


async def test_results_become_fields(handlers: Handlers) -> None:
    assert await handlers.request(WHO, "dict", {"count": 1}) == {"user": "u", "count": 1}
    assert await handlers.request(WHO, "struct", {"count": 1}) == {"total": 2}
    assert await handlers.request(WHO, "nothing", {"count": 1}) == {}


async def test_unknown_fields_are_passed_over(handlers: Handlers) -> None:
    assert await handlers.request(WHO, "struct", {"count": 1, "new": True}) == {"total": 2}


@pytest.mark.parametrize(
    ("event", "payload", "code"),
    [
        ("nobody", {}, "unsupported"),
        ("dict", {}, "bad_request"),
        ("dict", {"count": "1"}, "bad_request"),
        ("dict", [], "bad_request"),
        ("dict", None, "bad_request"),
        ("dict", "x", "bad_request"),
    ],
)
async def test_what_is_refused(handlers: Handlers, event: str, payload: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        await handlers.request(WHO, event, payload)
    assert refused.value.code == code
