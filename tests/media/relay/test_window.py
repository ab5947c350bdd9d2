"""What a peer may have in flight fits the queue that holds it."""

from aiortc.rtcsctptransport import USERDATA_MAX_LENGTH

from media.drops import Drops
from media.net.data import RECEIVE_WINDOW_BYTES, DataTransport
from media.net.dtls import MAX_QUEUED, Certificate, Dtls, Feed


async def test_a_fast_sender_cannot_overrun_the_queue_before_dtls() -> None:
    drops = Drops()
    feed = Feed(lambda datagram: None, drops)
    dtls = Dtls(feed, Certificate.generateCertificate(), server=True)
    data = DataTransport(dtls, drops, lambda channel: None)
    assert data.sctp._advertised_rwnd == RECEIVE_WINDOW_BYTES
    assert RECEIVE_WINDOW_BYTES / USERDATA_MAX_LENGTH < MAX_QUEUED * 3 / 4
    await data.stop()
