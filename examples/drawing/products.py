"""The catalogue's six products, each on the same round plinth before a wall of its own colour."""

import math
from collections.abc import Callable, Mapping

from drawing.sheet import Paint, Shape, Sheet, box, down, ellipse, line, linear, radial, shape

SIDE = 640
TOP = 452.0  # where things stand, in the middle of the plinth's upper face
INK = "#22272c"


def _stage(wall: str, wall_low: str, floor: str) -> Sheet:
    sheet = Sheet(SIDE, SIDE, down(0, 470, (0, wall), (1, wall_low)))
    sheet.fill(box(0, 470, SIDE, SIDE), down(470, SIDE, (0, floor), (1, wall)))
    sheet.fill(box(0, 462, SIDE, 480), down(462, 480, (0, floor, 0.0), (0.5, floor, 0.6), (1, floor, 0.0)))
    sheet.fill(ellipse(372, 585, 250, 34), "#20242a", cover=0.28, soft=16)
    side = shape("M 112 452 L 112 600 C 112 652 528 652 528 600 L 528 452")
    sheet.fill(side, linear((112, 0), (528, 0), (0, "#efe9df"), (0.3, "#f6f2ea"), (0.7, "#cfc8bc"), (1, "#a59d91")))
    sheet.fill(ellipse(320, 452, 208, 46), linear((112, 0), (528, 0), (0, "#fbf8f2"), (1, "#e4ded3")))
    return sheet


def _shadow(sheet: Sheet, x: float, rx: float, ry: float = 14.0, cover: float = 0.4) -> None:
    plinth = ellipse(320, 452, 208, 46)
    sheet.fill(
        ellipse(x + rx * 0.45, TOP + 5, rx * 1.3, ry * 1.1), "#3a342c", cover=cover * 0.55, soft=9, inside=plinth
    )
    sheet.fill(ellipse(x, TOP + 2, rx, ry), "#2a241e", cover=cover, soft=4, inside=plinth)


def _round(left: float, right: float, dark: str, middle: str, light: str) -> Paint:
    """The shading of something that turns away at both sides, lit from the left."""
    return linear((left, 0), (right, 0), (0, middle), (0.22, light), (0.55, middle), (1, dark))


def mug() -> Sheet:
    sheet = _stage("#d9c4ad", "#ecdcc8", "#c8ae93")
    _shadow(sheet, 300, 104, 16)
    handle = line("M 398 268 C 474 262 482 376 394 388", 26)
    sheet.fill(handle, linear((390, 260), (480, 390), (0, "#6fa497"), (0.5, "#4d8579"), (1, "#2f5f57")))
    sheet.fill(line("M 400 262 C 474 258 480 366 404 382", 5), "#a7cdc2", cover=0.5, soft=2)
    body = shape("M 196 228 C 198 320 204 400 216 442 C 230 466 370 466 384 442 C 396 400 402 320 404 228")
    sheet.fill(body, _round(196, 404, "#3a6e64", "#5c978a", "#8fc1b3"))
    clay = shape("M 180 392 C 240 412 300 384 340 404 C 370 414 400 398 430 402 L 430 480 L 180 480")
    sheet.fill(clay, _round(196, 404, "#8a6a4d", "#b8946f", "#d7b791"), inside=body)
    sheet.fill(
        line("M 180 392 C 240 412 300 384 340 404 C 370 414 400 398 430 402", 4), "#e9f0e4", cover=0.4, inside=body
    )
    sheet.fill(ellipse(300, 228, 104, 25), "#a9d2c6")
    sheet.fill(ellipse(300, 230, 95, 20), linear((205, 0), (395, 0), (0, "#2c544d"), (1, "#5f998c")))
    sheet.fill(ellipse(300, 238, 84, 13), "#3b2417")
    sheet.fill(ellipse(284, 236, 40, 5), "#7a5235", cover=0.6, soft=2)
    sheet.fill(shape("M 222 262 C 224 310 228 350 234 378 C 242 350 240 300 238 266"), "#e6f5ee", cover=0.5, soft=4)
    for x, rise in ((276, 0), (318, 24)):
        steam = f"M {x} {206 - rise} C {x - 26} {176 - rise} {x + 22} {150 - rise} {x - 4} {116 - rise}"
        sheet.fill(line(steam, 9), "#ffffff", cover=0.35, soft=6)
    return sheet


