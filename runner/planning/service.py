"""Who makes the clips of a run: the provider at one address, under the name that stands in every key."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from runner.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`name` is computed, never written: it is part of what is bought, so clips never cross services.

    `base_url` and `files_url` are None for a provider that the program itself starts. `named_by_user`: the base URL came from an option
    or the environment and not from a file.
    """

    name: str
    provider: Provider
    base_url: str | None
    files_url: str | None
    concurrency: int
    rate_per_s: float | None
    poll_floor_s: float
    poll_ceiling_s: float
    deadline_s: float
    replay_within_s: float
    named_by_user: bool


def service_name(provider: Provider, base_url: str | None, renderer: str) -> str:
    """`animatic/<renderer version>`; the provider's own name at its own address, else `name@host[:port]`."""
    if provider.base_url is None:
        return f"{provider.name}/{renderer}"
    if base_url is None or _spelt_out(base_url) == _spelt_out(provider.base_url):
        return provider.name
    _, host, port, _ = _spelt_out(base_url)
    host = f"[{host}]" if ":" in host else host
    return f"{provider.name}@{host}" + (f":{port}" if port else "")


def _spelt_out(url: str) -> tuple[str, str, int | None, str]:
    """(scheme, host, port unless the scheme's own, path): equal for every spelling of an address, so that none of them buys
    again what was bought under another."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = parts.port if parts.port != default else None
    return parts.scheme, (parts.hostname or "").lower().rstrip("."), port, parts.path.rstrip("/")
