"""The master key seals for one place, and only for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.auth.sealing import MasterKey, SealBroken

MASTER = MasterKey("one master key of 32 characters!")


@given(st.binary(), st.text(max_size=20))
def test_what_is_sealed_opens_at_its_place(plain: bytes, place: str) -> None:
    assert MASTER.open(MASTER.seal(plain, place), place) == plain


def test_it_opens_neither_elsewhere_nor_under_another_key() -> None:
    sealed = MASTER.seal(b"secret", "key-1")
    with pytest.raises(SealBroken):
        MASTER.open(sealed, "key-2")
    with pytest.raises(SealBroken):
        MasterKey("another").open(sealed, "key-1")


@given(st.binary(max_size=64))
def test_bytes_that_were_never_sealed_are_refused(junk: bytes) -> None:
    with pytest.raises(SealBroken):
        MASTER.open(junk, "key-1")


def test_each_purpose_has_its_own_key() -> None:
    assert MASTER.derive("bus") != MASTER.derive("seal")
    assert MASTER.derive("bus") == MasterKey("one master key of 32 characters!").derive("bus")
    assert len(MASTER.derive("bus")) == 32
