"""Whom an address stands for where connections are counted."""

from ipaddress import AddressValueError, IPv6Address, IPv6Network

NETWORK_BITS = 64
"""What one IPv6 household or machine has to itself (RFC 6177): addresses beyond counting."""


def address_key(address: str) -> str:
    """An IPv4 address itself, also when written as IPv6; of another IPv6 address its network."""
    if ":" not in address:
        return address
    try:
        whole = IPv6Address(address)
    except AddressValueError:
        return address
    if whole.ipv4_mapped is not None:
        return str(whole.ipv4_mapped)
    return str(IPv6Network((whole.packed, NETWORK_BITS), strict=False))
