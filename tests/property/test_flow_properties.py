"""Laws of the mechanisms: numbering, repair, caching."""

from hypothesis import given
from hypothesis import strategies as st

from media.flow.cache import Cache
from media.flow.nack import MAX_RETRIES, NackList
from media.flow.seqmap import SeqMap
from media.flow.timeline import Timeline

actions = st.lists(
    st.sampled_from(["forward", "forward", "forward", "drop", "lose", "switch", "insert"]),
    max_size=120,
)


@given(actions, st.integers(0, 65535), st.sampled_from([8, 15, 16]))
def test_outgoing_numbers_are_consecutive_but_for_losses(
    script: list[str], first: int, bits: int
) -> None:
    """What a receiver sees: each forwarded packet is next, and only real losses leave holes."""
    numbers, mask = SeqMap(bits, first), (1 << bits) - 1
    source, sequence, expected, started = 0, 1000, first & mask, False
    lost = 0  # not known as such until a later packet of the same source
    sent: dict[int, tuple[int, int]] = {}
    for action in script:
        if action == "switch":
            source, sequence, started, lost = source + 1, 5000 * (source + 2), True, 0
            numbers.switch(source, sequence)
            continue
        if action == "insert":
            assert numbers.insert() == expected
            expected = (expected + 1) & mask
            continue
        if action == "lose":
            lost += started
        else:
            expected, lost = (expected + lost) & mask, 0
        if action == "drop":
            numbers.drop(sequence)
        elif action == "forward":
            started = True
            assert numbers.map(sequence) == expected
            sent[expected] = (source, sequence)
            expected = (expected + 1) & mask
        sequence += 1
    recent = {out: at for out, at in sent.items() if (expected - out) & mask < 100}
    for out, origin in recent.items():
        assert numbers.unmap(out) == origin


@given(
    st.lists(st.booleans(), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
    st.integers(0, 5),
)
def test_late_packets_get_the_number_that_was_kept_for_them(
    forwarded: list[bool], random: object, distance: int
) -> None:
    """Reordering changes which packets come first, never two packets' numbers into one."""
    order = sorted(
        range(len(forwarded)),
        key=lambda i: i + random.randint(0, distance),  # type: ignore[attr-defined]
    )
    numbers = SeqMap()
    numbers.switch(0, 0)
    given_out: dict[int, int] = {}
    for index in order:
        if not forwarded[index]:
            numbers.drop(index)
            continue
        out = numbers.map(index)
        if out is None:
            continue
        assert out not in given_out, "two packets with one number"
        given_out[out] = index
        assert numbers.map(index) == out
        assert numbers.unmap(out) == (0, index)
    # Outgoing order is incoming order.
    ascending = [given_out[out] for out in sorted(given_out)]
    assert ascending == sorted(ascending)


@given(st.sets(st.integers(1, 300), max_size=60), st.integers(1, 12))
def test_every_lost_packet_is_asked_for_until_it_comes(lost: set[int], rounds: int) -> None:
    nacks = NackList()
    nacks.rtt_s = 0.1
    for sequence in range(302):
        if sequence not in lost:
            nacks.add(sequence, 0.0)
    for attempt in range(rounds):
        wanted = nacks.tick(attempt * 1.0)
        if attempt < MAX_RETRIES:
            assert wanted.sequences == sorted(lost)
            assert not wanted.gave_up
        else:
            assert wanted.sequences == []
            assert wanted.gave_up == (attempt == MAX_RETRIES and bool(lost))
    for sequence in lost:
        nacks.add(sequence, 50.0)
    assert nacks.missing == 0


@given(st.lists(st.integers(0, 400), max_size=200), st.randoms(use_true_random=False))
def test_nack_never_asks_for_what_it_has(arrivals: list[int], random: object) -> None:
    nacks, have = NackList(), set[int]()
    for step, sequence in enumerate(arrivals):
        nacks.add(sequence, step * 0.01)
        have.add(sequence)
        asked = nacks.tick(step * 0.01).sequences
        assert not have.intersection(asked)
        assert all(arrivals[0] < s < max(have) for s in asked)


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 1500)), max_size=300),
    st.integers(1, 8000),
)
def test_cache_is_bounded_and_tells_no_lies(packets: list[tuple[int, int]], max_bytes: int) -> None:
    cache: Cache[int] = Cache(slots=64, max_bytes=max_bytes)
    added: set[int] = set()
    for sequence, size in packets:
        cache.add(sequence, sequence, size, 0.0)
        added.add(sequence)
        assert cache.total_bytes <= max(max_bytes, size) or cache.total_bytes <= max_bytes + 1500
        for probe in (sequence, sequence + 64, sequence - 64):
            assert cache.get(probe, 0.0) in ({probe, None} if probe in added else {None})
    cache.tick(100.0)
    assert cache.total_bytes == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.floats(0.001, 3.0), st.booleans()), max_size=20
    )
)
def test_timestamps_never_go_back_at_a_switch(
    switches: list[tuple[int, float, bool]],
) -> None:
    line, now, last = Timeline(90_000, first=12_345), 0.0, None
    for timestamp, pause_s, aligned in switches:
        now += pause_s
        line.switch(timestamp, now, (timestamp * 7) & 0xFFFF_FFFF if aligned else None)
        for step in range(3):
            out = line.map((timestamp + 3000 * step) & 0xFFFF_FFFF, now)
            if last is not None:
                assert 0 < (out - last) & 0xFFFF_FFFF < 0x8000_0000
            last = out
            now += 1 / 30
