"""Light and colour of a clip: words of its prompt lead, the seed varies. Colours are OKLCH, given out as video YCbCr.

Sources: OKLab by B. Ottosson (2020-12-23 matrices); BT.709-6 for YCbCr, limited range.
"""

import math
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from runner.emulator.chance import Chance

Yuv = tuple[float, float, float]  # 16..235, 16..240, 16..240


class Disc(StrEnum):
    SUN = "sun"
    MOON = "moon"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lch:
    """OKLCH: lightness 0..1, chroma 0..0.37, hue in degrees."""

    light: float
    chroma: float
    hue: float

    def shifted(self, light: float = 0.0, hue: float = 0.0, chroma: float = 1.0) -> "Lch":
        return Lch(light=min(1.0, max(0.0, self.light + light)), chroma=self.chroma * chroma, hue=self.hue + hue)

    def mixed(self, other: "Lch", share: float) -> "Lch":
        """Mixed in OKLab, where a straight line between two colours has no detour over a third."""
        a, b = self._lab(), other._lab()
        light, x, y = (p + (q - p) * share for p, q in zip(a, b, strict=True))
        return Lch(light=light, chroma=math.hypot(x, y), hue=math.degrees(math.atan2(y, x)))

    def _lab(self) -> tuple[float, float, float]:
        angle = math.radians(self.hue)
        return self.light, self.chroma * math.cos(angle), self.chroma * math.sin(angle)

    def rgb(self) -> tuple[float, float, float]:
        """sRGB, 0..1 each; what lies outside is clipped."""
        light, a, b = self._lab()
        l_, m_, s_ = (
            (light + 0.3963377774 * a + 0.2158037573 * b) ** 3,
            (light - 0.1055613458 * a - 0.0638541728 * b) ** 3,
            (light - 0.0894841775 * a - 1.2914855480 * b) ** 3,
        )
        linear = (
            4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
            -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
            -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
        )
        r, g, b = (_encoded(min(1.0, max(0.0, c))) for c in linear)
        return r, g, b

    def yuv(self) -> Yuv:
        return yuv(*self.rgb())


