"""What an `.otioz` holds: the timeline and every medium of it in one archive, alternatives too; OpenTimelineIO's own writer takes only
those in use."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

import opentimelineio as otio
from opentimelineio.adapters import file_bundle_utils as bundle

from runner.steps.cut import Stopped


def members(text: str, folder: Path, stopped: Callable[[], bool]) -> Iterator[tuple[str, bytes | Path]]:
    """Names and contents, in the order of the archive; the `.otio` would lie in `folder`. Raises the library's errors, and `Stopped`
    soon after `stopped` is true."""
    timeline = otio.adapters.read_from_string(text, "otio_json")
    names: dict[Path, str] = {}
    for clip in timeline.find_clips():
        for reference in clip.media_references().values():
            if isinstance(reference, otio.schema.ExternalReference):
                file = folder / unquote(reference.target_url)
                name = names.setdefault(file, _free(file.name, names.values()))
                reference.target_url = quote(f"{bundle.BUNDLE_DIR_NAME}/{name}", safe="/@+")
    yield bundle.BUNDLE_VERSION_FILE, bundle.BUNDLE_VERSION.encode()
    yield bundle.BUNDLE_PLAYLIST_PATH, otio.adapters.write_to_string(timeline, "otio_json").encode()
    for file, name in names.items():
        if stopped():
            raise Stopped
        yield f"{bundle.BUNDLE_DIR_NAME}/{name}", file


def _free(name: str, taken: Iterable[str]) -> str:
    """A file name nobody has yet, whatever the case of its letters."""
    known, path = {each.casefold() for each in taken}, PurePosixPath(name)
    number, found = 1, name
    while found.casefold() in known:
        number += 1
        found = f"{path.stem}-{number}{path.suffix}"
    return found