def lamp() -> Sheet:
    sheet = _stage("#2f3a44", "#51606b", "#28323b")
    light = radial(402, 292, 270, (0, "#ffe6a8", 0.75), (0.4, "#ffd98a", 0.3), (1, "#ffd98a", 0.0))
    cone = shape("M 340 290 L 262 452 C 300 478 470 480 514 450 L 462 284")
    sheet.fill(cone, light, soft=7)
    sheet.fill(ellipse(402, 450, 118, 24), "#fff0c4", cover=0.55, soft=12, inside=ellipse(320, 452, 208, 46))
    _shadow(sheet, 250, 84, 15, 0.5)
    brass = ("#7a5521", "#c3943f", "#f6dc9a")
    sheet.fill(shape("M 172 446 C 172 474 328 474 328 446 L 322 436 L 178 436"), _round(172, 328, *brass))
    sheet.fill(ellipse(250, 437, 73, 15), _round(177, 323, "#a87a33", "#d9ae5c", "#f9e6b4"))
    for path, width in (("M 250 434 L 218 290", 11), ("M 218 290 L 338 180", 11)):
        sheet.fill(line(path, width + 1), "#6b4a1c")
        sheet.fill(line(path, width - 2), "#cf9f4a")
        sheet.fill(line(path, 2.5).moved(-2, -1.5), "#fbe6ae", cover=0.85)
    for x, y in ((218, 290), (338, 180)):
        sheet.fill(ellipse(x, y, 15), radial(x - 4, y - 5, 22, (0, "#fdeab8"), (0.5, "#c99a45"), (1, "#6f4d1e")))
        sheet.fill(ellipse(x, y, 4.5), "#5b3f18")
    shade = shape(
        "M 338 164 C 366 146 398 164 404 194 L 476 268 C 470 314 372 334 330 284 L 322 196 C 320 182 326 170 338 164"
    )
    sheet.fill(
        shade, linear((322, 180), (480, 290), (0, "#f6dc9a"), (0.25, "#e2b862"), (0.6, "#bd8c3a"), (1, "#7a5521"))
    )
    mouth = ellipse(402, 290, 78, 22, -7)
    sheet.fill(mouth, "#8a6228")
    sheet.fill(
        ellipse(402, 292, 70, 17, -7), radial(402, 292, 75, (0, "#fffdf2"), (0.5, "#ffefc0"), (1, "#f3c86e"), flat=0.35)
    )
    sheet.fill(line("M 344 182 C 336 206 338 236 342 262", 5), "#fff2cc", cover=0.6, soft=2)
    return sheet


