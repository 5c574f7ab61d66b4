"""Text made fit to be drawn: cleaned of what would not show, measured, wrapped. The door to the fonts."""

import unicodedata
from functools import lru_cache
from importlib.resources import as_file, files
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

MISSING = "\u25ab"  # a small white square for each letter that the font has no shape for
ELLIPSIS = "\u2026"
Face: TypeAlias = ImageFont.FreeTypeFont
READ = 2000  # of a prompt; no card holds more


@lru_cache(maxsize=64)
def font(size_px: int, *, bold: bool = False) -> Face:
    with as_file(files("runner.emulator") / "fonts" / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")) as path:
        return ImageFont.truetype(str(path), size_px)


def clean(text: str) -> str:
    """One line of what can be shown: no control and direction characters, missing letters replaced, spaces single."""
    shown: list[str] = []
    for letter in unicodedata.normalize("NFC", text[:READ]):
        kind = unicodedata.category(letter)
        if letter.isspace() or kind in ("Cc", "Zl", "Zp"):
            shown.append(" ")
        elif kind != "Cf" and not _is_part(letter):
            shown.append(letter if _has(letter) else MISSING)
    return " ".join("".join(shown).split())


def _is_part(letter: str) -> bool:
    """Marks, variation selectors and skin tones say something of the sign before them; alone they are nothing."""
    part = unicodedata.category(letter).startswith("M") or 0x1F3FB <= ord(letter) <= 0x1F3FF
    return part and not _has(letter)


@lru_cache(maxsize=4096)
def _has(letter: str) -> bool:
    if unicodedata.category(letter) in ("Cs", "Co", "Cn"):
        return False
    return _shape(letter) != _shape("\U0010fffe")


@lru_cache(maxsize=4096)
def _shape(letter: str) -> bytes:
    mask = font(24).getmask(letter, mode="1")
    return bytes(mask) + bytes(mask.size)


def wrapped(text: str, face: Face, width_px: float, lines: int) -> list[str]:
    """At most `lines` lines; what does not fit ends in an ellipsis, a word wider than a line is broken."""
    done: list[str] = []
    line = ""
    words = text.split(" ")
    while words:
        word = words.pop(0)
        joined = f"{line} {word}" if line else word
        if face.getlength(joined) <= width_px:
            line = joined
            continue
        if not line:
            line, rest = _broken(word, face, width_px)
            words.insert(0, rest)
        else:
            words.insert(0, word)
        if len(done) + 1 == lines:
            return [*done, shortened(f"{line} {words[0]}", face, width_px)]
        done.append(line)
        line = ""
    return [*done, line] if line else done


def _broken(word: str, face: Face, width_px: float) -> tuple[str, str]:
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if face.getlength(word[:middle]) <= width_px else (low, middle - 1)
    return word[:low], word[low:]


def shortened(text: str, face: Face, width_px: float) -> str:
    """The text, or as many of its first words as fit with an ellipsis; a long last word is cut."""
    if face.getlength(text) <= width_px:
        return text
    kept, rest = _broken(text, face, width_px - face.getlength(ELLIPSIS))
    words, space, begun = kept.rpartition(" ")
    if space and rest[:1] != " " and len(begun) < len(words) / 2:
        kept = words
    return kept.rstrip(" .,;:-") + ELLIPSIS


def drawing(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty mask of this size to write on."""
    mask = Image.new("L", (width, height), 0)
    return mask, ImageDraw.Draw(mask)
