"""The keeper from the side, walking: legs from two angles each, a coat that the wind lifts, a lantern."""

import math
from dataclasses import dataclass

from drawing.keeper import BEARD, COAT, COAT_DARK, COAT_DEEP, COAT_LIGHT, INK, SKIN
from drawing.sheet import Point, Shape, Sheet, box, ellipse, line, linear, radial, shape

THIGH, SHIN, HEEL = 39.0, 38.0, 9.0
STRIDE = 124.0  # of a left and a right step
BOOT, TROUSERS, TROUSERS_FAR = "#1d262e", "#36454f", "#25313a"


def wave(turn: float, times: int, offset: float = 0.0) -> float:
    """Comes back after the clip's length: `times` swings in it."""
    return math.sin(2 * math.pi * (turn * times + offset))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """From the hip, y down: places of knee and ankle, and how far the foot's tip points down, in degrees."""

    knee: Point
    ankle: Point
    foot: float

    @property
    def reach(self) -> float:
        """Depth of the sole's lowest point."""
        tip = math.radians(self.foot)
        heel, toe = HEEL * math.cos(tip) + 5 * math.sin(-tip), HEEL * math.cos(tip) + 15 * math.sin(tip)
        return self.ankle[1] + max(heel, toe)


def _bump(phase: float, middle: float, width: float) -> float:
    away = (phase - middle + 0.5) % 1 - 0.5
    return math.exp(-((away / width) ** 2))


def _leg(phase: float) -> _Leg:
    """At phase 0 the heel strikes in front, at 0.6 the toes leave the ground behind."""
    phase %= 1
    hip = math.radians(3 + 23 * math.cos(2 * math.pi * phase) + 5 * _bump(phase, 0.82, 0.12))
    knee = math.radians(5 + 10 * _bump(phase, 0.13, 0.09) + 56 * _bump(phase, 0.72, 0.13))
    foot = -16 * _bump(phase, 0.0, 0.07) + 42 * _bump(phase, 0.62, 0.10)
    kx, ky = THIGH * math.sin(hip), THIGH * math.cos(hip)
    return _Leg(knee=(kx, ky), ankle=(kx + SHIN * math.sin(hip - knee), ky + SHIN * math.cos(hip - knee)), foot=foot)


def figure(sheet: Sheet, ground: Point, cycles: float, turn: float) -> None:
    """The walker above this place of the ground: `cycles` pairs of steps done, `turn` of the whole clip gone."""
    near, far = _leg(cycles), _leg(cycles + 0.5)
    hip = ground[0], ground[1] - max(near.reach, far.reach)
    swing = math.cos(2 * math.pi * cycles)  # 1 when the near leg is in front
    for x, leg in ((near.ankle[0], near), (far.ankle[0], far)):
        lift = max(0.0, ground[1] - hip[1] - leg.reach)
        sheet.fill(ellipse(hip[0] + x + 4, ground[1], 17, 3.2), "#1a2620", cover=0.45 / (1 + lift / 5), soft=2)
    sheet.fill(ellipse(hip[0], ground[1] + 1, 34, 4), "#1a2620", cover=0.35, soft=3)
    _lantern_arm(sheet, hip, swing, turn)
    _drawn_leg(sheet, far, hip, TROUSERS_FAR)
    _drawn_leg(sheet, near, hip, TROUSERS)
    _coat(sheet, hip, near, far, turn)
    _head(sheet, hip, swing, turn)
    _near_arm(sheet, hip, swing)


def _drawn_leg(sheet: Sheet, leg: _Leg, hip: Point, cloth: str) -> None:
    (kx, ky), (ax, ay) = leg.knee, leg.ankle
    sheet.fill(line(f"M 0 -6 L {kx:.2f} {ky:.2f} L {ax:.2f} {ay:.2f}", 16).moved(*hip), cloth)
    shaft = line(f"M {kx + (ax - kx) * 0.45:.2f} {ky + (ay - ky) * 0.45:.2f} L {ax:.2f} {ay:.2f}", 15)
    sheet.fill(shaft.moved(*hip), BOOT)
    boot = shape("M -8 -6 L 7 -6 C 9 0 20 0 21 7 Q 21 9.5 19 9.5 L -8 9.5 Q -9 2 -8 -6")
    boot = boot.turned(leg.foot, (0, 0)).moved(ax, ay).moved(*hip)
    sheet.fill(boot, BOOT)
    sole = line("M -7 8.6 L 19 8.6", 2).turned(leg.foot, (0, 0)).moved(ax, ay).moved(*hip)
    sheet.fill(sole, "#39454e")


