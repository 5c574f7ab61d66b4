"""The report as one HTML file that asks nobody for anything: no network, no other file but the clips beside it."""

import base64
import hashlib
import shlex
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from runner.planning.report import Sheet
from runner.screen import clean

PAGE, STYLE, SCRIPT = "report.html", "report.css", "report.js"


def html(sheet: Sheet) -> str:
    """The whole file. Words of strangers are escaped, and free of what turns the direction of writing."""
    style, script = _part(STYLE), _part(SCRIPT)
    return (
        _environment()
        .from_string(_part(PAGE))
        .render(
            sheet=sheet,
            style=style,
            script=script,
            policy=_policy(style, script),
            pick=f"shotrunner pick {shlex.quote(sheet.storyboard)}",
        )
    )


def _policy(style: str, script: str) -> str:
    """What the page may do: draw itself, and play what lies beside it."""
    return (
        "default-src 'none'; img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _part(name: str) -> str:
    return (files("runner.screen") / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clean"] = clean.words
    environment.filters["passage"] = clean.passage
    environment.filters["link"] = lambda path: quote(path, safe="/@+")
    return environment
