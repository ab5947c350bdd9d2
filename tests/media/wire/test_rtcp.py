"""RTCP compounds and feedback."""

import pytest

from media.wire import rtcp
from tests.captures import load, names


def test_a_browsers_sender_report() -> None:
    report, sdes = rtcp.parse(load("rtcp_sender_report_sdes"))
    assert isinstance(report, rtcp.SenderReport)
    assert isinstance(sdes, rtcp.Sdes)
    assert report.packets > 0
    assert report.ntp >> 32 > 3_900_000_000  # after 2023
    assert sdes.names[0][0] == report.ssrc
    assert sdes.names[0][1]


def test_a_browsers_receiver_report() -> None:
    (report,) = rtcp.parse(load("rtcp_receiver_report"))
    assert isinstance(report, rtcp.ReceiverReport)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rtcp_nack_two_items", rtcp.Nack(1, 2, (65534, 0, 20))),
        ("rtcp_pli", rtcp.Pli(1, 2)),
        ("rtcp_fir", rtcp.Fir(1, ((2, 9),))),
        ("rtcp_remb", rtcp.Remb(1, 2_500_000, (2, 3))),
        ("rtcp_bye", rtcp.Bye((1, 2))),
        (
            "rtcp_transport_feedback",
            rtcp.TransportFeedback(
                1,
                2,
                65530,
                7,
                (64_000_000, None, 64_000_250, 64_900_000, *[None] * 20, *[64_900_500] * 9),
            ),
        ),
    ],
)
def test_feedback_files_mean_what_they_say(name: str, value: rtcp.Report) -> None:
    assert rtcp.parse(load(name)) == [value]
    assert value.pack() == load(name)


def test_report_block_clamps_and_keeps_the_sign_of_losses() -> None:
    block = rtcp.ReportBlock(1, 255, -3, 70_000, 4, 5, 6)
    (report,) = rtcp.parse(rtcp.ReceiverReport(9, (block,)).pack())
    assert report == rtcp.ReceiverReport(9, (block,))
    huge = rtcp.ReportBlock(1, 0, 1 << 30, 0, 0, 0, 0)
    (clamped,) = rtcp.parse(rtcp.ReceiverReport(9, (huge,)).pack())
    assert isinstance(clamped, rtcp.ReceiverReport)
    assert clamped.blocks[0].packets_lost == 0x7F_FFFF


@pytest.mark.parametrize(("apart", "items"), [(1, 1), (16, 1), (17, 2)])
def test_nack_bitmap_covers_sixteen_after_the_first(apart: int, items: int) -> None:
    nack = rtcp.Nack(1, 2, (65530, (65530 + apart) & 0xFFFF))
    assert rtcp.parse(nack.pack()) == [nack]
    assert len(nack.pack()) == 12 + 4 * items


def test_padding_is_taken_off_wherever_it_is() -> None:
    padded = b"\xa0\xc9\x00\x02" + bytes(4) + b"\x00\x00\x00\x04"
    assert rtcp.parse(padded) == [rtcp.ReceiverReport(0)]
    pli = rtcp.Pli(1, 2)
    assert rtcp.parse(padded + pli.pack()) == [rtcp.ReceiverReport(0), pli]


@pytest.mark.parametrize(
    ("count", "deltas"), [(1, b"\x08\x01"), (2, b"\x08\x04"), (3, b"\x08\x04\x04\x00\x00\x03")]
)
def test_feedback_is_padded_by_single_bytes_as_browsers_do(count: int, deltas: bytes) -> None:
    first = 0x8F if count == 2 else 0xAF
    header = bytes((first, 205, 0, 4 + (2 + len(deltas)) // 4)) + bytes((0, 0, 0, 1, 0, 0, 0, 2))
    statuses = bytes((0, 7, 0, count, 0, 0, 1, 9, 0x20, count))
    arrivals = (66_000, 67_000, 68_000)[:count]
    expected = rtcp.TransportFeedback(1, 2, 7, 9, arrivals)
    assert rtcp.parse(header + statuses + deltas) == [expected]
    assert rtcp.parse(header + statuses + deltas + rtcp.Pli(1, 2).pack())[0] == expected


@pytest.mark.parametrize("padding", [0, 9, 255])
def test_padding_that_does_not_fit_is_refused(padding: int) -> None:
    with pytest.raises(ValueError):
        rtcp.parse(b"\xa0\xc9\x00\x02" + bytes(7) + bytes((padding,)))


def test_unknown_packets_are_passed_over() -> None:
    first, second = rtcp.parse(rtcp.Unknown(207, 3, b"abcd").pack() + rtcp.Pli(1, 2).pack())
    assert first == rtcp.Unknown(207, 3, b"abcd")
    assert second == rtcp.Pli(1, 2)


def test_transport_feedback_refuses_arrivals_too_far_apart() -> None:
    with pytest.raises(ValueError):
        rtcp.TransportFeedback(1, 2, 0, 0, (0, 9_000_000)).pack()


@pytest.mark.parametrize("name", names("malformed_rtcp_"))
def test_refuses_lies(name: str) -> None:
    with pytest.raises(ValueError):
        rtcp.parse(load(name))


def test_empty_datagram() -> None:
    with pytest.raises(ValueError):
        rtcp.parse(b"")
