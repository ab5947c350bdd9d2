"""What every description of ours says about its Transport and its data channels."""

from typing import TYPE_CHECKING, Final

from media.net.data import MAX_MESSAGE_BYTES, SCTP_PORT
from media.wire.sdp import Direction, Fingerprint, Media

if TYPE_CHECKING:
    from media.net.transport import Transport

DATA_PROTOCOLS: Final = frozenset({"UDP/DTLS/SCTP", "DTLS/SCTP", "TCP/DTLS/SCTP"})


def describe_transport(
    media: Media,
    transport: "Transport",
    fingerprint: tuple[str, str],
    candidates: list[str],
    setup: str,
) -> None:
    """Write ICE, DTLS and every candidate into an m-line."""
    media.ice_ufrag = transport.ice.local.ufrag
    media.ice_pwd = transport.ice.local.password
    media.fingerprints = [Fingerprint(*fingerprint)]
    media.setup = setup
    media.candidates = list(candidates)
    media.end_of_candidates = True


def data_media(mid: str, protocol: str = "UDP/DTLS/SCTP") -> Media:
    """The data channel m-line (RFC 8841)."""
    return Media(
        kind="application",
        mid=mid,
        protocol=protocol,
        formats=["webrtc-datachannel"],
        direction=Direction.SENDRECV,
        sctp_port=SCTP_PORT,
        max_message_size=MAX_MESSAGE_BYTES,
    )
