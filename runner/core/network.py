"""The judge of network addresses: what an address that a stranger named may reach.

Judged is the address a name resolved to, at the moment of connecting, on every hop; a name proves nothing.
The tables are IANA's special-purpose address registries (RFC 6890 and its updates, read 2026-11), written out because
what `ipaddress` calls private differs between Python's patch releases.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit


class Reach(StrEnum):
    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"  # somebody's own network, carrier-grade NAT included
    LINK_LOCAL = "link-local"  # the cable itself, and the metadata services of clouds
    SPECIAL = "special-purpose"  # no host on the internet has it: multicast, documentation, reserved


# The first network that holds the address decides.
_V4: tuple[tuple[IPv4Network, Reach], ...] = tuple(
    (IPv4Network(network), reach)
    for network, reach in (
        ("0.0.0.0/8", Reach.SPECIAL),  # RFC 791; Linux connects 0.0.0.0 to itself
        ("10.0.0.0/8", Reach.PRIVATE),  # RFC 1918
        ("100.64.0.0/10", Reach.PRIVATE),  # RFC 6598, carrier-grade NAT
        ("127.0.0.0/8", Reach.LOOPBACK),  # RFC 1122
        ("169.254.0.0/16", Reach.LINK_LOCAL),  # RFC 3927
        ("172.16.0.0/12", Reach.PRIVATE),  # RFC 1918
        ("192.0.0.0/24", Reach.SPECIAL),  # RFC 6890
        ("192.0.2.0/24", Reach.SPECIAL),  # RFC 5737
        ("192.88.99.0/24", Reach.SPECIAL),  # RFC 7526
        ("192.168.0.0/16", Reach.PRIVATE),  # RFC 1918
        ("198.18.0.0/15", Reach.PRIVATE),  # RFC 2544; transparent proxies answer here
        ("198.51.100.0/24", Reach.SPECIAL),  # RFC 5737
        ("203.0.113.0/24", Reach.SPECIAL),  # RFC 5737
        ("224.0.0.0/3", Reach.SPECIAL),  # RFC 5771 multicast, RFC 1112 reserved, broadcast
    )
)
_V6: tuple[tuple[IPv6Network, Reach], ...] = tuple(
    (IPv6Network(network), reach)
    for network, reach in (
        ("64:ff9b:1::/48", Reach.PRIVATE),  # RFC 8215, a network's own NAT64
        ("2001::/23", Reach.SPECIAL),  # RFC 2928: Teredo, ORCHID, benchmarking
        ("2001:db8::/32", Reach.SPECIAL),  # RFC 3849
        ("3fff::/20", Reach.SPECIAL),  # RFC 9637
        ("2000::/3", Reach.PUBLIC),  # RFC 4291, all that is given out
        ("fc00::/7", Reach.PRIVATE),  # RFC 4193
        ("fe80::/10", Reach.LINK_LOCAL),  # RFC 4291
        ("fec0::/10", Reach.PRIVATE),  # RFC 3879
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291: the very IPv4 socket
# Translated on the way: the IPv4 address stands at this bit from the right.
_TRANSLATED = (
    (IPv6Network("64:ff9b::/96"), 0),  # RFC 6052, NAT64
    (IPv6Network("::ffff:0:0:0/96"), 0),  # RFC 2765, SIIT
    (IPv6Network("2002::/16"), 80),  # RFC 3056, 6to4
    (IPv6Network("::/96"), 0),  # RFC 4291, IPv4-compatible
)


def verdict(ip: str) -> Reach:
    """What the address reaches; a zone (`%eth0`) is left aside. Raises ValueError for what is no IP address."""
    address = ip_address(ip)
    return _v4(address) if isinstance(address, IPv4Address) else _v6(IPv6Address(int(address)))


def check_host(ip: str, *, allow_loopback: bool = False, allow_private: bool = False) -> str | None:
    """What the address is, `a private address` say, if no connection may be made to it; None if one may.

    `allow_private` is for a user who vouches for the network and lets loopback in too; link-local and special-purpose
    addresses are never reached.
    """
    try:
        reach = verdict(ip)
    except ValueError:
        return "no IP address"
    allowed = {Reach.PUBLIC}
    if allow_loopback or allow_private:
        allowed.add(Reach.LOOPBACK)
    if allow_private:
        allowed.add(Reach.PRIVATE)
    return None if reach in allowed else f"a {reach} address"


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine by its words alone: any other name may resolve to anything."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or verdict(host) is Reach.LOOPBACK
    except ValueError:
        return False


def _v4(address: IPv4Address) -> Reach:
    return next((reach for network, reach in _V4 if address in network), Reach.PUBLIC)


def _v6(address: IPv6Address) -> Reach:
    if address in _MAPPED:
        return _v4(IPv4Address(int(address) & 0xFFFFFFFF))
    if int(address) == 1:  # RFC 4291; lies in ::/96 too
        return Reach.LOOPBACK
    for network, shift in _TRANSLATED:
        if address in network:
            reach = _v4(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
            # Whoever translates sits elsewhere: its loopback is not ours.
            return Reach.PRIVATE if reach is Reach.LOOPBACK else reach
    return next((reach for network, reach in _V6 if address in network), Reach.SPECIAL)
