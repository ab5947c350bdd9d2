"""The network between tests and servers."""

import asyncio

from tests.link import Link


class Far(asyncio.DatagramProtocol):
    """Who is behind the link: what comes, and from where."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.came.put_nowait((data, address))


async def test_who_sends_much_at_once_has_one_address_and_loses_nothing() -> None:
    loop = asyncio.get_running_loop()
    behind, far = await loop.create_datagram_endpoint(Far, local_addr=("127.0.0.1", 0))
    async with Link.open(behind.get_extra_info("sockname")[1]) as link:
        near, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("127.0.0.1", link.port)
        )
        sent = [bytes([number]) for number in range(10)]
        for datagram in sent:
            near.sendto(datagram)
        async with asyncio.timeout(60):
            came = [await far.came.get() for _ in sent]
        near.close()
    behind.close()
    assert [data for data, _ in came] == sent
    assert len({address for _, address in came}) == 1
