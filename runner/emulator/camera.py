"""Where the camera stands in every frame: pure paths, eased at both ends, without stutter in between.

A travelling shot cruises at a whole number of pixels a frame, so that its frames are exact crops of the plate; only
the eased ends lie between pixels. Where one pixel a frame would be too fast, every frame lies between pixels: the plate
is then a little smaller, so that all frames are scaled and equally sharp. A push or pull changes its scale by an equal
ratio a frame.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from runner.emulator.chance import Chance

RAMP_S = 0.7  # the eased part at each end
TRAVEL = 0.2  # of the frame's side, what a travelling shot covers, or less where whole speeds are used
WHOLE_FROM = 1.8  # one pixel a frame is used where it is not so many times faster than wanted
FASTEST = 260  # steps to cross a side, at least
TIGHT = 0.86  # the side of a push's last frame, of its first
# Pixels of the plate for one of the frame, at most, where frames are scaled: enlarging mixes half as many pixels as
# reducing, and 1:1 would leave no choice of place; sixteenths leave sixteen.
DENSITY = 15 / 16
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


def _even(value: float) -> int:
    return math.ceil(value / 2) * 2


def path(move: Move, *, width_px: int, height_px: int, frames: int, fps: int) -> Path:
    """The whole move of a clip; every box lies inside the plate and has the frame's shape."""
    steps = _progress(frames, fps)
    if move in (Move.PUSH, Move.PULL):
        return _zoom(move, steps, width_px, height_px)
    dx, dy = _DIRECTION[move]
    across = _speed(steps[-1], width_px, TRAVEL) * dx
    down = _speed(steps[-1], height_px, TRAVEL / 2 if dx else TRAVEL) * dy
    return _travel(move, steps, width_px, height_px, across, down)


def _speed(steps: float, side_px: int, limit: float) -> float:
    """Pixels a step: the largest whole number within the limits, or what part of one keeps near them in a long clip."""
    wanted = limit * side_px / steps
    if wanted * WHOLE_FROM >= 1:
        return max(1, math.floor(min(wanted, side_px / FASTEST)))
    return wanted


def _travel(move: Move, steps: list[float], width_px: int, height_px: int, across: float, down: float) -> Path:
    """`across`, `down`: pixels a step, to the right and down."""
    whole = across == int(across) and down == int(down)
    scale, margin = (1.0, 0) if whole else (DENSITY, MARGIN_PX)
    reach_x, reach_y = abs(across) * steps[-1], abs(down) * steps[-1]
    places = [
        (round(s * across + (reach_x if across < 0 else 0), 6), round(s * down + (reach_y if down < 0 else 0), 6))
        for s in steps
    ]
    near_x = NEARER if abs(across) < 3 else NEARER_FAST
    near_y = 1 if across else NEARER_FAST
    return Path(
        move=move,
        width_px=_even((width_px + reach_x) * scale) + 2 * margin,
        height_px=_even((height_px + reach_y) * scale) + 2 * margin,
        boxes=tuple(
            Box(x=x * scale + margin, y=y * scale + margin, width=width_px * scale, height=height_px * scale)
            for x, y in places
        ),
        shifts=tuple((x * near_x, y * near_y) for x, y in places),
        strip_px=(math.ceil(reach_x * near_x), math.ceil(reach_y * near_y)),
    )


def _zoom(move: Move, steps: list[float], width_px: int, height_px: int) -> Path:
    wide, tall = width_px * DENSITY, height_px * DENSITY
    sink = height_px * 0.05
    boxes, shifts = [], []
    for step in steps:
        u = step / steps[-1] if move is Move.PUSH else 1 - step / steps[-1]
        side = TIGHT**u  # an equal ratio a frame: the eye sees a steady approach
        x, y = wide * (1 - side) / 2, tall * (1 - side) * 0.46
        boxes.append(Box(x=x + MARGIN_PX, y=y + MARGIN_PX, width=wide * side, height=tall * side))
        shifts.append((0.0, round(sink * (1 - u), 6)))
    return Path(
        move=move,
        width_px=_even(wide) + 2 * MARGIN_PX,
        height_px=_even(tall) + 2 * MARGIN_PX,
        boxes=tuple(boxes),
        shifts=tuple(shifts),
        strip_px=(0, math.ceil(sink)),
    )


_MOVES: tuple[Move, ...] = (*Move, Move.PUSH)
_ALONG = {True: (Move.LEFT, Move.RIGHT), False: (Move.RISE, Move.SINK)}


def choose(chance: Chance, *, width_px: int, height_px: int) -> Move:
    """By seed; more often along the frame's long side."""
    return chance.pick("move", (*_MOVES, *_ALONG[width_px >= height_px]))
