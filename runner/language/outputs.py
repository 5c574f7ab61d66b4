"""Names of files that steps make: plain, below the out folder, and nobody else's."""

from runner.core.diagnostics import Span
from runner.language import fields, paths
from runner.language.faults import Faults
from runner.language.node import Node

TAKEN = ("clips", "manifest.json")  # in the out folder, by the run itself


def read_output(at: Node, name: str, faults: Faults, *, ending: str | tuple[str, ...], example: str) -> str | None:
    """A file's name that ends in `ending`, or in one of several; None after reporting why it is none."""
    written = fields.fixed_text(at, f"`{name}`", faults, takes="a file's name")
    if written is None:
        return None
    reason = unfit(written)
    endings = (ending,) if isinstance(ending, str) else ending
    file = written.rpartition("/")[2]
    if not reason and (file in endings or not file.endswith(endings)):
        listed = [f"`{each}`" for each in endings]
        reason = f"its name ends in {' or '.join([', '.join(listed[:-1]), listed[-1]] if listed[1:] else listed)}"
    if not reason:
        return written
    _refuse(written, name, reason, at.span, faults, example)
    return None


def _refuse(written: str, name: str, reason: str, span: Span, faults: Faults, example: str) -> None:
    headline = f"`{name}` is `{fields.clipped(written)}`; {reason}"
    faults.add("bad-path", headline, span, help=f"for example `{example}`")


def unfit(name: str) -> str:
    """Why a step may not make a file of this name below the out folder; empty: it may."""
    parts = name.split("/")
    if not paths.is_relative(name) or any(part in ("", ".", "..") or part != part.strip() for part in parts):
        return "it is a plain name below the out folder"
    if parts[0].startswith(".") or parts[0].casefold() in TAKEN:
        return "that place is taken"
    if name.startswith("-"):
        return "a program would read it as an option"
    return ""
