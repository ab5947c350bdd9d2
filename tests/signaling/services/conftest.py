"""Services over a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.house import House, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path / "house.db") as made:
        yield made