def _coat(sheet: Sheet, hip: Point, near: _Leg, far: _Leg, turn: float) -> None:
    front = max(near.knee[0], far.knee[0])
    behind = min(near.knee[0], far.knee[0])
    flap = 4 + 4 * wave(turn, 6) + 2.5 * wave(turn, 9, 0.3)
    hem_back, hem_front = behind - 15 - flap, front + 9
    lift = 2.5 * wave(turn, 6, 0.2)
    coat = shape(
        f"M 6 -76 C -8 -76 -14 -66 -16 -48 C -18 -28 -19 -12 {hem_back * 0.86:.2f} 16"
        f" Q {hem_back - 1:.2f} 26 {hem_back - 3:.2f} {38 - lift:.2f}"
        f" Q {hem_back * 0.45:.2f} {45 + lift:.2f} 0 {42 - lift * 0.4:.2f}"
        f" Q {hem_front * 0.6:.2f} {46:.2f} {hem_front:.2f} 40"
        f" C {hem_front + 1:.2f} 18 20 0 20 -16 C 21 -38 24 -58 19 -72 Q 14 -78 6 -76"
    ).moved(*hip)
    x, y = hip
    sheet.fill(
        coat,
        linear((x + 26, y - 60), (x - 26, y + 30), (0, COAT_LIGHT), (0.35, COAT), (0.75, COAT_DARK), (1, COAT_DEEP)),
    )
    for path, colour, cover in (
        (f"M -4 6 Q {hem_back * 0.5:.2f} 22 {hem_back * 0.62:.2f} 42", COAT_DEEP, 0.55),
        (f"M 8 4 Q {hem_front * 0.45:.2f} 22 {hem_front * 0.5:.2f} 44", COAT_DEEP, 0.4),
        (f"M 14 -58 Q 18 -20 {14 + hem_front * 0.12:.2f} 42", COAT_DEEP, 0.45),
    ):
        sheet.fill(line(path, 2).moved(*hip), colour, cover=cover, soft=0.6, inside=coat)
    for top in (-44, -26, -8):
        sheet.fill(ellipse(x + 17.5, y + top, 1.7), INK)
    hem = line(
        f"M {hem_back - 3:.2f} {37 - lift:.2f} Q {hem_back * 0.45:.2f} {44 + lift:.2f} 0 {41 - lift * 0.4:.2f} Q {hem_front * 0.6:.2f} 45 {hem_front:.2f} 39",
        1.6,
    )
    sheet.fill(hem.moved(*hip), COAT_DEEP, cover=0.6, inside=coat)


def _head(sheet: Sheet, hip: Point, swing: float, turn: float) -> None:
    """In profile, bent a little against the wind."""
    at = hip[0] + 12, hip[1] - 92
    nod = 5 + 1.5 * swing * swing

    def put(form: Shape) -> Shape:
        return form.turned(nod, (0, 14)).moved(*at)

    blown = 2.2 * wave(turn, 6, 0.4) + 1.2 * wave(turn, 10)
    sheet.fill(put(shape("M -14 -2 C -24 8 -27 18 -28 27 C -18 30 -6 28 4 24 L 4 -2")), COAT_DEEP)
    sheet.fill(put(shape("M -10 -6 L 15 -6 Q 17 -1 17 3 Q 23 7 22.5 9.5 Q 22 11.5 17.5 11 L 16 18 L -8 18")), SKIN)
    sheet.fill(put(ellipse(6, 10, 7, 5)), "#d3644a", cover=0.28, soft=2.5)
    beard = shape(
        f"M -4 6 C -5 18 -4 30 {2 + blown:.2f} 38 C {10 + blown:.2f} 40 {18 + blown * 0.6:.2f} 32 20 22"
        " Q 22 15 17.5 13 Q 10 12 5 14 Q 0 12 -4 6"
    )
    sheet.fill(
        put(beard), linear((at[0] + 20, at[1]), (at[0] - 4, at[1] + 36), (0, "#ffffff"), (0.6, BEARD), (1, "#bcc0bd"))
    )
    sheet.fill(put(line(f"M 3 18 Q 4 28 {7 + blown:.2f} 34", 1)), "#c5c8c4")
    sheet.fill(put(line(f"M 10 18 Q 12 26 {12 + blown:.2f} 31", 1)), "#c5c8c4")
    sheet.fill(put(shape("M 19 12 Q 10 10.5 5.5 16 Q 12 19 19.5 16.5 Q 21 14 19 12")), "#ffffff")
    sheet.fill(put(ellipse(13, 2.8, 1.5, 1.8)), INK)
    sheet.fill(put(line("M 9.5 -0.8 Q 13 -2.8 16.5 -0.8", 2.4)), BEARD)
    crown = shape("M -16 -2 C -19 -26 -6 -33 3 -33 C 14 -33 20 -22 19 -4")
    sheet.fill(
        put(crown), linear((at[0] + 16, at[1] - 30), (at[0] - 18, at[1]), (0, COAT_LIGHT), (0.45, COAT), (1, COAT_DARK))
    )
    sheet.fill(put(line("M 3 -33 C -4 -24 -5 -12 -4 -4", 1.2)), COAT_DEEP, cover=0.5)
    brim = shape(
        "M 29 2 C 24 -7 14 -9.5 2 -8.5 C -10 -8 -20 -4 -32 15 C -34 19 -31 22 -28 20 C -18 8 -8 2 4 -0.5 C 14 -2 22 -1 29 2"
    )
    sheet.fill(
        put(brim),
        linear((at[0] + 28, at[1] - 8), (at[0] - 30, at[1] + 16), (0, COAT_LIGHT), (0.4, COAT), (1, COAT_DARK)),
    )


