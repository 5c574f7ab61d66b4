"""Reference media as values: kinds and what a probe found."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Kind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


# The storyboard's word for each kind of medium, whichever property of a model it fills.
WORDS = {Kind.IMAGE: "image", Kind.VIDEO: "videos", Kind.AUDIO: "audio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What a probe found in one local file that decodes to its end.

    `format` is the name used in model schemas: jpeg png bmp webp gif | mp4 mov webm | mp3 wav flac m4a ogg.
    Sizes in pixels as shown (EXIF orientation applied). `seconds` is exact where the container says so; None for images.
    `transparent` is real transparency: some pixel's alpha is below its maximum, not just an alpha channel.
    """

    kind: Kind
    format: str
    sha256: str
    size_bytes: int
    width_px: int | None = None
    height_px: int | None = None
    seconds: Fraction | None = None
    fps: Fraction | None = None
    codec: str = ""
    has_audio: bool = False
    transparent: bool = False
    animated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A medium that is not here, though its content is known by its digest, as Git LFS leaves one behind.

    `facts` are what a probe of the same content found elsewhere, None where none has.
    """

    sha256: str
    size_bytes: int
    facts: MediaFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What a probe found in a finished clip, every packet of which was read."""

    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    duration_s: Fraction
    fps: Fraction
    frames: int
    codec: str
    audio_codec: str = ""

    def as_result(self) -> dict[str, object]:
        """As the journal keeps it, in JSON."""
        return {
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "width_px": self.width_px,
            "height_px": self.height_px,
            "duration_s": float(self.duration_s),
            "fps": float(self.fps),
            "frames": self.frames,
            "codec": self.codec,
            "audio_codec": self.audio_codec,
        }
