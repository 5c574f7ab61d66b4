"""The service's name stands in every key: one service has one, however its address is spelt, and no two share it."""

import pytest

from runner.planning.service import service_name
from runner.providers.provider import PROVIDERS

EVOLINK, ANIMATIC = PROVIDERS["evolink"], PROVIDERS["animatic"]


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://api.evolink.ai",
        "https://api.evolink.ai/",
        "https://API.Evolink.AI",
        "https://api.evolink.ai:443",
        "https://api.evolink.ai:443/",
        "https://api.evolink.ai.",
    ],
)
def test_a_provider_at_its_own_address_has_its_own_name(url: str | None) -> None:
    assert service_name(EVOLINK, url, "1") == "evolink"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8642", "evolink@127.0.0.1:8642"),
        ("http://127.0.0.1", "evolink@127.0.0.1"),
        ("http://127.0.0.1:80/", "evolink@127.0.0.1"),
        ("https://Gateway.Example:8443/v2", "evolink@gateway.example:8443"),
        ("https://gateway.example:443", "evolink@gateway.example"),
        ("http://[::1]:9", "evolink@[::1]:9"),
        ("https://api.evolink.ai/proxy", "evolink@api.evolink.ai"),
        ("http://api.evolink.ai", "evolink@api.evolink.ai"),
        ("https://api.evolink.ai:444", "evolink@api.evolink.ai:444"),
        ("https://api.evolink.ai.example", "evolink@api.evolink.ai.example"),
    ],
)
def test_anywhere_else_it_is_named_by_its_host(url: str, name: str) -> None:
    assert service_name(EVOLINK, url, "1") == name


def test_a_service_of_our_own_is_named_by_its_renderer() -> None:
    assert service_name(ANIMATIC, None, "7") == "animatic/7"
