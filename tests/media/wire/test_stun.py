"""STUN as an ICE-lite agent needs it."""

import pytest
from aioice import stun as codec

from media.wire import stun
from tests.captures import load

PASSWORD = "a-password-of-22-chars!"


def test_reads_a_connectivity_check() -> None:
    message = stun.parse(load("stun_binding_request"))
    assert message.is_request
    assert message.username == "serverfrag:clientfrag"
    assert message.use_candidate
    assert message.fingerprint
    assert message.controlling == 0x1122334455667788
    assert message.priority == 0x6E001EFF
    assert stun.authentic(message, PASSWORD)
    assert not stun.authentic(message, PASSWORD + "x")


def test_unsigned_message_is_not_authentic() -> None:
    request = codec.Message(codec.Method.BINDING, codec.Class.REQUEST)
    request.add_fingerprint()
    assert not stun.authentic(stun.parse(bytes(request)), PASSWORD)


def test_changed_byte_breaks_integrity_or_fingerprint() -> None:
    good = load("stun_binding_request")
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1
        try:
            message = stun.parse(bad)
        except ValueError:
            continue
        assert not (message.fingerprint and stun.authentic(message, PASSWORD)), at


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
def test_success_carries_the_address(host: str) -> None:
    answer = stun.parse(stun.binding_success(b"t" * 12, (host, 7000), PASSWORD))
    assert answer.mapped == (host, 7000)
    assert answer.transaction == b"t" * 12
    assert stun.authentic(answer, PASSWORD)


def test_errors_are_signed_only_for_those_we_know() -> None:
    stranger = stun.parse(stun.binding_error(b"t" * 12, stun.UNAUTHORIZED))
    known = stun.parse(stun.binding_error(b"t" * 12, stun.ROLE_CONFLICT, PASSWORD))
    assert (stranger.error_code, known.error_code) == (401, 487)
    assert stranger.fingerprint
    assert not stun.authentic(stranger, PASSWORD)
    assert stun.authentic(known, PASSWORD)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", bytes(20), load("stun_binding_request") + b"\0", bytes(4000)],
)
def test_refuses_what_is_not_stun(data: bytes) -> None:
    with pytest.raises(ValueError):
        stun.parse(data)


def test_refuses_other_methods_and_oversize() -> None:
    allocate = codec.Message(codec.Method.ALLOCATE, codec.Class.REQUEST)
    with pytest.raises(ValueError):
        stun.parse(bytes(allocate))
    large = codec.Message(codec.Method.BINDING, codec.Class.REQUEST)
    large.attributes["SOFTWARE"] = "x" * 1400
    with pytest.raises(ValueError):
        stun.parse(bytes(large))


def test_an_independent_codec_reads_ours() -> None:
    request, transaction = stun.binding_request("abcd:efgh", PASSWORD, controlling=7)
    theirs = codec.parse_message(request)
    assert theirs.check_message_integrity(PASSWORD.encode())
    assert theirs.attributes["USERNAME"] == "abcd:efgh"
    assert theirs.attributes["ICE-CONTROLLING"] == 7
    for host in ("192.0.2.7", "2001:db8::7"):
        theirs = codec.parse_message(stun.binding_success(transaction, (host, 7000), PASSWORD))
        assert theirs.attributes["XOR-MAPPED-ADDRESS"] == (host, 7000)
        assert theirs.check_message_integrity(PASSWORD.encode())
    theirs = codec.parse_message(stun.binding_error(transaction, stun.ROLE_CONFLICT, PASSWORD))
    assert theirs.attributes["ERROR-CODE"] == (487, "Role Conflict")
    assert theirs.check_message_integrity(PASSWORD.encode())


def test_we_read_an_independent_codec() -> None:
    request = codec.Message(codec.Method.BINDING, codec.Class.REQUEST)
    request.attributes = {"USERNAME": "abcd:efgh", "ICE-CONTROLLED": 9, "USE-CANDIDATE": None}
    request.add_message_integrity(PASSWORD.encode())
    message = stun.parse(bytes(request))
    assert (message.username, message.controlled) == ("abcd:efgh", 9)
    assert message.use_candidate
    assert stun.authentic(message, PASSWORD)


def test_what_follows_the_integrity_is_not_believed() -> None:
    request = codec.Message(codec.Method.BINDING, codec.Class.REQUEST)
    request.add_message_integrity(PASSWORD.encode())
    del request.attributes["FINGERPRINT"]
    request.attributes["USE-CANDIDATE"] = None
    request.add_fingerprint()
    message = stun.parse(bytes(request))
    assert stun.authentic(message, PASSWORD)
    assert not message.use_candidate


@pytest.mark.parametrize(
    ("username", "parts"),
    [("abcd:efgh", ("abcd", "efgh")), ("abcd:e:f", ("abcd", "e:f"))],
)
def test_splits_usernames(username: str, parts: tuple[str, str]) -> None:
    assert stun.split_username(username) == parts


@pytest.mark.parametrize("username", ["", "abcd", "abc:efgh", "abcd:", ":abcd", "a" * 257 + ":b"])
def test_refuses_usernames_of_other_shapes(username: str) -> None:
    with pytest.raises(ValueError):
        stun.split_username(username)
