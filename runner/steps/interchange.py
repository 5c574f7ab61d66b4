"""Timelines in the formats of other editors: OpenTimelineIO reads our own `.otio` and writes them. It is an extra, and imported only
when one of them is asked for."""

import hashlib
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from runner.adapters import archive
from runner.adapters.files import write_whole

INSTALL = "pip install opentimelineio otio-cmx3600-adapter otio-fcp-adapter"
VERSION = 1  # of what is written here: another one writes unchanged timelines anew
_NEEDS = {  # by format, the modules and the distributions they come with
    ".otioz": {"opentimelineio": "opentimelineio"},
    ".xml": {"opentimelineio": "opentimelineio", "otio_fcp_adapter": "otio-fcp-adapter"},
    ".edl": {"opentimelineio": "opentimelineio", "otio_cmx3600_adapter": "otio-cmx3600-adapter"},
}


class Unwritable(Exception):
    """The library could not write the timeline; the message says what it said."""


def missing(suffix: str) -> str:
    """What is wanting to write this format, "opentimelineio is not installed"; empty: nothing."""
    for module, name in _NEEDS.get(suffix, {}).items():
        try:
            if find_spec(module) is None:
                return f"{name} is not installed"
        except (ImportError, ValueError):
            return f"{name} is not installed"
    if suffix in _NEEDS:
        try:
            importlib.import_module("opentimelineio")
        except ImportError as fault:
            return f"opentimelineio cannot be loaded ({fault})"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A timeline to be written at `target`, in the format its name ends in, out of `text`, the `.otio` that would lie there."""

    target: Path
    text: str

    @property
    def fingerprint(self) -> str:
        """A digest of everything the file depends on: an `.xml` names its clips by their place on this machine."""
        suffix = self.target.suffix
        place = str(self.target.parent.absolute()) if suffix == ".xml" else ""
        parts = [
            str(VERSION),
            suffix,
            *(f"{name} {_version(name)}" for name in _NEEDS[suffix].values()),
            place,
            self.text,
        ]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def write(self, stopped: Callable[[], bool]) -> None:
        """Write the file, whole or not at all. Raises `Unwritable`, OSError, and `Stopped` soon after `stopped` is true."""
        import opentimelineio as otio

        from runner.steps import edl, otioz, xmeml

        folder = self.target.parent.absolute()
        try:
            match self.target.suffix:
                case ".otioz":
                    archive.write(self.target, otioz.members(self.text, folder, stopped))
                case ".xml":
                    write_whole(self.target, xmeml.written(self.text, folder))
                case _:
                    write_whole(self.target, edl.written(self.text, folder))
        except (otio.exceptions.OTIOError, ValueError, TypeError, AttributeError, LookupError) as fault:
            raise Unwritable(f"OpenTimelineIO cannot write it: {fault}") from fault

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the timeline the format has no place for, in words."""
        from runner.steps import edl, xmeml

        if self.target.suffix == ".otioz":
            return ()
        tracks = json.loads(self.text)["tracks"]["children"]
        clips = [item for item in tracks[0]["children"] if item["OTIO_SCHEMA"] == "Clip.2"]
        others = len(
            {n for clip in clips for n in clip["media_references"]} - {c["active_media_reference_key"] for c in clips}
        )
        found = [f"{others} other take{'s' if others > 1 else ''}"] if others else []
        return (*found, *(edl.left_out(tracks) if self.target.suffix == ".edl" else xmeml.left_out(tracks)))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
