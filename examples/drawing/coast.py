"""The coast of the film: sky, sea, the headland with its lighthouse."""

import math

import numpy as np

from drawing.sheet import Point, Sheet, box, down, ellipse, linear, radial, shape

WARM, GLOW, PAPER = "#ffd08a", "#ffe9b8", "#f4ead8"
SKY = ((0.0, "#22384a"), (0.30, "#47677a"), (0.58, "#93a5a2"), (0.82, "#e9bd8d"), (1.0, "#f6d3a2"))
SEA = ((0.0, "#7f9596"), (0.08, "#4f7480"), (0.45, "#2c5161"), (1.0, "#17313f"))


def sky(width: int, height: int, horizon: float) -> Sheet:
    """Evening under a heavy sky, with a bright strip over the sea."""
    sheet = Sheet(width, height, down(0, horizon, *SKY))
    unit = height / 900
    clouds = (
        (0.05, 0.13, 0.34, 0.050, "#1d3243", 0.55),
        (0.48, 0.07, 0.42, 0.055, "#1d3243", 0.50),
        (0.90, 0.17, 0.30, 0.045, "#213848", 0.50),
        (0.22, 0.30, 0.26, 0.026, "#3a5768", 0.55),
        (0.70, 0.34, 0.30, 0.024, "#4a6674", 0.45),
        (0.98, 0.42, 0.22, 0.016, "#7c8f92", 0.50),
        (0.08, 0.45, 0.20, 0.014, "#8a9893", 0.45),
    )
    for x, y, rx, ry, colour, cover in clouds:
        for part in range(5):
            at = (x + (part - 2) * rx * 0.34) * width
            lift = math.cos((part - 2) * 1.1) * ry * 0.5
            form = ellipse(at, (y - lift) * height, rx * width * 0.36, ry * height * (0.7 + 0.25 * (part % 2)))
            sheet.fill(form, colour, cover=cover * 0.6, soft=16 * unit)
    return sheet


def sea(sheet: Sheet, horizon: float, bottom: float, phase: float = 0.0) -> None:
    """Water to the horizon, with glints that drift by `phase` turns."""
    width, unit = sheet.width, sheet.height / 900
    sheet.fill(box(0, horizon, width, bottom), down(horizon, bottom, *SEA))
    draw = np.random.default_rng(7)
    for row in range(26):
        depth = row / 26
        y = horizon + (bottom - horizon) * depth**1.7 + 3 * unit
        for _ in range(9):
            x, length = draw.random() * width, (20 + 130 * depth) * unit * (0.6 + draw.random())
            drift = math.sin(2 * math.pi * (phase + draw.random())) * 10 * depth * unit
            bright = draw.random()
            half, thick = length / 2, (0.9 + 2.2 * depth) * unit
            x += drift
            form = shape(
                f"M {x - half:.2f} {y:.2f} Q {x:.2f} {y - 2 * thick:.2f} {x + half:.2f} {y:.2f}"
                f" Q {x:.2f} {y + thick:.2f} {x - half:.2f} {y:.2f}"
            )
            sheet.fill(form, "#cfd3c4" if bright > 0.6 else "#0f2733", cover=(0.34 if bright > 0.6 else 0.22))
    glow = radial(width * 0.5, horizon, width * 0.5, (0, WARM, 0.35), (1, WARM, 0.0), flat=0.10)
    sheet.fill(box(0, horizon, width, min(bottom, horizon + 90 * unit)), glow)


def headland(sheet: Sheet, x: float, foot: float, size: float) -> None:
    """A cape that falls from the left edge into the sea; its flat top is at `x`, `size` above `foot`."""
    s = size
    back = shape(
        f"M {-s:.1f} {foot - 0.86 * s:.1f} C {x - 1.4 * s:.1f} {foot - 1.08 * s:.1f} {x - 0.7 * s:.1f} {foot - 1.02 * s:.1f} {x + 0.2 * s:.1f} {foot - s:.1f}"
        f" C {x + 0.7 * s:.1f} {foot - 0.96 * s:.1f} {x + 0.86 * s:.1f} {foot - 0.62 * s:.1f} {x + 1.02 * s:.1f} {foot - 0.5 * s:.1f}"
        f" C {x + 1.3 * s:.1f} {foot - 0.36 * s:.1f} {x + 1.28 * s:.1f} {foot - 0.16 * s:.1f} {x + 1.7 * s:.1f} {foot:.1f} L {-s:.1f} {foot:.1f}"
    )
    sheet.fill(back, linear((x, foot - s), (x + 0.5 * s, foot), (0, "#3c5a52"), (0.35, "#2b464a"), (1, "#1b3340")))
    for px, py, w, h in (
        (0.72, 0.72, 0.10, 0.5),
        (0.95, 0.40, 0.07, 0.3),
        (0.45, 0.80, 0.07, 0.62),
        (0.15, 0.82, 0.05, 0.5),
    ):
        left, top = x + px * s, foot - py * s
        crag = shape(
            f"M {left:.1f} {top:.1f} Q {left + w * s:.1f} {top + 0.2 * h * s:.1f} {left + 0.6 * w * s:.1f} {top + h * s:.1f}"
            f" Q {left - 0.8 * w * s:.1f} {top + 0.6 * h * s:.1f} {left:.1f} {top:.1f}"
        )
        sheet.fill(crag, "#142833", cover=0.4, soft=0.02 * s, inside=back)
    foam = shape(
        f"M {x + 0.9 * s:.1f} {foot:.1f} Q {x + 1.35 * s:.1f} {foot - 0.05 * s:.1f} {x + 1.9 * s:.1f} {foot + 0.005 * s:.1f}"
        f" Q {x + 1.4 * s:.1f} {foot + 0.035 * s:.1f} {x + 0.9 * s:.1f} {foot:.1f}"
    )
    sheet.fill(foam, "#dfe3d6", cover=0.75)


