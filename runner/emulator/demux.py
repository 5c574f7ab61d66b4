"""Reference clips and sounds are opened here: as what their first bytes say they are, and as nothing else."""

from pathlib import Path

import av

from runner.adapters.signature import Unreadable, identify
from runner.emulator.order import BadMedia

# Demuxers by the names of `identify`. Lists of other files have none, and no other protocol is spoken.
DEMUXERS = {
    "mp4": "mov",
    "mov": "mov",
    "m4a": "mov",
    "webm": "matroska",
    "mp3": "mp3",
    "wav": "wav",
    "flac": "flac",
    "ogg": "ogg",
}
ONLY_FILES = {"protocol_whitelist": "file"}


def opened(path: Path, what: str) -> av.container.InputContainer:
    """The file with the one demuxer that its first bytes name. Raises BadMedia."""
    try:
        form = DEMUXERS.get(identify(path))
        if form is None:
            raise BadMedia(f"{what} is a picture, without sound or motion")
        return av.open(str(path.absolute()), format=form, container_options=ONLY_FILES)
    except Unreadable as error:
        raise BadMedia(f"{what} cannot be used: {error.reason}") from None
    except (av.FFmpegError, ValueError, OSError):
        raise BadMedia(f"{what} cannot be opened: it is damaged or cut short") from None
