"""What the renderer is asked for, and the one way it says no."""

from dataclasses import dataclass
from pathlib import Path

SIDES_PX = 160, 4096  # on less the card has no room


class BadMedia(Exception):
    """A reference that cannot be shown or heard. `reason` is one line, without a path."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One clip to be rendered.

    `width_px` and `height_px` are even. The clip lasts `seconds` whole seconds, `seconds * fps` frames. `label` stands
    in the card's header (a take such as `arrival@dawn.2`) and may be empty. `audio` is the driving audio; `sound` says
    whether the clip has an audio stream at all. `quality` is the tier by its own name, for the card.
    `shot_type` is `single` or `multi` where the request says so: one shot, or several whatever the prompt's wording.
    """

    model: str
    prompt: str
    width_px: int
    height_px: int
    seconds: int
    seed: int
    fps: int = 24
    label: str = ""
    image: Path | None = None
    videos: tuple[Path, ...] = ()
    audio: Path | None = None
    sound: bool = True
    quality: str = ""
    shot_type: str = ""

    def __post_init__(self) -> None:
        for side in (self.width_px, self.height_px):
            if not SIDES_PX[0] <= side <= SIDES_PX[1] or side % 2:
                raise ValueError(f"a side of {side} px; sides are even, from {SIDES_PX[0]} to {SIDES_PX[1]}")
        if not 1 <= self.seconds <= 60:
            raise ValueError(f"{self.seconds} seconds; a clip has 1 to 60")
        if not 12 <= self.fps <= 60:
            raise ValueError(f"{self.fps} fps; a clip has 12 to 60")

    @property
    def frames(self) -> int:
        return self.seconds * self.fps
