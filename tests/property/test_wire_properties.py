"""Laws of the wire layer: arithmetic, and that what is written reads back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from media.wire import codecs, rtcp, rtp, sdp, seq, stun
from media.wire.codecs import vp8
from media.wire.sdp import Candidate, Codec, Direction, Fingerprint, Media, Rid, Session

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
seq16 = u16


@given(seq16, st.integers(-0x7FFF, 0x7FFF))
def test_distance_undoes_add(start: int, steps: int) -> None:
    assert seq.distance16(seq.add16(start, steps), start) == steps
    assert seq.newer16(seq.add16(start, steps), start) == (steps > 0)


@given(u32, st.integers(-0x7FFF_FFFF, 0x7FFF_FFFF))
def test_distance32_undoes_add(start: int, steps: int) -> None:
    assert seq.distance32(seq.add32(start, steps), start) == steps


@given(st.sampled_from([7, 8, 15, 16, 32]), st.data())
def test_unwrapper_follows_any_walk_of_less_than_half_a_circle(
    bits: int, data: st.DataObject
) -> None:
    half = 1 << (bits - 1)
    position = data.draw(st.integers(0, 2 * half - 1)) + 2 * half
    unwrapper = seq.Unwrapper(bits)
    for step in [0, *data.draw(st.lists(st.integers(1 - half, half - 1), max_size=30))]:
        position += step
        wrapped = position & (2 * half - 1)
        assert unwrapper.peek(wrapped) == position
        assert unwrapper.unwrap(wrapped) == position


elements = st.lists(
    st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=6
) | st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=40)), max_size=6)


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    return rtp.build(
        draw(st.binary(max_size=60)),
        payload_type=draw(st.integers(0, 127)),
        sequence=draw(u16),
        timestamp=draw(u32),
        ssrc=draw(u32),
        marker=draw(st.integers(0, 1)),
        elements=draw(elements),
        padding_bytes=draw(u8),
    )


@given(st.binary(max_size=100), st.integers(0, 127), u16, u32, u32, st.integers(0, 1), elements, u8)
def test_rtp_build_parses_back(
    payload: bytes,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    marker: int,
    extensions: list[tuple[int, bytes]],
    padding: int,
) -> None:
    data = rtp.build(
        payload,
        payload_type=payload_type,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        marker=marker,
        elements=extensions,
        padding_bytes=padding,
    )
    packet = rtp.parse(data)
    assert (packet.payload_type, packet.sequence, packet.marker) == (payload_type, sequence, marker)
    assert (packet.timestamp, packet.ssrc) == (timestamp, ssrc)
    assert bytes(packet.payload) == payload
    assert packet.end - packet.payload_end == padding
    found = [(id_, data[at : at + size]) for id_, at, size in rtp.extensions(packet)]
    assert found == extensions


@given(packets(), st.integers(0, 127), u16, u32, u32, st.integers(0, 1))
def test_patch_changes_the_header_only(
    data: bytes, payload_type: int, sequence: int, timestamp: int, ssrc: int, marker: int
) -> None:
    copy = bytearray(data)
    rtp.patch_header(copy, 0, payload_type, sequence, timestamp, ssrc, marker)
    packet = rtp.parse(copy)
    assert (packet.payload_type, packet.sequence, packet.marker) == (payload_type, sequence, marker)
    assert (packet.timestamp, packet.ssrc) == (timestamp, ssrc)
    assert copy[0] == data[0]
    assert copy[12:] == data[12:]


@given(packets(), u16, u32)
def test_rtx_gives_the_original_back(data: bytes, sequence: int, ssrc: int) -> None:
    packet = rtp.parse(data)
    out = bytearray(len(data) + 2)
    size = rtp.rtx_wrap(packet, out, payload_type=97, ssrc=ssrc, sequence=sequence)
    got = rtp.rtx_unwrap(rtp.parse(out, size), payload_type=packet.payload_type, ssrc=packet.ssrc)
    assert got is not None
    expected = bytearray(data[: packet.payload_end])
    expected[0] &= 0xDF
    assert got == expected


blocks = st.lists(
    st.builds(rtcp.ReportBlock, u32, u8, st.integers(-(2**23), 2**23 - 1), u32, u32, u32, u32),
    max_size=31,
).map(tuple)
reports = st.one_of(
    st.builds(rtcp.SenderReport, u32, st.integers(0, 2**64 - 1), u32, u32, u32, blocks),
    st.builds(rtcp.ReceiverReport, u32, blocks),
    st.builds(rtcp.Sdes, st.lists(st.tuples(u32, st.binary(max_size=255)), max_size=8).map(tuple)),
    st.builds(rtcp.Bye, st.lists(u32, max_size=31).map(tuple)),
    st.builds(rtcp.Pli, u32, u32),
    st.builds(rtcp.Fir, u32, st.lists(st.tuples(u32, u8), max_size=8).map(tuple)),
    st.builds(
        rtcp.Remb,
        u32,
        st.integers(0, 2**18 - 1).flatmap(lambda m: st.integers(0, 40).map(lambda e: m << e)),
        st.lists(u32, max_size=8).map(tuple),
    ),
)


@given(st.lists(reports, min_size=1, max_size=4))
def test_rtcp_compounds_read_back(compound: list[rtcp.Report]) -> None:
    assert rtcp.parse(rtcp.pack(compound)) == compound


@given(u32, u32, seq16, st.lists(st.integers(-3000, 3000), max_size=80))
def test_nack_asks_for_exactly_what_is_missing(
    sender: int, media: int, base: int, steps: list[int]
) -> None:
    wanted = tuple(seq.add16(base, step) for step in steps)
    (parsed,) = rtcp.parse(rtcp.Nack(sender, media, wanted).pack())
    assert isinstance(parsed, rtcp.Nack)
    assert set(parsed.sequences) == set(wanted)
    assert len(parsed.sequences) == len(set(wanted))


@given(
    u32,
    u32,
    u16,
    u8,
    st.integers(0, 2**25),
    st.lists(st.none() | st.integers(-200, 4000), max_size=400),
)
def test_transport_feedback_reads_back(
    sender: int, media: int, base: int, count: int, start: int, gaps: list[int | None]
) -> None:
    now, arrivals = start * 64_000, list[int | None]()
    for gap in gaps:
        if gap is None:
            arrivals.append(None)
        else:
            now = max(now + gap * 250, start * 64_000)
            arrivals.append(now)
    value = rtcp.TransportFeedback(sender, media, base, count, tuple(arrivals))
    (parsed,) = rtcp.parse(value.pack())
    first = next((at for at in arrivals if at is not None), 0)
    laps_us = first - first % (64_000 << 24)  # what the reference has no bits for
    expected = [at if at is None else at - laps_us for at in arrivals]
    assert parsed == replace(value, arrivals_us=tuple(expected))


@st.composite
def vp8_payloads(draw: st.DrawFn) -> bytes:
    """Every combination of optional fields."""
    start = draw(st.booleans())
    picture = draw(
        st.none() | st.binary(min_size=1, max_size=1) | st.binary(min_size=2, max_size=2)
    )
    tl0, layers = draw(st.booleans()), draw(st.booleans())
    fields = b""
    if picture is not None:
        wide = 0x80 if len(picture) == 2 else 0
        fields += bytes([picture[0] & 0x7F | wide]) + picture[1:]
    fields += draw(st.binary(min_size=tl0, max_size=tl0))
    fields += draw(st.binary(min_size=layers, max_size=layers))
    present = (picture is not None) << 7 | tl0 << 6 | layers << 5
    head = bytes([0x80 | start << 4, present]) + fields
    return head + draw(st.binary(min_size=1, max_size=30))


@given(vp8_payloads(), st.binary(max_size=5), u32, u16)
def test_vp8_rewrite_changes_the_ids_and_nothing_else(
    payload: bytes, before: bytes, picture_id: int, tl0picidx: int
) -> None:
    frame = codecs.describe("vp8", payload, 0, len(payload))
    copy = bytearray(before + payload)
    vp8.rewrite(copy, len(before), frame, picture_id, tl0picidx)
    again = codecs.describe("vp8", bytes(copy[len(before) :]), 0, len(payload))
    if frame.picture_id_bits:
        assert again.picture_id == picture_id & ((1 << frame.picture_id_bits) - 1)
    if frame.tl0picidx_offset >= 0:
        assert again.tl0picidx == tl0picidx & 0xFF
    vp8.rewrite(copy, len(before), again, max(frame.picture_id, 0), max(frame.tl0picidx, 0))
    assert copy == before + payload


@given(
    st.ip_addresses(), u16, st.binary(min_size=12, max_size=12), st.text("abcXYZ019+/", min_size=22)
)
def test_stun_success_reads_back(
    host: object, port: int, transaction: bytes, password: str
) -> None:
    message = stun.parse(stun.binding_success(transaction, (str(host), port), password))
    assert stun.authentic(message, password)
    assert message.mapped == (str(host), port)
    assert message.transaction == transaction


token = st.text(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=12
)
ice = st.text("abcdefXYZ0189+/", min_size=22, max_size=40)
streams = st.lists(st.lists(token | token.map("~{}".format), min_size=1, max_size=2), max_size=3)
fingerprints = st.binary(min_size=32, max_size=32).map(
    lambda digest: Fingerprint("sha-256", digest.hex(":").upper())
)


@st.composite
def medias(draw: st.DrawFn) -> Media:
    pts = draw(st.lists(st.integers(35, 127), min_size=1, max_size=5, unique=True))
    codecs_ = [
        Codec(
            pt,
            draw(token),
            draw(st.integers(1, 192_000)),
            draw(st.integers(1, 8)),
            draw(st.dictionaries(token.map(str.lower), token, max_size=3)),
            draw(st.lists(token, unique=True, max_size=3)),
        )
        for pt in pts
    ]
    return Media(
        kind=draw(st.sampled_from(["audio", "video"])),
        mid=draw(token),
        port=draw(u16),
        direction=draw(st.sampled_from(Direction)),
        setup=draw(st.sampled_from(["", "active", "passive", "actpass"])),
        ice_ufrag=draw(ice),
        ice_pwd=draw(ice),
        ice_options=draw(st.lists(token, max_size=2)),
        fingerprints=draw(st.lists(fingerprints, max_size=2)),
        codecs=codecs_,
        extensions=draw(
            st.dictionaries(st.integers(1, 255), token.map("urn:{}".format), max_size=4)
        ),
        ssrcs=draw(
            st.dictionaries(u32, st.dictionaries(token, token, min_size=1, max_size=2), max_size=3)
        ),
        ssrc_groups=draw(
            st.lists(st.tuples(token, st.lists(u32, min_size=1, max_size=3).map(tuple)), max_size=2)
        ),
        rids=draw(
            st.lists(
                st.builds(Rid, token, st.sampled_from(["send", "recv"]), st.just("") | token),
                max_size=3,
            )
        ),
        simulcast_send=draw(streams),
        simulcast_recv=draw(streams),
        msid=draw(st.none() | st.tuples(token, token)),
        rtcp_mux=draw(st.booleans()),
        rtcp_rsize=draw(st.booleans()),
        bundle_only=draw(st.booleans()),
        candidates=draw(st.lists(token.map("candidate:{}".format), max_size=2)),
        end_of_candidates=draw(st.booleans()),
        attributes=draw(st.lists(token.map("x-{}:1".format), max_size=2)),
    )


sessions = st.builds(
    Session,
    medias=st.lists(medias(), max_size=3),
    id=st.integers(0, 2**64 - 1),
    version=st.integers(0, 2**64 - 1),
    name=token,
    ice_lite=st.booleans(),
    group=st.lists(token, max_size=3),
    extmap_allow_mixed=st.booleans(),
    attributes=st.lists(token.map("x-{}".format), max_size=2),
)


@given(sessions)
def test_sdp_reads_back(session: Session) -> None:
    text = sdp.serialize(session)
    assert sdp.parse(text) == session
    assert sdp.serialize(sdp.parse(text)) == text


@given(
    st.builds(
        Candidate,
        foundation=token,
        component=st.integers(1, 256),
        protocol=st.sampled_from(["udp", "tcp"]),
        priority=u32,
        host=st.ip_addresses().map(str),
        port=u16,
        type=st.sampled_from(["host", "srflx"]),
        extensions=st.dictionaries(token, token, max_size=3),
    )
)
def test_candidates_read_back(candidate: Candidate) -> None:
    assert Candidate.parse(candidate.serialize()) == candidate
