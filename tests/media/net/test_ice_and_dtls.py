"""ICE-lite's memory, what DTLS is fed, and the private shapes we lean on."""

import asyncio
import inspect

import pytest
from aiortc import rtcdtlstransport, rtcsctptransport
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session, _binding

from media.drops import DropReason, Drops
from media.net.dtls import MAX_PENDING, Certificate, Dtls, Feed, records
from media.net.ice import MAX_ADDRESSES, IceLite
from media.net.srtp import PROFILES, Cipher


def test_the_nominated_address_is_used_and_old_ones_are_forgotten() -> None:
    ice = IceLite()
    ufrag = ice.local.ufrag
    assert ice.checked(b"a", ufrag, nominate=False, now=1.0) == []
    assert ice.selected == b"a"
    ice.checked(b"b", ufrag, nominate=True, now=2.0)
    ice.checked(b"c", ufrag, nominate=False, now=3.0)
    assert ice.selected == b"b"
    gone: list[bytes] = []
    for number in range(MAX_ADDRESSES):
        gone += ice.checked(bytes([number]), ufrag, nominate=False, now=4.0)
    assert b"b" not in gone
    assert len(ice.addresses) == MAX_ADDRESSES
    assert gone[:2] == [b"a", b"c"]


def test_a_restart_keeps_the_old_password_until_the_new_one_is_used() -> None:
    ice = IceLite()
    old = ice.local
    ice.checked(b"a", old.ufrag, nominate=True, now=1.0)
    new = ice.restart()
    assert new != old
    assert ice.password(old.ufrag) == old.password
    assert ice.password(new.ufrag) == new.password
    ice.checked(b"b", old.ufrag, nominate=True, now=2.0)
    assert ice.selected == b"a"  # a nomination of the old generation moves nothing
    ice.checked(b"b", new.ufrag, nominate=True, now=3.0)
    assert ice.selected == b"b"
    assert ice.password(old.ufrag) is None


def test_credentials_are_long_enough_and_never_the_same() -> None:
    made = {IceLite().local for _ in range(50)}
    assert len(made) == 50
    assert all(len(c.ufrag) >= 4 and len(c.password) >= 22 for c in made)
    assert all(c.password not in repr(c) for c in made)


@given(st.binary(max_size=200))
def test_any_bytes_are_whole_records_or_none(data: bytes) -> None:
    found = records(data)
    if found is not None:
        assert b"".join(found) == data


def _record(kind: int, epoch: int, body: bytes) -> bytes:
    return (
        bytes([kind, 0xFE, 0xFD])
        + epoch.to_bytes(2, "big")
        + bytes(6)
        + (len(body).to_bytes(2, "big") + body)
    )


async def test_the_feed_splits_records_drops_plain_alerts_and_is_bounded() -> None:
    drops = Drops()
    feed = Feed(lambda _data: None, drops)
    first, second = _record(22, 0, b"hello"), _record(23, 1, b"data")
    feed.put(first + _record(21, 0, b"\x02\x28") + second)
    assert await feed._recv() == first
    assert await feed._recv() == second
    feed.put(b"")
    feed.put(first[:-1])
    assert drops.counts[DropReason.DTLS_MALFORMED] == 2
    assert drops.counts[DropReason.DTLS_PLAIN_ALERT] == 1
    for _ in range(MAX_PENDING + 5):
        feed.put(first)
    assert drops.counts[DropReason.DTLS_QUEUE_FULL] == 5
    feed.close()
    for _ in range(MAX_PENDING):
        await feed._recv()
    with pytest.raises(ConnectionError):
        await feed._recv()
    with pytest.raises(ConnectionError):  # and for ever after
        await feed._recv()


async def _handshake(server_prints: list[tuple[str, str]] | None = None) -> tuple[Dtls, Dtls, bool]:
    """Two of our transports joined back to back; whether the server was content."""
    certificates = Certificate.generateCertificate(), Certificate.generateCertificate()
    feeds: list[Feed] = []
    for other in (1, 0):
        feeds.append(Feed(lambda data, other=other: feeds[other].put(data), Drops()))  # type: ignore[misc]
    server = Dtls(feeds[0], certificates[0], server=True)
    client = Dtls(feeds[1], certificates[1], server=False)
    wanted = server_prints or [certificates[1].fingerprint()]
    async with asyncio.timeout(60):
        ok, _ = await asyncio.gather(
            server.handshake(wanted), client.handshake([certificates[0].fingerprint()])
        )
    return server, client, ok


async def test_keys_of_both_ends_fit_and_the_128_bit_cipher_is_preferred() -> None:
    server, client, ok = await _handshake()
    assert ok
    assert PROFILES[0].openssl_profile == b"SRTP_AEAD_AES_128_GCM"
    packet = b"\x80\x60\x00\x01" + bytes(8) + b"payload"
    protected = Cipher(server._tx_srtp).protect_rtp(packet)
    assert protected is not None
    assert len(protected) == len(packet) + 16  # an AEAD tag, and not SHA1's 10 bytes
    receiving = Cipher(client._rx_srtp)
    assert receiving.unprotect_rtp(protected) == packet
    assert receiving.unprotect_rtp(protected) is None  # a replay
    await server.stop()
    await client.stop()


async def test_a_peer_with_another_certificate_is_refused() -> None:
    _server, client, ok = await _handshake([("sha-256", ":".join(["00"] * 32))])
    assert not ok
    await client.stop()


def test_private_shapes_of_pylibsrtp() -> None:
    profile = PROFILES[0].libsrtp_profile
    session = Session(Policy(bytes(28), Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
    assert session._srtp[0] is not None
    for name in ("srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
        assert callable(getattr(_binding.lib, name))
    assert _binding.ffi.sizeof("int") == 4


def test_private_shapes_of_aiortc() -> None:
    dtls = rtcdtlstransport.RTCDtlsTransport
    source = inspect.getsource(dtls)
    for name in ("_rx_srtp", "_tx_srtp", "_srtp_profiles", "_data_receiver", "_task", "_ssl"):
        assert f"self.{name}" in source, name
    for name in ("_set_role", "_write_ssl", "_send_data", "_register_data_receiver"):
        assert callable(getattr(dtls, name)), name
    assert "await self.transport._recv()" in source
    assert "await self.transport._send(data)" in source
    sctp = inspect.getsource(rtcsctptransport.RTCSctpTransport)
    for name in ("_advertised_rwnd", "_data_channels", "_handle_data", "transport._role"):
        assert name in sctp, name
    assert inspect.iscoroutinefunction(rtcsctptransport.RTCSctpTransport._handle_data)
