"""What a project pays instead of the prices that a model's file states: tariffs of its own, a file a model."""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from runner.adapters import catalog
from runner.adapters.files import Files
from runner.adapters.written import Written, each
from runner.contract import check
from runner.contract.fault import Path
from runner.contract.model import Model, load
from runner.core.diagnostics import Diagnostic, Rejected
from runner.core.spelling import nearest

PRICES = "schemas/prices"
SUFFIX = ".json"
HELP = '`{"evolink": [...]}` holds what `prices` holds in `shotrunner schema model`'


def priced(models: Mapping[str, Model], files: Files) -> Mapping[str, Model]:
    """The models with the project's own tariffs from `schemas/prices/MODEL.json` in place of their files'.

    A provider that such a file does not name keeps its tariffs. Raises Rejected with every fault of every file.
    """
    own = each(_paths(files), lambda path: _priced(models, files, path))
    return MappingProxyType({**models, **{model.name: model for model in own}})


def text(name: str, files: Files) -> str:
    """The text of the project's own prices for a model, "" where it has none. Raises `Unreadable`."""
    path = path_of(name)
    return files.text(path).text if path in _paths(files) else ""


def path_of(name: str) -> str:
    """Where a project's own prices for a model stand, from the root."""
    return f"{PRICES}/{name}{SUFFIX}"


def _paths(files: Files) -> tuple[str, ...]:
    return tuple(f"{PRICES}/{name}" for name in files.folder(PRICES) if name.endswith(SUFFIX))


def _priced(models: Mapping[str, Model], files: Files, path: str) -> Model:
    written = Written(files, path, "bad-prices")
    name = path.removeprefix(f"{PRICES}/").removesuffix(SUFFIX)
    model = models.get(name)
    if model is None:
        meant = nearest(name, models)
        help_line = f"did you mean `{meant}{SUFFIX}`?" if meant else f"models: {', '.join(models)}"
        headline = f"`{written.shown}` is named after no model"
        raise Rejected([Diagnostic(code="bad-prices", headline=headline, span=written.place(()), help=help_line)])
    if faults := check.document(written.value, _shape(model), "a file of prices"):
        raise written.rejected(faults, HELP)
    document: dict[str, Any] = json.loads(catalog.model_text(name, files))
    offers = document["x-model"]["providers"]
    for provider, tariffs in written.value.items():
        offers[provider]["prices"] = tariffs
    if faults := check.model_file(document, catalog.schema("model")):
        raise written.rejected([replace(fault, path=_own(fault.path)) for fault in faults], HELP)
    new = load(document, model.origin).providers
    offered = {
        provider: replace(new[provider], origin=written.shown) if provider in written.value else offer
        for provider, offer in model.providers.items()
    }
    return replace(model, providers=MappingProxyType(offered))


def _shape(model: Model) -> dict[str, Any]:
    """The schema of a file of prices for this model: a list of tariffs for each provider that has it."""
    metaschema = catalog.schema("model")
    tariffs = {"type": "array", "minItems": 1, "maxItems": 100, "items": {"$ref": "#/$defs/price"}}
    return {
        "$schema": metaschema["$schema"],
        "$defs": metaschema["$defs"],
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": dict.fromkeys(model.providers, tariffs),
    }


def _own(path: Path) -> Path:
    """A path into a model's file, as one into the file of its prices."""
    match path:
        case ("x-model", "providers", provider, "prices", *rest):
            return (provider, *rest)
        case _:
            return ()
