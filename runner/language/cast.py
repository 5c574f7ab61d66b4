"""The cast: what `{{ ref.NAME }}` is read as, which is for each model the way its prompts speak of a reference."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from runner.language import fields
from runner.language.bounds import Refusal
from runner.language.faults import Faults
from runner.language.node import Mapping as Branch
from runner.language.node import Node, Scalar, Sequence
from runner.language.references import References
from runner.language.take import Layer, MediaSetting
from runner.language.words import Mode, Rendering, word

NAME = "ref"  # under which templates find the cast

# How each model calls what a media word gives it: by model, then by word, as `character{n}`; n counts from 1.
Calls = Mapping[str, Mapping[str, str]]

_SPOKEN = re.compile(rf"\b{NAME}\b")
_PLAINLY = re.compile(rf"\b{NAME}\s*(?:\.\s*|\[\s*['\"])([A-Za-z0-9][A-Za-z0-9_-]*)")


class Written(Protocol):
    """A word as it was written."""

    @property
    def node(self) -> Node: ...

    @property
    def templated(self) -> bool: ...


class Cast(Mapping[str, object]):
    """The references of one take, each as it is spoken of; asking for one that cannot be is refused."""

    def __init__(self, spoken: Mapping[str, str | None]) -> None:
        self._spoken = spoken

    def __getitem__(self, name: str) -> str:
        spoken = self._spoken[name]
        if spoken is None:
            raise Refusal(
                "no-words",
                f"the reference `{name}` has no words, and the model does not call it otherwise",
                help=f"write `words:` in the reference `{name}`: what is to be read in its place",
                word=name,
            )
        return spoken

    def __contains__(self, name: object) -> bool:
        return name in self._spoken

    def __iter__(self) -> Iterator[str]:
        return iter(self._spoken)

    def __len__(self) -> int:
        return len(self._spoken)


class Words:
    """The words of all references, rendered for one variant where its templates ask for them: all that are not `asked` for by
    name count where `asked` is None. Words may hold templates of their own, with the variant's names but without the cast.
    """

    def __init__(self, references: References, asked: frozenset[str] | None, rendering: Rendering) -> None:
        self._spoken: dict[str, str | None] = {}
        for name, reference in references.known.items():
            self._spoken[name] = name if reference is None else None  # a faulty one is reported where it is written
            if reference and reference.words and (asked is None or name in asked):
                spoken = rendering.value(word(reference.words, Layer.DEFAULT, Mode.TEXT, _words, Faults()))
                self._spoken[name] = (spoken or name).strip()

    def plainly(self) -> Cast:
        """As people read of them."""
        return Cast(self._spoken)

    def called(self, calls: Mapping[str, str], media: Mapping[str, MediaSetting | None]) -> Cast:
        """As a model's prompt speaks of them: those it is given by name in its own way, the others in words."""
        spoken = dict(self._spoken)
        for medium, pattern in calls.items():
            setting = media.get(medium)
            for number, use in reversed(list(enumerate(setting.uses if setting else (), start=1))):
                if use.name is not None:
                    spoken[use.name] = pattern.replace("{n}", str(number))
        return Cast(spoken)


def asked(words: Iterable[Written]) -> frozenset[str] | None:
    """The references that templates ask for by name; None where only rendering them can tell."""
    found: set[str] = set()
    for text in (text for one in words if one.templated for text in _texts(one.node)):
        plainly = _PLAINLY.findall(text)
        if "include" in text or len(plainly) != len(_SPOKEN.findall(text)):
            return None
        found.update(plainly)
    return frozenset(found)


def _words(at: Node, faults: Faults) -> str | None:
    return fields.text(at, "`words`", faults)


def _texts(node: Node) -> Iterator[str]:
    match node:
        case Scalar():
            yield node.text
        case Sequence():
            for member in node.items:
                yield from _texts(member)
        case Branch():
            for entry in node:
                yield from _texts(entry.value)
