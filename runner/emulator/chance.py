"""All variation of a clip comes from here: draws by name, so that a new draw never moves an older one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """The fate of one order; equal model, prompt and seed draw equally on every machine."""

    root: bytes

    @classmethod
    def of(cls, model: str, prompt: str, seed: int) -> Self:
        words = (model, prompt, str(seed))
        return cls(root=hashlib.sha256(b"\0".join(w.encode("utf-8", "replace") for w in words)).digest())

    def part(self, name: str) -> "Chance":
        """Draws of their own for a part of the clip."""
        return Chance(root=hashlib.sha256(self.root + b"part:" + name.encode()).digest())

    def number(self, name: str) -> int:
        """64 bits."""
        return int.from_bytes(hashlib.sha256(self.root + name.encode()).digest()[:8], "big")

    def unit(self, name: str) -> float:
        """From 0 up to, not including, 1."""
        return (self.number(name) >> 11) / (1 << 53)

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * self.unit(name)

    def pick(self, name: str, choices: Sequence[T]) -> T:
        return choices[self.number(name) % len(choices)]
