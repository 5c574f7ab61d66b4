"""The public catalogue: what models there are and what they cost. Pure; the shapes are our own, the paths the service's."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from runner.contract.model import Model, Tariff
from runner.contract.price import tariff_on
from runner.emulator.billing import PROVIDER
from runner.emulator.tasks import number


def models(offered: Mapping[str, Model]) -> dict[str, Any]:
    listed = [
        {
            "id": model.name,
            "object": "model",
            "type": "video",
            "title": model.title,
            "description": model.description,
            "endpoint": model.providers[PROVIDER].path if PROVIDER in model.providers else None,
            "parameters": list(model.properties),
        }
        for model in offered.values()
    ]
    return {"object": "list", "data": listed}


def rules(offered: Iterable[Model], at: float) -> list[dict[str, Any]]:
    """The price of each model at unix time `at`, in credits; a model without one is left out."""
    day = datetime.fromtimestamp(at, UTC).date()
    found = ((model, tariff_on(model, PROVIDER, day)) for model in offered)
    return [_rule(model, tariff) for model, tariff in found if tariff]


def etag(body: object) -> str:
    """Of a JSON value; equal values have equal tags."""
    return f'"{hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]}"'


def known(tag: str, condition: str | None) -> bool:
    """Whether If-None-Match says that the client has what bears this tag (RFC 9110, section 13.1.2)."""
    if condition is None:
        return False
    return condition.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in condition.split(",")}


def _rule(model: Model, tariff: Tariff) -> dict[str, Any]:
    counted = tariff.input_seconds
    return {
        "model": model.name,
        "unit": tariff.unit,
        "units_per_usd": None if tariff.per_usd is None else number(tariff.per_usd),
        "per_second": number(tariff.per_second),
        "multipliers": [{"when": dict(factor.when), "by": number(factor.by)} for factor in tariff.factors],
        "minimum": number(tariff.minimum),
        "input_seconds": counted
        and {"media": str(counted.kind), "cap_s": {str(files): number(cap) for files, cap in counted.cap_s.items()}},
        "effective_from": tariff.since.isoformat(),
    }