def lighthouse(sheet: Sheet, x: float, foot: float, tall: float) -> Point:
    """Three white and two red bands, gallery, lantern, dome, a keeper's house. Where the lamp is."""
    t = tall

    def at(left: float, top: float) -> str:
        return f"{x + left * t:.2f} {foot - top * t:.2f}"

    house = shape(f"M {at(-0.42, 0)} L {at(-0.42, 0.15)} L {at(-0.10, 0.15)} L {at(-0.10, 0)}")
    sheet.fill(house, "#d8cdb9")
    sheet.fill(shape(f"M {at(-0.46, 0.145)} L {at(-0.38, 0.25)} L {at(-0.14, 0.25)} L {at(-0.08, 0.145)}"), "#7d3a30")
    for left in (-0.36, -0.22):
        sheet.fill(box(x + left * t, foot - 0.11 * t, x + (left + 0.06) * t, foot - 0.04 * t), "#f7c870")
    tower = shape(f"M {at(-0.115, 0)} L {at(-0.072, 0.76)} L {at(0.072, 0.76)} L {at(0.115, 0)}")
    sheet.fill(tower, PAPER)
    for low in (0.16, 0.47):
        band = box(x - 0.2 * t, foot - (low + 0.155) * t, x + 0.2 * t, foot - low * t)
        sheet.fill(band, "#b8402f", inside=tower)
    shade = linear(
        (x - 0.1 * t, 0), (x + 0.12 * t, 0), (0, "#1b2f3c", 0.0), (0.45, "#1b2f3c", 0.08), (1, "#1b2f3c", 0.55)
    )
    sheet.fill(tower, shade)
    for low in (0.07, 0.38, 0.67):
        sheet.fill(box(x - 0.018 * t, foot - (low + 0.06) * t, x + 0.018 * t, foot - low * t, 0.018 * t), "#2a3b45")
    sheet.fill(box(x - 0.115 * t, foot - 0.79 * t, x + 0.115 * t, foot - 0.755 * t, 0.008 * t), "#26343d")
    for rail in range(-4, 5):
        post = x + rail * 0.027 * t
        sheet.fill(box(post - 0.004 * t, foot - 0.84 * t, post + 0.004 * t, foot - 0.78 * t), "#26343d")
    sheet.fill(box(x - 0.113 * t, foot - 0.846 * t, x + 0.113 * t, foot - 0.836 * t), "#26343d")
    lamp = (x, foot - 0.855 * t)
    sheet.fill(box(x - 0.06 * t, foot - 0.925 * t, x + 0.06 * t, foot - 0.79 * t), "#ffe9ae")
    for bar in (-0.06, -0.022, 0.016, 0.054):
        sheet.fill(box(x + bar * t, foot - 0.925 * t, x + (bar + 0.007) * t, foot - 0.79 * t), "#5a4a3a")
    dome = shape(f"M {at(-0.085, 0.92)} C {at(-0.075, 1.0)} {at(0.075, 1.0)} {at(0.085, 0.92)}")
    sheet.fill(dome, linear((x - 0.08 * t, 0), (x + 0.09 * t, 0), (0, "#b8402f"), (1, "#6f261f")))
    sheet.fill(ellipse(x, foot - 0.99 * t, 0.012 * t), "#26343d")
    return lamp


def beam(sheet: Sheet, lamp: Point, reach: float, spread: float, turn: float) -> None:
    """A cone of light from the lamp to the right, turned clockwise."""
    x, y = lamp
    cone = shape(f"M {x} {y - 3} L {x + reach} {y - spread} L {x + reach} {y + spread} L {x} {y + 3}").turned(
        turn, lamp
    )
    light = radial(x, y, reach, (0, GLOW, 0.7), (0.15, GLOW, 0.42), (0.5, GLOW, 0.18), (1, GLOW, 0.0))
    sheet.fill(cone, light, soft=reach / 250)


def halo(sheet: Sheet, lamp: Point, reach: float) -> None:
    """The shine around the lamp, without an edge."""
    x, y = lamp
    stops = [(n / 12, GLOW, 0.62 * math.exp(-9 * (n / 12) ** 1.2) * (1 - n / 12)) for n in range(13)]
    sheet.fill(ellipse(x, y, reach), radial(x, y, reach, *stops))
    sheet.fill(ellipse(x, y, reach * 0.1), radial(x, y, reach * 0.1, (0, "#fffbef", 0.95), (1, "#fff0c8", 0.0)))