def bag() -> Sheet:
    sheet = _stage("#cfd6c4", "#e6eadc", "#b9c2ab")
    _shadow(sheet, 320, 150, 17)
    leather, leather_light = "#6b4226", "#9a6a41"
    sheet.fill(line("M 256 214 C 256 96 384 96 384 214", 13), "#4d2e1a")
    body = shape(
        "M 186 206 C 176 290 170 380 166 446 C 240 470 400 470 474 446 C 470 380 464 290 454 206 C 400 192 240 192 186 206"
    )
    sheet.fill(
        body, linear((166, 200), (474, 460), (0, "#6d9068"), (0.35, "#4d7350"), (0.75, "#375a40"), (1, "#274432"))
    )
    for path, cover in (
        ("M 214 220 C 206 300 214 380 202 444", 0.35),
        ("M 428 220 C 438 300 424 380 440 446", 0.45),
        ("M 306 200 C 312 230 304 250 310 268", 0.25),
    ):
        sheet.fill(line(path, 7), "#1f382a", cover=cover, soft=5, inside=body)
    sheet.fill(
        shape("M 196 216 C 190 280 186 330 184 380 C 200 330 206 270 208 214"),
        "#a9c49d",
        cover=0.35,
        soft=6,
        inside=body,
    )
    sheet.fill(shape("M 186 206 C 240 192 400 192 454 206 L 452 222 C 400 208 240 208 188 222"), "#89a981", cover=0.6)
    pocket = shape("M 236 300 L 404 300 L 408 416 C 360 426 280 426 232 416")
    sheet.fill(pocket.moved(3, 5), "#1a3023", cover=0.5, soft=5, inside=body)
    sheet.fill(pocket, linear((232, 300), (408, 420), (0, "#648a61"), (1, "#3a5f44")))
    _stitches(sheet, (244, 412, 396, 412), "#c9d6b6")
    _stitches(sheet, (242, 308, 238, 406), "#c9d6b6")
    _stitches(sheet, (398, 308, 402, 406), "#c9d6b6")
    flap = shape("M 232 292 L 408 292 L 406 326 C 360 342 280 342 234 326")
    sheet.fill(flap.moved(1, 5), "#1a3023", cover=0.5, soft=4)
    sheet.fill(flap, linear((232, 290), (408, 340), (0, leather_light), (1, leather)))
    sheet.fill(ellipse(320, 322, 8), radial(317, 319, 10, (0, "#fdeab8"), (1, "#9c7530")))
    front = line("M 244 236 C 240 108 400 108 396 236", 15)
    sheet.fill(front.moved(2, 5), "#1a3023", cover=0.4, soft=4)
    sheet.fill(front, linear((240, 130), (400, 240), (0, leather_light), (1, leather)))
    sheet.fill(line("M 242 230 C 240 112 392 104 397 210", 2).moved(-2, -3), "#c79a6c", cover=0.6)
    for x in (244, 396):
        sheet.fill(box(x - 15, 220, x + 15, 270, 4), linear((x - 15, 0), (x + 15, 0), (0, leather_light), (1, leather)))
        for y in (232, 258):
            sheet.fill(ellipse(x, y, 4), "#d9b56a")
    return sheet


def _stitches(sheet: Sheet, ends: tuple[float, float, float, float], colour: str) -> None:
    x0, y0, x1, y1 = ends
    count = int(math.hypot(x1 - x0, y1 - y0) / 9)
    for n in range(count):
        a, b = n / count, (n + 0.55) / count
        path = (
            f"M {x0 + (x1 - x0) * a:.1f} {y0 + (y1 - y0) * a:.1f} L {x0 + (x1 - x0) * b:.1f} {y0 + (y1 - y0) * b:.1f}"
        )
        sheet.fill(line(path, 1.8), colour, cover=0.8)


