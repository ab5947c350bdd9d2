"""A certificate of our own, made once: for phones on the LAN, where cameras need HTTPS."""

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signaling.addresses import lan_addresses
from signaling.config import HttpSettings

VALID_DAYS = 397  # browsers refuse longer ones (CA/Browser Forum, ballot SC31)
RENEW_DAYS = 30


def context(cert: Path, key: Path) -> ssl.SSLContext:
    """A server's TLS context. Raises OSError (ssl.SSLError is one)."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(cert, key)
    return made


def self_signed(folder: Path) -> tuple[Path, Path]:
    """(certificate, key) in `folder`: the ones made before while they fit, else new ones."""
    cert, key = folder / "tls-self.crt", folder / "tls-self.key"
    addresses = lan_addresses()
    if cert.exists() and key.exists() and _fits(cert, addresses):
        return cert, key
    folder.mkdir(parents=True, exist_ok=True)
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(key, pem, 0o600)
    _write(cert, _signed(private, addresses).public_bytes(serialization.Encoding.PEM), 0o644)
    return cert, key


def _signed(private: ec.EllipticCurvePrivateKey, addresses: list[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TokenIM on this network")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _fits(cert: Path, addresses: list[str]) -> bool:
    try:
        old = x509.load_pem_x509_certificate(cert.read_bytes())
    except ValueError:
        return False
    names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    covered = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    fresh = old.not_valid_after_utc > datetime.now(UTC) + timedelta(days=RENEW_DAYS)
    return fresh and covered.issuperset(str(ipaddress.ip_address(a)) for a in addresses)


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def chosen(http: HttpSettings, data_dir: Path) -> ssl.SSLContext | None:
    """What the settings ask for: a given certificate, our own, or plain HTTP. Raises OSError."""
    if http.tls_cert is not None:
        return context(http.tls_cert, http.tls_key or http.tls_cert)
    return context(*self_signed(data_dir)) if http.tls_self else None
