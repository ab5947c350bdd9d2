"""A certificate of our own: made once, for the addresses this machine has."""

import ssl
from pathlib import Path

from aiohttp import ClientSession
from cryptography import x509

from signaling.config import HttpSettings
from signaling.http.certificate import context, lan_addresses, self_signed
from signaling.http.health import Health
from signaling.http.server import Server
from signaling.metrics import Metrics


def test_it_is_made_once_and_its_key_is_private(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path / "new")
    before = cert.read_bytes()
    assert self_signed(tmp_path / "new") == (cert, key)
    assert cert.read_bytes() == before
    assert key.stat().st_mode & 0o077 == 0


def test_it_names_this_machines_addresses(tmp_path: Path) -> None:
    cert, _ = self_signed(tmp_path)
    names = x509.load_pem_x509_certificate(cert.read_bytes()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["localhost"]
    found = {str(address) for address in names.value.get_values_for_type(x509.IPAddress)}
    assert found == set(lan_addresses())
    assert "127.0.0.1" in found


def test_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    cert, _ = self_signed(tmp_path)
    cert.write_text("junk")
    self_signed(tmp_path)
    assert "BEGIN CERTIFICATE" in cert.read_text()


async def test_it_serves_https(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    server = Server(HttpSettings(port=0), Metrics(), context(cert, key))
    server.add(Health(Metrics(), {}).routes())
    await server.start()
    trust = ssl.create_default_context(cafile=str(cert))
    async with ClientSession() as client:
        url = f"https://127.0.0.1:{server.port}/healthz"
        async with client.get(url, ssl=trust) as response:
            assert response.status == 200
    await server.close()
