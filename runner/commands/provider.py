"""Which service a run speaks to, and with which key."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from runner.adapters import keys
from runner.commands.options import Options
from runner.core.errors import Refused
from runner.core.network import is_loopback
from runner.core.spelling import nearest
from runner.emulator.version import RENDERER_VERSION
from runner.language.pipeline import Pipeline
from runner.planning.service import Service, service_name
from runner.providers.provider import PROVIDERS


def service_of(pipeline: Pipeline, options: Options, environment: Mapping[str, str]) -> Service:
    """The service of a pipeline under the options. Raises `Refused` for an unknown provider or an address no key may go to."""
    choice = pipeline.provider
    name = options.provider or choice.name
    provider = PROVIDERS.get(name)
    if provider is None:
        meant = nearest(name, PROVIDERS)
        raise Refused(
            f"there is no provider `{name}`",
            help=f"did you mean `{meant}`?" if meant else f"providers: {', '.join(PROVIDERS)}",
        )
    same = name == choice.name
    told = options.base_url or ("" if provider.base_url is None else environment.get("SHOTRUNNER_BASE_URL", ""))
    base_url = told or (choice.base_url if same else None)
    if base_url and provider.base_url is None:
        raise Refused(
            f"`{name}` takes no base URL: only the server this run starts itself is free",
            help=f"add `--provider evolink` to speak to {base_url}",
        )
    if base_url:
        _lawful(base_url)
        base_url = base_url.rstrip("/")
    own = base_url is None or base_url == provider.base_url
    poll = choice.poll if same else None
    interval = options.poll_interval_s
    return Service(
        name=service_name(provider, base_url, str(RENDERER_VERSION)),
        provider=provider,
        base_url=provider.base_url if own else base_url,
        files_url=provider.files_url if own else base_url,
        concurrency=options.concurrency
        or (choice.concurrency if same else None)
        or provider.concurrency
        or os.cpu_count()
        or 1,
        rate_per_s=(choice.rate_per_s if same else None) or provider.rate_per_s,
        poll_floor_s=interval or (poll.floor_s if poll else provider.poll_floor_s),
        poll_ceiling_s=interval or (poll.ceiling_s if poll else provider.poll_ceiling_s),
        deadline_s=options.deadline_s or provider.deadline_s,
        replay_within_s=(choice.replay_within_s or 0) if same else 0,
        named_by_user=bool(told),
    )


def key_of(service: Service, root: Path, environment: Mapping[str, str]) -> str:
    """The API key for the service, empty for one that this program starts itself. Raises `Refused` when there is none."""
    provider = service.provider
    if provider.base_url is None:
        return ""
    trusted = service.named_by_user or service.base_url == provider.base_url
    variable = provider.key_variable if trusted else keys.derived_variable(service.base_url or "")
    return keys.find(variable, root=root, environment=environment, tracked=keys.env_tracked(root))


def address_of(service: str, options: Options, environment: Mapping[str, str]) -> tuple[str, str]:
    """(base URL, files URL) of a service by its name in the journal. Raises `Refused`: an address from the journal gets no key."""
    provider = PROVIDERS.get(service.partition("@")[0])
    if provider is None or provider.base_url is None or provider.files_url is None:
        raise Refused(f"`{service}` cannot be asked any more")
    if service == provider.name:
        return provider.base_url, provider.files_url
    told = options.base_url or environment.get("SHOTRUNNER_BASE_URL", "")
    if told:
        _lawful(told)
        if service_name(provider, told, "") == service:
            return told.rstrip("/"), told.rstrip("/")
    raise Refused(f"`{service}` is at another address", help=f"name it: --base-url https://{service.partition('@')[2]}")


def key_for(service: str, root: Path, environment: Mapping[str, str]) -> str:
    """The API key for a service whose address `address_of` gave. Raises `Refused`."""
    variable = PROVIDERS[service.partition("@")[0]].key_variable
    return keys.find(variable, root=root, environment=environment, tracked=keys.env_tracked(root))


def _lawful(base_url: str) -> None:
    parts = urlsplit(base_url)
    try:
        lawful = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        lawful = False
    if not lawful or parts.username or parts.password or parts.query or parts.fragment:
        raise Refused(f"`{base_url}` is no base URL", help="write it as https://host or http://127.0.0.1:PORT")
    if parts.scheme == "http" and not is_loopback(base_url):
        raise Refused(
            f"`{base_url}` would send the API key unencrypted", help="use https; plain http is for this machine alone"
        )
