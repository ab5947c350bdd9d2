"""Reports by hand-made arithmetic."""

from media.flow.reports import Clock, Reception, Transmission, ntp_middle, ntp_time


def test_fraction_counts_from_the_last_report() -> None:
    reception = Reception(90_000)
    for sequence in (100, 101, 103, 104):
        reception.add(sequence, sequence * 3000, 100, sequence / 30)
    first = reception.report(10.0)
    assert (first.packets_lost, first.fraction_lost) == (1, 256 // 5)
    assert first.highest_sequence == 104
    assert (first.last_sr, first.delay_since_sr) == (0, 0)
    for sequence in (105, 106):
        reception.add(sequence, sequence * 3000, 100, sequence / 30)
    second = reception.report(11.0)
    assert (second.packets_lost, second.fraction_lost) == (1, 0)


def test_jitter_is_zero_for_even_arrivals_and_grows_for_uneven_ones() -> None:
    even, uneven = Reception(8000), Reception(8000)
    for i in range(100):
        even.add(i, i * 160, 10, i * 0.02)
        uneven.add(i, i * 160, 10, i * 0.02 + (0.01 if i % 2 else 0.0))
    assert even.jitter_s < 0.0005
    assert 0.008 < uneven.jitter_s < 0.0105


def test_last_sender_report_and_its_delay() -> None:
    reception = Reception(90_000)
    reception.add(1, 0, 10, 0.0)
    reception.clock.sender_report(0x0123_4567_89AB_CDEF, 0, now=5.0)
    report = reception.report(now=5.5)
    assert report.last_sr == 0x4567_89AB
    assert report.delay_since_sr == 32_768


def test_duplicates_make_losses_negative_but_the_fraction_zero() -> None:
    reception = Reception(90_000)
    for _ in range(3):
        reception.add(7, 0, 10, 0.0)
    report = reception.report(1.0)
    assert (report.packets_lost, report.fraction_lost) == (-2, 0)


def test_nothing_received() -> None:
    assert Reception(90_000).report(1.0).packets_lost == 0


def test_sender_report_speaks_the_publishers_time() -> None:
    clock, sender = Clock(90_000), Transmission()
    assert sender.report(clock, 0, 1.0) is None
    clock.sender_report(1000 << 32, 5000, now=1.0)
    assert sender.report(clock, 0, 1.0) is None
    sender.add(1100)
    info = sender.report(clock, 7, 1.5)
    assert info is not None
    assert info.ntp == (1000 << 32) + (1 << 31)
    assert info.timestamp == 5000 + 45_000 + 7
    assert (info.packets, info.octets) == (1, 1100)


def test_audio_and_video_stay_in_step() -> None:
    audio, video = Clock(48_000), Clock(90_000)
    audio.sender_report(500 << 32, 1000, now=1.0)
    video.sender_report(502 << 32, 70_000, now=3.01)  # 10 ms late on the way
    first, second = audio.at(10.0), video.at(10.0)
    assert first is not None
    assert second is not None
    apart_s = (first[0] - second[0]) / 2**32
    assert abs(apart_s - 0.01) < 1e-6


def test_round_trip() -> None:
    clock, sender = Clock(90_000), Transmission()
    clock.sender_report(ntp_time(1_700_000_000.25), 0, now=1.0)
    sender.add(1)
    info = sender.report(clock, 0, 2.0)
    assert info is not None
    rtt = sender.round_trip_s(ntp_middle(info.ntp), 65536 // 10, now=2.3)
    assert rtt is not None
    assert abs(rtt - 0.2) < 0.001
    assert sender.round_trip_s(123, 0, 3.0) is None
    assert sender.round_trip_s(0, 0, 3.0) is None
    assert sender.round_trip_s(ntp_middle(info.ntp), 1 << 31, 2.1) is None


def test_translate_between_layers_of_one_sender() -> None:
    low, high = Clock(90_000), Clock(90_000)
    low.sender_report(100 << 32, 1_000_000, now=1.0)
    assert low.translate(0, high) is None
    high.sender_report((100 << 32) + (1 << 31), 5_000, now=1.5)
    assert high.translate(5_000, low) == 1_045_000
    assert low.translate(1_045_000, high) == 5_000
