"""Whatever a file is called: refused, or a name that fools no header, path or screen."""

import unicodedata
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import Refused
from signaling.http.files import disposition
from signaling.services.file_rules import INLINE_TYPES, checked_name, checked_type, served_type

NAMES = st.one_of(st.text(max_size=40), st.text(alphabet='./\\:con1. \u202e"\r\nä%', max_size=8))


@given(NAMES)
def test_an_accepted_name_is_plain(name: str) -> None:
    try:
        accepted = checked_name(name)
    except Refused:
        return
    assert accepted == unicodedata.normalize("NFC", name)
    assert 0 < len(accepted.encode()) <= 255
    assert accepted not in (".", "..")
    assert not set(accepted) & set('/\\:*?"<>|')
    assert not any(
        unicodedata.category(character)[0] == "C"
        for character in accepted
        if (unicodedata.category(character) not in ("Cn", "Co"))
    )
    assert checked_name(accepted) == accepted


@given(st.text(max_size=40), st.booleans())
def test_a_disposition_is_one_header_that_gives_the_name_back(name: str, attach: bool) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    header = disposition(name, attach=attach)
    assert header.isascii()
    assert header.isprintable()
    kind, plain, extended = header.split("; filename", 2)
    assert kind == ("attachment" if attach else "inline")
    assert plain.count('"') == 2
    assert unquote(extended.removeprefix("*=UTF-8''")) == name


@given(st.text(max_size=60))
def test_only_named_types_are_served_as_declared(declared: str) -> None:
    kept = checked_type(declared)
    assert kept.isascii()
    assert kept.isprintable()
    assert served_type(kept) in INLINE_TYPES | {"application/octet-stream"}
