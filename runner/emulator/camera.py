"""Where the camera stands in every frame: pure paths, eased at both ends, without stutter in between.

A travelling shot cruises at a whole number of pixels a frame, so that its frames are exact crops of the plate; only
the eased ends lie between pixels. A push or pull changes its scale by an equal ratio a frame.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from runner.emulator.chance import Chance

RAMP_S = 0.7  # the eased part at each end
TRAVEL = 0.2  # of the frame's side, the most a travelling shot covers where a slower whole speed exists
TIGHT = 0.86  # the side of a push's last frame, of its first
SPARE = 1.06  # what a push's last frame has more pixels than it shows: scaling exactly 1:1 leaves no choice of place
NEARER, NEARER_FAST = 3, 2  # pixels the foreground travels while the plate travels one; fewer from 3 a frame on
MARGIN_PX = 32  # what a zooming plate has around its widest box, for cuts larger than the box


class Move(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    RISE = "rise"
    SINK = "sink"
    RISE_LEFT = "rise left"
    SINK_RIGHT = "sink right"
    PUSH = "push"
    PULL = "pull"


# Directions in which the frame moves over the plate.
_DIRECTION: dict[Move, tuple[int, int]] = {
    Move.LEFT: (-1, 0),
    Move.RIGHT: (1, 0),
    Move.RISE: (0, -1),
    Move.SINK: (0, 1),
    Move.RISE_LEFT: (-1, -1),
    Move.SINK_RIGHT: (1, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What one frame shows of the plate, in the plate's pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The plate's size (even) that the boxes need, a box a frame, and the foreground's shift a frame.

    The shift is what the foreground strip has moved against its first place, in the frame's pixels, never negative;
    `strip_px` is its largest value to the right and down.
    """

    move: Move
    width_px: int
    height_px: int
    boxes: tuple[Box, ...]
    shifts: tuple[tuple[float, float], ...]
    strip_px: tuple[int, int]


def _progress(frames: int, fps: int) -> list[float]:
    """Steps done after each frame, from 0; one step a frame at cruise, less in the ramps, which hold half their length."""
    ramp = max(2, min(round(RAMP_S * fps), (frames - 1) // 3) // 2 * 2)
    done, path = 0.0, [0.0]
    for k in range(frames - 1):
        at_end = min(k, frames - 2 - k)
        u = min(1.0, (at_end + 0.5) / ramp)
        done += u * u * (3 - 2 * u)
        path.append(round(done, 6))
    return path


def _speed(steps: float, side_px: int, limit: float) -> int:
    """Whole pixels a step, at least 1, that keep the travel below its limit if any does."""
    return max(1, math.floor(limit * side_px / steps))


def _even(value: float) -> int:
    return math.ceil(value / 2) * 2


def path(move: Move, *, width_px: int, height_px: int, frames: int, fps: int) -> Path:
    """The whole move of a clip; every box lies inside the plate."""
    steps = _progress(frames, fps)
    total = steps[-1]
    if move in (Move.PUSH, Move.PULL):
        return _zoom(move, steps, width_px, height_px)
    dx, dy = _DIRECTION[move]
    vx = _speed(total, width_px, TRAVEL) * dx
    vy = _speed(total, height_px, TRAVEL if dx == 0 else TRAVEL / 2) * dy
    reach_x, reach_y = abs(vx) * total, abs(vy) * total

    def at(step: float, speed: int, reach: float) -> float:
        return round(step * speed + (reach if speed < 0 else 0.0), 6)

    places = [(at(s, vx, reach_x), at(s, vy, reach_y)) for s in steps]
    near_x = NEARER if abs(vx) < 3 else NEARER_FAST
    near_y = 1 if dx else NEARER_FAST
    return Path(
        move=move,
        width_px=width_px + _even(reach_x),
        height_px=height_px + _even(reach_y),
        boxes=tuple(Box(x=x, y=y, width=width_px, height=height_px) for x, y in places),
        shifts=tuple((x * near_x, y * near_y) for x, y in places),
        strip_px=(math.ceil(reach_x * near_x), math.ceil(reach_y * near_y)),
    )


def _zoom(move: Move, steps: list[float], width_px: int, height_px: int) -> Path:
    wide, tall = _even(width_px * SPARE / TIGHT), _even(height_px * SPARE / TIGHT)
    boxes, shifts = [], []
    sink = height_px * 0.05
    for step in steps:
        u = step / steps[-1]
        u = u if move is Move.PUSH else 1 - u
        side = TIGHT**u  # an equal ratio a frame: the eye sees a steady approach
        box_w, box_h = wide * side, tall * side
        left, top = (wide - box_w) / 2, (tall - box_h) * 0.46
        boxes.append(Box(x=left + MARGIN_PX, y=top + MARGIN_PX, width=box_w, height=box_h))
        shifts.append((0.0, round(sink * (1 - u), 6)))
    return Path(
        move=move,
        width_px=wide + 2 * MARGIN_PX,
        height_px=tall + 2 * MARGIN_PX,
        boxes=tuple(boxes),
        shifts=tuple(shifts),
        strip_px=(0, math.ceil(sink)),
    )


def choose(chance: Chance, *, width_px: int, height_px: int) -> Move:
    """By seed; a picture on edge is rather travelled up and down, a wide one sideways."""
    sideways = (Move.LEFT, Move.RIGHT)
    upright = (Move.RISE, Move.SINK)
    long = sideways if width_px >= height_px else upright
    return chance.pick(
        "move", (*long, *long, *sideways, Move.RISE_LEFT, Move.SINK_RIGHT, Move.PUSH, Move.PUSH, Move.PULL, Move.RISE)
    )