def watch() -> Sheet:
    sheet = _stage("#bfc5cd", "#dde1e6", "#a8afb9")
    _shadow(sheet, 320, 74, 15, 0.45)
    x, y = 320.0, 286.0
    leather = ("#3e2616", "#7b5132", "#a9764b")
    # The strap is closed and stands by itself: its far half shows above, between the ends of the near one.
    sheet.fill(
        shape("M 284 128 C 286 92 354 92 356 128 L 352 180 L 288 180"),
        _round(284, 356, "#26170d", "#4b301d", "#6a462c"),
    )
    for path in (
        "M 276 236 L 284 126 C 300 112 340 112 356 126 L 364 236",
        "M 276 336 L 284 440 C 300 460 340 460 356 440 L 364 336",
    ):
        sheet.fill(shape(path), _round(276, 364, *leather))
    for ends in ((291, 134, 284, 214), (349, 134, 356, 214), (284, 360, 291, 436), (356, 360, 349, 436)):
        _stitches(sheet, ends, "#e9d3ae")
    steel = ("#5b6670", "#aab4bd", "#f5f8fa")
    for dy in (-1, 1):
        for dx in (-1, 1):
            lug = shape(
                f"M {x + dx * 36} {y + dy * 66} L {x + dx * 60} {y + dy * 58} L {x + dx * 54} {y + dy * 96} L {x + dx * 40} {y + dy * 98}"
            )
            sheet.fill(lug, linear((x - 60, 0), (x + 60, 0), (0, steel[2]), (0.5, steel[1]), (1, steel[0])))
    sheet.fill(
        box(x + 86, y - 13, x + 106, y + 13, 4), down(y - 13, y + 13, (0, steel[2]), (0.5, steel[1]), (1, steel[0]))
    )
    for n in range(5):
        sheet.fill(box(x + 88, y - 11 + n * 5, x + 106, y - 9.5 + n * 5), steel[0], cover=0.7)
    sheet.fill(ellipse(x + 5, y + 7, 92), "#14181c", cover=0.3, soft=7)
    sheet.fill(
        ellipse(x, y, 92), linear((x - 70, y - 70), (x + 70, y + 70), (0, steel[2]), (0.5, steel[1]), (1, steel[0]))
    )
    sheet.fill(ellipse(x, y, 80), linear((x - 60, y - 60), (x + 60, y + 60), (0, steel[0]), (1, steel[2])))
    sheet.fill(ellipse(x, y, 77), radial(x - 20, y - 25, 130, (0, "#2e4a7a"), (0.6, "#17294d"), (1, "#0c1730")))
    for n in range(60):
        inner, width = (60, 4.2) if n % 15 == 0 else (64, 3) if n % 5 == 0 else (70, 1.1)
        a = math.radians(n * 6)
        tick = f"M {x + inner * math.sin(a):.2f} {y - inner * math.cos(a):.2f} L {x + 73 * math.sin(a):.2f} {y - 73 * math.cos(a):.2f}"
        sheet.fill(line(tick, width), "#f3ead2" if n % 5 == 0 else "#9fb0cc")
    sheet.fill(ellipse(x, y + 36, 15), "#0f1c38")
    sheet.fill(line(f"M {x} {y + 36} L {x + 6} {y + 28}", 1.6), "#f3ead2")
    for degrees, length, width in ((304, 40, 6.5), (50, 60, 5)):
        hand = line(f"M {x} {y + 8} L {x} {y - length}", width).turned(degrees, (x, y))
        sheet.fill(hand.moved(1.5, 2.5), "#000000", cover=0.45, soft=1.5)
        sheet.fill(hand, "#f6f0df")
    sheet.fill(line(f"M {x} {y + 16} L {x} {y - 66}", 1.8).turned(162, (x, y)), "#e0763c")
    sheet.fill(ellipse(x, y, 5), "#e9e2cf")
    glass = shape(
        f"M {x - 68} {y - 22} C {x - 52} {y - 66} {x + 10} {y - 82} {x + 44} {y - 60} C {x} {y - 56} {x - 40} {y - 40} {x - 68} {y - 22}"
    )
    sheet.fill(glass, "#ffffff", cover=0.18, soft=1.5)
    return sheet


def vase() -> Sheet:
    sheet = _stage("#7d8f8c", "#b4c2bd", "#6c7d7a")
    plinth = ellipse(320, 452, 208, 46)
    sheet.fill(ellipse(398, 462, 92, 15, 5), "#e08a1e", cover=0.5, soft=10, inside=plinth)
    _shadow(sheet, 320, 60, 12, 0.35)
    stem = "M 322 420 C 318 330 326 250 306 120"
    sheet.fill(line(stem, 4.5), "#4c6b3d")
    for path in (
        "M 312 190 C 350 176 372 146 384 112",
        "M 315 232 C 280 214 262 190 250 160",
        "M 319 160 C 320 140 326 120 336 98",
    ):
        sheet.fill(line(path, 3), "#56774a")
    for x, y, turn, size in (
        (384, 112, 35, 1.0), (364, 150, 80, 0.8), (340, 172, -10, 0.7), (250, 160, -40, 1.0), (270, 196, -85, 0.75),
        (306, 120, -8, 1.1), (336, 98, 22, 0.9), (288, 214, 10, 0.6),
    ):  # fmt: skip
        leaf = (
            shape("M 0 0 C -20 -14 -18 -40 0 -58 C 18 -40 20 -14 0 0")
            .scaled(size, (0, 0))
            .turned(turn, (0, 0))
            .moved(x, y)
        )
        sheet.fill(leaf, linear((x - 20, y - 50), (x + 20, y), (0, "#a6bd86"), (0.6, "#6f9160"), (1, "#47683f")))
        vein = line("M 0 -4 L 0 -48", 1.4).scaled(size, (0, 0)).turned(turn, (0, 0)).moved(x, y)
        sheet.fill(vein, "#d6e2b8", cover=0.6)
    glass = shape(
        "M 294 230 C 300 262 302 290 286 318 C 250 346 238 372 240 402 C 242 440 268 460 320 460 C 372 460 398 440 400 402"
        " C 402 372 390 346 354 318 C 338 290 340 262 346 230"
    )
    amber = linear(
        (240, 0),
        (400, 0),
        (0, "#b4600f", 0.9),
        (0.2, "#f0a637", 0.72),
        (0.5, "#f7be5a", 0.55),
        (0.8, "#d9821d", 0.75),
        (1, "#8a430a", 0.92),
    )
    sheet.fill(glass, amber)
    water = shape("M 220 376 C 270 388 370 388 420 376 L 420 470 L 220 470")
    sheet.fill(water, down(376, 460, (0, "#c9700f", 0.35), (1, "#7d3c06", 0.6)), inside=glass)
    sheet.fill(ellipse(320, 378, 79, 9), "#ffdd93", cover=0.5, inside=glass)
    sheet.fill(ellipse(320, 230, 26, 7), "#a85a10")
    sheet.fill(ellipse(320, 230, 21, 4.6), "#5d7a5a", cover=0.8)
    sheet.fill(line("M 304 246 C 308 280 304 300 296 320", 4), "#fff3d2", cover=0.75, soft=1.2)
    sheet.fill(shape("M 262 366 C 254 384 254 408 264 426 C 270 408 268 384 278 362"), "#fff6df", cover=0.7, soft=2.5)
    sheet.fill(ellipse(372, 420, 8, 16, 20), "#ffe9b4", cover=0.5, soft=3)
    return sheet


