"""The models and pipelines there are: those shipped with Shotrunner, then the project's own, which add and never replace."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from runner.adapters.files import Files
from runner.adapters.written import LARGEST_BYTES, Written, each
from runner.contract import check
from runner.contract.model import Model, load
from runner.core.diagnostics import Diagnostic, Rejected, Source, Span

MODELS = "schemas/models"
PIPELINES = "pipelines"
SUFFIX = ".schema.json"
MOST_FILES = 200  # of the project's own models
HELP = "`shotrunner schema model` prints what such a file may hold"


@cache
def home() -> Path:
    """The folder that holds `schemas` and `pipelines`: the package itself where it was installed, else the checkout."""
    package = Path(str(resources.files("runner")))
    return package if (package / "schemas").is_dir() else package.parent


def schema(name: str) -> dict[str, Any]:
    """A shipped schema by its name: model, storyboard, pipeline, plan, manifest. Raises KeyError for another."""
    try:
        text = (home() / "schemas" / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeyError(name) from None
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def shipped_models() -> Mapping[str, Model]:
    """By name, in the order of their names. Each keeps the metaschema; the unit tests hold them to it."""
    files = sorted((home() / MODELS).glob(f"*{SUFFIX}"))
    found = [load(json.loads(file.read_text(encoding="utf-8")), f"{MODELS}/{file.name}") for file in files]
    return MappingProxyType({model.name: model for model in found})


def models(files: Files | None) -> Mapping[str, Model]:
    """The shipped models, then the project's own from `schemas/models`, by name; None is no project.

    Raises Rejected with every fault of every file.
    """
    if files is None:
        return shipped_models()
    shipped = {f"{name}{SUFFIX}" for name in shipped_models()} if files.past else set()
    names = [name for name in files.folder(MODELS) if name.endswith(".json") and name not in shipped]
    if len(names) > MOST_FILES:
        raise Rejected([Diagnostic(code="bad-model", headline=f"`{MODELS}` holds more than {MOST_FILES} models")])
    own = each(names, lambda name: _own(files, f"{MODELS}/{name}"))
    return MappingProxyType({**shipped_models(), **{model.name: model for model in own if model}})


def path_of(name: str) -> str:
    """Where a model's file stands: below `home` or the project's root."""
    return f"{MODELS}/{name}{SUFFIX}"


def model_text(name: str, files: Files) -> str:
    """The text of the schema file of a model, shipped or the project's own. Raises `Unreadable`."""
    shipped = home() / path_of(name)
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return files.text(path_of(name), most_bytes=LARGEST_BYTES).text


@cache
def _shipped_texts() -> tuple[str, ...]:
    return tuple(file.read_text(encoding="utf-8") for file in sorted((home() / MODELS).glob(f"*{SUFFIX}")))


def pipelines(files: Files | None) -> tuple[str, ...]:
    """The names of all pipelines there are: shipped ones, then the project's own."""
    shipped = sorted(path.name for path in (home() / PIPELINES).glob("*.yaml"))
    own = files.folder(PIPELINES) if files else ()
    return tuple(dict.fromkeys(name.removesuffix(".yaml") for name in (*shipped, *own) if name.endswith(".yaml")))


def pipeline(name: str, files: Files | None) -> Source | None:
    """The pipeline's file, None if there is none. Raises Rejected where a project's file would replace a shipped one,
    `Unreadable` where the project's cannot be read."""
    path = f"{PIPELINES}/{name}.yaml"
    own = files if files and f"{name}.yaml" in files.folder(PIPELINES) else None
    shipped = home() / path
    if not shipped.is_file():
        return own.text(path) if own else None
    text = shipped.read_text(encoding="utf-8")
    if own and not own.past and own.text(path).text != text:
        raise Rejected([_taken("pipeline", name, path)])
    return Source(path=path, name=path, text=text)


# ---------------------------------------------------------------- a model of the project


def _own(files: Files, path: str) -> Model | None:
    """The project's model at `path`; None for the very file that is shipped, as in Shotrunner's own checkout."""
    written = Written(files, path, "bad-model")
    if any(written.source.text == text for text in _shipped_texts()):
        return None
    if faults := check.model_file(written.value, schema("model")):
        raise written.rejected(faults, HELP)
    model = load(written.value, written.shown)
    named = ("properties", "model", "const")
    if model.name in shipped_models():
        raise Rejected([_taken("model", model.name, written.shown, written.place(named))])
    if Path(path).name != f"{model.name}{SUFFIX}":
        raise Rejected(
            [
                Diagnostic(
                    code="bad-model",
                    headline=f"the file is `{Path(path).name}`, but its model is `{model.name}`",
                    span=written.place(named),
                    help=f"name the file `{model.name}{SUFFIX}`",
                )
            ]
        )
    return model


def _taken(kind: str, name: str, shown: str, span: Span | None = None) -> Diagnostic:
    return Diagnostic(
        code="shipped-name",
        headline=f"`{shown}` would replace the shipped {kind} `{name}`",
        span=span,
        notes=(f"what a shipped {kind} asks for and costs is the same in every project",),
        help=f"give the project's own {kind} another name",
    )
