"""The report as one HTML file that asks nobody for anything: no network, no other file but the clips beside it."""

import base64
import hashlib
import shlex
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined, Template

from runner.planning.report import Sheet
from runner.screen import clean

PAGE, FAULT, STYLE, SCRIPT = "report.html", "fault.html", "report.css", "report.js"
_SELF = " 'self'"


def html(sheet: Sheet, *, writes: str = "", now: str = "") -> str:
    """The whole file. Words of strangers are escaped, and free of what turns the direction of writing. `writes` is the picks file as
    one would type it, where a server of this machine writes it, and `now` its word for the files that the page is made of; without
    one the page makes the line that does."""
    return _rendered(
        PAGE,
        served=bool(writes),
        sheet=sheet,
        script=_part(SCRIPT),
        writes=writes,
        now=now,
        pick=shlex.join(["shotrunner", "pick", sheet.storyboard, *sheet.options]),
    )


def fault(title: str, text: str) -> str:
    """A page that says why there is none."""
    return _rendered(FAULT, served=True, title=title, text=text)


def policy(*, served: bool) -> str:
    """What the page may do: draw itself, and play what lies beside it; where it is served, ask its own server too."""
    return (
        f"default-src 'none'; img-src data:{_SELF if served else ''}; media-src 'self'{'' if served else ' file:'}; "
        f"{'connect-src' + _SELF + '; ' if served else ''}base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(_part(STYLE))}'; script-src '{_digest(_part(SCRIPT))}'"
    )


def _rendered(name: str, *, served: bool, **values: object) -> str:
    return _template(name).render(served=served, style=_part(STYLE), policy=policy(served=served), **values)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _part(name: str) -> str:
    return (files("runner.screen") / name).read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    return _environment().from_string(_part(name))


@cache
def _environment() -> Environment:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clean"] = clean.words
    environment.filters["passage"] = clean.passage
    environment.filters["prose"] = clean.prose
    environment.filters["link"] = lambda path: quote(path.lstrip("/"), safe="/@+")
    return environment
