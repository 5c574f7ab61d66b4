"""Who calls a server on this machine. Pure.

Any web page that its reader opens may call loopback through the reader's browser: by its own origin, or by a name of its own
that leads here. Both are told by what the browser itself writes (RFC 9110, section 7.2; RFC 6454, section 7).
"""

from collections.abc import Collection, Sequence
from hmac import compare_digest


def stranger(hosts: Sequence[str], origins: Sequence[str], names: Collection[str]) -> str:
    """Why the caller is none of ours, "" if it is. `hosts` and `origins` are the values of these two headers; `names` are the
    values of Host, lower case and with the port, that the server answers to."""
    if len(hosts) != 1 or hosts[0].lower() not in names:
        return "this server has another name"
    if not {origin.lower() for origin in origins} <= {f"http://{name}" for name in names}:
        return "foreign origin"
    return ""


def same(shown: str, secret: str) -> bool:
    """Whether the caller knows the secret; how long the answer takes tells nothing of it."""
    return compare_digest(shown.encode(errors="surrogateescape"), secret.encode())
