"""What is asked here of real parts does not depend on how fast they are."""

from collections.abc import Iterator

import pytest

from tests.patience import patient


@pytest.fixture(autouse=True)
def patience_with_what_is_shared() -> Iterator[None]:
    with patient():
        yield
