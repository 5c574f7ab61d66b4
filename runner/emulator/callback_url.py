"""What a callback URL betrays by itself, before anybody connects. Pure."""

import socket
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from runner.core.network import check_host


def fault(url: str, *, loopback: bool) -> str | None:
    """What keeps this lawful URI from being called, by itself; the addresses of names are judged when they are called."""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "it is no lawful URL"
    reason = _of_host(host, loopback=loopback)
    if reason:
        return f"its host is {reason}"
    if parts.scheme.lower() == "http" and not (loopback and _of_host(host, loopback=False)):
        return "only https is called"
    return None


def _of_host(host: str, *, loopback: bool) -> str | None:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):  # RFC 6761
        return None if loopback else "a loopback address"
    try:
        address = str(IPv4Address(socket.inet_aton(host)))  # all that C libraries read as an address: 127.1, 0x7f.0.0.1
    except (OSError, ValueError):
        address = host
    if ":" not in address and not address.replace(".", "").isdigit():
        return None  # a name
    return check_host(address, allow_loopback=loopback)
