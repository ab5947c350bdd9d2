"""Grants: absent means a member's rights; patterns and sources narrow them."""

from typing import Any

import pytest

from signaling.auth import grants
from signaling.errors import Refused
from signaling.model import Grants


def test_absent_grants_are_a_plain_members() -> None:
    assert grants.parse(None) == Grants()
    assert not grants.allows_room(Grants(), "lobby")
    assert grants.allows_source(Grants(), "camera")


def test_rooms_are_shell_style_patterns() -> None:
    allowed = grants.parse({"rooms": ["team-*", "lobby"]})
    assert grants.allows_room(allowed, "team-7")
    assert grants.allows_room(allowed, "lobby")
    assert not grants.allows_room(allowed, "Team-7")
    assert not grants.allows_room(allowed, "my-team-7")


def test_sources_narrow_publishing() -> None:
    only_sound = grants.parse({"publish_sources": ["microphone"]})
    assert grants.allows_source(only_sound, "microphone")
    assert not grants.allows_source(only_sound, "screen")
    assert not grants.allows_source(grants.parse({"publish": False}), "microphone")


@pytest.mark.parametrize(
    "raw",
    [
        "all",
        [],
        {"rooms": "lobby"},
        {"rooms": [1]},
        {"publish": "yes"},
        {"admin": 1},
        {"rooms": ["x"] * 101},
        {"rooms": ["x" * 257]},
        {"publish_sources": ["telepathy"]},
    ],
)
def test_malformed_grants_make_a_token_worthless(raw: Any) -> None:
    with pytest.raises(Refused) as refused:
        grants.parse(raw)
    assert refused.value.code == "unauthorized"