def _encoded(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def yuv(r: float, g: float, b: float) -> Yuv:
    """From sRGB, 0..1 each."""
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    return 16 + 219 * y, 128 + 224 * (b - y) / 1.8556, 128 + 224 * (r - y) / 1.5748


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """`top`, `middle`, `low` of the sky; `disc` in it; `ridge` the nearest ground, `air` what far ground fades into."""

    name: str
    top: Lch
    middle: Lch
    low: Lch
    disc: Disc
    disc_color: Lch
    ridge: Lch
    air: Lch
    haze: float  # 0 clear .. 1 fog
    accent: Lch
    stars: bool


def _lch(light: float, chroma: float, hue: float) -> Lch:
    return Lch(light=light, chroma=chroma, hue=hue)


def _light(
    name: str, top: Lch, low: Lch, disc: Disc, disc_color: Lch, ridge: Lch, accent: Lch, haze: float = 0.35
) -> Palette:
    return Palette(
        name=name,
        top=top,
        middle=top.mixed(low, 0.5),
        low=low,
        disc=disc,
        disc_color=disc_color,
        ridge=ridge,
        air=low,
        haze=haze,
        accent=accent,
        stars=disc is Disc.MOON,
    )


# The light of a time, a place or a mood.
_LIGHTS: dict[str, Palette] = {
    p.name: p
    for p in (
        _light("dawn", _lch(0.50, 0.09, 285), _lch(0.86, 0.09, 55), Disc.SUN, _lch(0.96, 0.07, 85), _lch(0.22, 0.05, 295), _lch(0.82, 0.12, 50), 0.5),
        _light("dusk", _lch(0.30, 0.10, 285), _lch(0.73, 0.16, 45), Disc.SUN, _lch(0.90, 0.13, 75), _lch(0.15, 0.04, 300), _lch(0.78, 0.15, 50)),
        _light("night", _lch(0.15, 0.05, 268), _lch(0.40, 0.08, 250), Disc.MOON, _lch(0.95, 0.02, 95), _lch(0.10, 0.025, 268), _lch(0.80, 0.08, 235), 0.3),
        _light("day", _lch(0.60, 0.12, 245), _lch(0.92, 0.04, 215), Disc.SUN, _lch(0.99, 0.03, 100), _lch(0.32, 0.07, 155), _lch(0.85, 0.11, 90), 0.4),
        _light("gold", _lch(0.60, 0.09, 60), _lch(0.89, 0.13, 82), Disc.SUN, _lch(0.98, 0.08, 95), _lch(0.25, 0.06, 50), _lch(0.84, 0.14, 80), 0.45),
        _light("forest", _lch(0.46, 0.07, 190), _lch(0.88, 0.09, 125), Disc.SUN, _lch(0.97, 0.08, 110), _lch(0.20, 0.05, 160), _lch(0.84, 0.14, 125), 0.6),
        _light("sea", _lch(0.48, 0.10, 240), _lch(0.88, 0.06, 200), Disc.SUN, _lch(0.98, 0.04, 100), _lch(0.24, 0.07, 238), _lch(0.83, 0.10, 205)),
        _light("snow", _lch(0.60, 0.06, 255), _lch(0.93, 0.02, 235), Disc.SUN, _lch(0.99, 0.01, 100), _lch(0.38, 0.06, 258), _lch(0.85, 0.07, 230), 0.55),
        _light("fire", _lch(0.17, 0.06, 15), _lch(0.60, 0.19, 40), Disc.SUN, _lch(0.84, 0.16, 70), _lch(0.11, 0.03, 20), _lch(0.76, 0.18, 50), 0.4),
        _light("neon", _lch(0.18, 0.09, 288), _lch(0.52, 0.20, 345), Disc.SUN, _lch(0.80, 0.16, 20), _lch(0.11, 0.05, 285), _lch(0.82, 0.14, 200), 0.35),
        _light("rose", _lch(0.58, 0.09, 335), _lch(0.91, 0.06, 25), Disc.SUN, _lch(0.98, 0.03, 60), _lch(0.30, 0.08, 350), _lch(0.82, 0.11, 10), 0.5),
        _light("storm", _lch(0.32, 0.03, 250), _lch(0.68, 0.03, 215), Disc.NONE, _lch(0.90, 0.02, 220), _lch(0.17, 0.03, 245), _lch(0.80, 0.07, 215), 0.55),
        _light("space", _lch(0.09, 0.04, 285), _lch(0.28, 0.11, 305), Disc.MOON, _lch(0.90, 0.06, 60), _lch(0.07, 0.03, 285), _lch(0.80, 0.12, 310), 0.2),
    )
}  # fmt: skip

# First the hour, then what burns or glows, then place and mood: the first row with a word of the prompt is the light.
_LIGHT_WORDS: tuple[tuple[str, str], ...] = (
    ("space", "space galaxy nebula planet planets cosmic cosmos orbit spaceship astronaut mars asteroid"),
    ("dawn", "dawn sunrise daybreak morning dawning"),
    ("dusk", "dusk sunset twilight evening sundown nightfall afterglow"),
    ("neon", "neon cyberpunk synthwave vaporwave hologram holographic arcade nightclub disco"),
    ("fire", "fire flame flames burning ember embers lava volcano volcanic inferno forge furnace explosion candle candles candlelight lantern"),
    ("night", "night midnight moon moonlit moonlight nocturnal stars starry aurora dark"),
    ("gold", "gold golden amber autumn desert dune dunes sand savanna harvest wheat honey brass sahara"),
    ("storm", "storm stormy thunder lightning tempest overcast rain rainy hurricane grey gray gloomy cloudy drizzle"),
    ("snow", "snow snowy winter ice icy frost frozen glacier blizzard arctic antarctic alpine"),
    ("rose", "rose pink blossom cherry sakura spring lavender petal petals wedding romantic love"),
    ("sea", "sea ocean wave waves coast beach harbour harbor lake river water underwater reef ship boat sail island lagoon blue"),
    ("forest", "forest wood woods jungle tree trees green meadow moss garden leaves leaf grass bamboo fern park"),
    ("day", "day noon sunny midday daylight summer sky bright clear"),
)  # fmt: skip
_PLACES = "gold", "snow", "rose", "sea", "forest"
_FOG_WORDS = "fog foggy mist misty haze hazy smoke smoky steam overcast cloud clouds cloudy dust dusty"
_FADED_WORDS = "vintage sepia noir monochrome black-and-white desaturated faded bleak muted"


def words_of(prompt: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+(?:-[a-z]+)*", prompt.lower()))


def listed(row: str) -> frozenset[str]:
    """A row of a table of words."""
    return frozenset(row.split())


def _hit(words: frozenset[str]) -> str | None:
    return next((name for name, row in _LIGHT_WORDS if words & listed(row)), None)


def tells(prompt: str) -> bool:
    """Whether a word of it names an hour, a weather or a fire; a place has no light of its own."""
    return _hit(words_of(prompt)) not in (None, *_PLACES)


def choose(prompt: str, chance: Chance) -> Palette:
    """The light of a clip; without a telling word the draw decides."""
    words = words_of(prompt)
    found = _LIGHTS[
        _hit(words) or chance.pick("light", ("dawn", "dusk", "night", "day", "gold", "sea", "rose", "forest"))
    ]
    hue = chance.between("hue", -20, 20)
    light = chance.between("light.level", -0.05, 0.05)
    warmth = chance.between("light.chroma", 0.85, 1.2)
    middle = chance.between("light.middle", 0.35, 0.65)
    top, low = found.top.shifted(light, hue * 1.4, warmth), found.low.shifted(light * 0.5, hue * 0.6, warmth)
    drawn = replace(
        found,
        top=top,
        low=low,
        middle=top.mixed(low, middle),
        air=low,
        ridge=found.ridge.shifted(0, hue, warmth),
        disc_color=found.disc_color.shifted(0, hue * 0.4),
        accent=found.accent.shifted(0, hue * 0.5),
    )
    if words & listed(_FOG_WORDS):
        drawn = _veiled(drawn)
    if words & listed(_FADED_WORDS):
        drawn = _faded(drawn, 0.35)
    return drawn


def _veiled(palette: Palette) -> Palette:
    pale = palette.low.shifted(0.0, 0, 0.55)
    return replace(
        _faded(palette, 0.75),
        top=palette.top.mixed(pale, 0.45),
        middle=palette.middle.mixed(pale, 0.5),
        low=pale,
        air=pale,
        disc_color=palette.disc_color.mixed(pale, 0.3),
        haze=min(1.0, palette.haze + 0.35),
        stars=False,
    )


def _faded(palette: Palette, share: float) -> Palette:
    return replace(
        palette,
        **{
            name: getattr(palette, name).shifted(0, 0, share)
            for name in ("top", "middle", "low", "disc_color", "ridge", "air", "accent")
        },
    )