def _near_arm(sheet: Sheet, hip: Point, swing: float) -> None:
    shoulder = hip[0] + 1, hip[1] - 62
    upper, lower = math.radians(-20 * swing - 4), math.radians(-20 * swing + 16 + 8 * max(0.0, -swing))
    ex, ey = 25 * math.sin(upper), 25 * math.cos(upper)
    wx, wy = ex + 22 * math.sin(lower), ey + 22 * math.cos(lower)
    sheet.fill(ellipse(wx + 9 * math.sin(lower), wy + 9 * math.cos(lower), 5.2).moved(*shoulder), "#d69b74")
    sleeve = line(f"M 0 0 L {ex:.2f} {ey:.2f} L {wx:.2f} {wy:.2f}", 14.5)
    sheet.fill(sleeve.moved(*shoulder).moved(-1.5, 1.2), COAT_DEEP, cover=0.55, soft=1.4)
    x, y = shoulder
    sheet.fill(
        sleeve.moved(*shoulder), linear((x + 12, y), (x - 14, y + 20), (0, COAT_LIGHT), (0.4, COAT), (1, COAT_DARK))
    )
    cuff = line(
        f"M {wx - 6 * math.cos(lower):.2f} {wy + 6 * math.sin(lower):.2f} L {wx + 6 * math.cos(lower):.2f} {wy - 6 * math.sin(lower):.2f}",
        2,
    )
    sheet.fill(cuff.moved(*shoulder), COAT_DEEP, cover=0.7)


def _lantern_arm(sheet: Sheet, hip: Point, swing: float, turn: float) -> None:
    """The far arm, held out with a lantern that swings against the steps."""
    shoulder = hip[0] + 12, hip[1] - 60
    hand = shoulder[0] + 35 + 1.5 * swing, shoulder[1] + 13 + 1.2 * abs(swing)
    sleeve = line(f"M {shoulder[0]} {shoulder[1]} L {shoulder[0] + 15} {shoulder[1] + 18} L {hand[0]} {hand[1]}", 13)
    sheet.fill(sleeve, COAT_DEEP)
    sheet.fill(ellipse(hand[0] + 3, hand[1], 5), "#c98a64")
    tilt = 9 * wave(turn, 3, 0.1)

    def hung(form: Shape) -> Shape:
        return form.turned(tilt, (0, 0)).moved(hand[0] + 4, hand[1] + 3)

    flicker = 1 + 0.05 * wave(turn, 11) + 0.04 * wave(turn, 17, 0.2)
    middle = hung(ellipse(0, 21, 1)).points.mean(axis=0)
    x, y = float(middle[0]), float(middle[1])
    for radius, strength in ((95, 0.42), (34, 0.75)):
        stops = [(n / 8, "#ffc968", strength * flicker * (1 - n / 8) ** 2.2) for n in range(9)]
        sheet.fill(ellipse(x, y, radius), radial(x, y, radius, *stops))
    sheet.fill(hung(line("M -6 11 Q 0 -5 6 11", 1.4)), INK)
    sheet.fill(hung(box(-6.5, 12, 6.5, 31, 3)), "#fff1c4")
    sheet.fill(hung(shape("M -3 29 Q -3.5 22 0 17 Q 3.5 22 3 29")), "#ff9f35")
    for bar in (-6.5, -0.6, 5.3):
        sheet.fill(hung(box(bar, 13, bar + 1.2, 30)), INK)
    sheet.fill(hung(shape("M -8 13 L -4 8 L 4 8 L 8 13")), INK)
    sheet.fill(hung(box(-8, 29.5, 8, 33, 1)), INK)
