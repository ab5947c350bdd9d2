"""What every test may ask for: real parts only, on 127.0.0.1 and ephemeral ports."""

from __future__ import annotations

import os

import pytest


def required(reason: str) -> None:
    """Skip where a tool is missing on a developer's machine; fail where CI promised it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must provide it: {reason}")
    pytest.skip(reason)
