"""Connections of the emulator's own, each judged by the address it is about to be made to: no name and no redirect leads
into a network that whoever named the URL has no business in."""

import socket
from collections.abc import Callable


class Forbidden(OSError):
    """Raised where a socket would be made; an OSError, as the HTTP library expects there."""


def judged(forbidden: Callable[[str, int], str | None]) -> Callable[[tuple[object, ...]], socket.socket]:
    """Makes sockets for addresses as `getaddrinfo` gives them, unless `forbidden` says of address and port what they are."""

    def make(address: tuple[object, ...]) -> socket.socket:
        family, kind, protocol, _, place = address
        assert isinstance(place, tuple)
        if reason := forbidden(place[0], place[1]):
            raise Forbidden(f"{place[0]} is {reason}")
        return socket.socket(family, kind, protocol)  # type: ignore[arg-type]

    return make