def chair() -> Sheet:
    sheet = _stage("#8f5f4c", "#b98670", "#7c5040")
    light, shade = "#fdfbf6", "#cfc7bb"

    def rod(path: str, width: float, *, back: bool = False) -> None:
        sheet.fill(line(path, width), "#9a9186" if back else shade)
        sheet.fill(line(path, width * 0.62).moved(-width * 0.14, -width * 0.08), "#d6cfc4" if back else light)

    plinth = ellipse(320, 452, 208, 46)
    for x, y in ((252, 470), (390, 470), (274, 436), (366, 436)):
        sheet.fill(ellipse(x + 8, y + 1, 17, 4.5), "#2a241e", cover=0.4, soft=4, inside=plinth)
    sheet.fill(ellipse(340, 454, 96, 20), "#2a241e", cover=0.22, soft=12, inside=plinth)
    rod("M 278 318 C 276 360 274 400 272 436", 8, back=True)
    rod("M 362 318 C 364 360 366 400 368 436", 8, back=True)
    # The outer hoop runs from the seat over the top and back; the inner one stands in it.
    rod("M 256 316 C 236 220 246 104 320 102 C 394 104 404 220 384 316", 11)
    rod("M 284 314 C 270 240 276 152 320 150 C 364 152 370 240 356 314", 8)
    ring = Shape(points=ellipse(320, 390, 56, 15).points[[*range(96), 0]], width=6)
    sheet.fill(ring, shade)
    sheet.fill(Shape(points=ring.points, width=3), light)
    seat = ellipse(320, 322, 90, 27)
    sheet.fill(seat.moved(0, 9), "#b9b0a4")
    sheet.fill(seat, linear((230, 0), (410, 0), (0, light), (1, "#ded7cc")))
    cane = ellipse(320, 321, 72, 20)
    sheet.fill(cane, linear((248, 0), (392, 0), (0, "#e7cf9f"), (1, "#c9a970")))
    for n in range(-9, 10):
        for lean in (-1, 1):
            x = 320 + n * 9
            sheet.fill(line(f"M {x - 22 * lean} 300 L {x + 22 * lean} 342", 1.1), "#9b7a45", cover=0.55, inside=cane)
    rod("M 250 338 C 246 384 246 430 240 472", 10)
    rod("M 390 338 C 394 384 394 430 400 472", 10)
    return sheet


ALL: Mapping[str, Callable[[], Sheet]] = {
    "mug-01": mug, "lamp-07": lamp, "bag-12": bag, "watch-03": watch, "vase-22": vase, "chair-09": chair,
}  # fmt: skip
