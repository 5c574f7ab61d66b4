"""Reference media: the `references` section, and what the words `image`, `videos` and `audio` of a shot point at."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner.core.diagnostics import Label, Span
from runner.core.media import Kind
from runner.language import fields, node, paths
from runner.language.faults import Faults, suggested
from runner.language.links import read_link
from runner.language.node import Entry, Node, Scalar
from runner.language.take import MediaUse

_SUFFIXES = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"), Kind.IMAGE),
    **dict.fromkeys((".mp4", ".m4v", ".mov", ".webm"), Kind.VIDEO),
    **dict.fromkeys((".mp3", ".wav", ".flac", ".m4a", ".ogg"), Kind.AUDIO),
}
_KEYS = ("words", *Kind, "sha256", "note")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_TARGET = "a reference's name, a path, a URL or `{shot: ID}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """One file or address of a reference: exactly one of `path` (from the project's root) and `url`; `span` is where that stands."""

    path: str | None
    url: str | None
    sha256: str | None = None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of `references`: what it is in `words`, its `media`, or both; at most one medium of a kind. `span` is its name's."""

    name: str
    words: Scalar | None
    media: Mapping[Kind, Medium]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """All references in scope. A name that maps to None was written with a fault, already reported.

    `complete` is false where a file or section with names could not be read: then an unknown name proves nothing.
    """

    known: Mapping[str, Reference | None]
    complete: bool = True

    def image(self, at: Node, faults: Faults) -> tuple[MediaUse, ...] | None:
        return self._one(at, "image", Kind.IMAGE, faults)

    def audio(self, at: Node, faults: Faults) -> tuple[MediaUse, ...] | None:
        return self._one(at, "audio", Kind.AUDIO, faults)

    def videos(self, at: Node, faults: Faults) -> tuple[MediaUse, ...] | None:
        """In the order written."""
        members = fields.listing(at, "`videos`", faults, of="names, paths or URLs")
        if members is None:
            return None
        uses = [self._use(member, "videos", Kind.VIDEO, faults) for member in members.items]
        found = tuple(use for use in uses if use is not None)
        return found if len(found) == len(uses) else None

    def local(self, at: Node, word: str, kind: Kind, faults: Faults) -> MediaUse | None:
        """A medium that lies in the project, for what takes no template and fetches nothing."""
        if not fields.no_template(at, f"`{word}`", faults):
            return None
        use = self._use(at, word, kind, faults)
        if use is None or use.url is None:
            return use
        faults.add(
            "bad-url",
            f"`{word}` takes a file of the project; `{fields.clipped(use.url)}` is a URL",
            at.span,
            help="download the file into the project",
        )
        return None

    def _one(self, at: Node, word: str, kind: Kind, faults: Faults) -> tuple[MediaUse, ...] | None:
        use = self._use(at, word, kind, faults)
        return None if use is None else (use,)

    def _use(self, at: Node, word: str, kind: Kind, faults: Faults) -> MediaUse | None:
        if isinstance(at, node.Mapping):
            link = read_link(at, word, kind, faults)
            return None if link is None else MediaUse(kind=kind, link=link, span=at.span)
        written = fields.text(at, f"`{word}`", faults, takes=_TARGET)
        if written is None:
            return None
        if not written.strip():
            faults.add("no-value", f"`{word}` is rendered as an empty text", at.span, help=f"it takes {_TARGET}")
            return None
        if written in self.known:
            return self._named(written, at, word, kind, faults)
        if "://" not in written and "/" not in written and "." not in written:
            if self.complete:
                words = "a path has a suffix or a `/`; references"
                faults.add(
                    "unknown-reference",
                    f"there is no reference `{fields.clipped(written)}`",
                    at.span,
                    help=suggested(written, tuple(self.known), words=words),
                )
            return None
        path, url = _target(written, at.span, faults, pinned=False)
        return MediaUse(kind=kind, path=path, url=url, span=at.span) if path or url else None

    def _named(self, name: str, at: Node, word: str, kind: Kind, faults: Faults) -> MediaUse | None:
        reference = self.known[name]
        if reference is None:
            return None
        medium = reference.media.get(kind)
        if medium is None:
            held = [_ARTICLES[k] for k in Kind if k in reference.media] or ["words alone"]
            first = next((reference.media[k].span for k in Kind if k in reference.media), reference.span)
            faults.add(
                "wrong-kind",
                f"`{word}` takes {_ARTICLES[kind]}; the reference `{name}` is {' and '.join(held)}",
                at.span,
                others=(Label(span=first, text="this reference"),),
            )
            return None
        return MediaUse(kind=kind, path=medium.path, url=medium.url, sha256=medium.sha256, name=name, span=medium.span)


_ARTICLES = {Kind.IMAGE: "an image", Kind.VIDEO: "a video", Kind.AUDIO: "audio"}


def read_references(section: Node, faults: Faults) -> dict[str, Reference | None] | None:
    """The entries of one `references` section by name; None where it is no mapping."""
    entries = fields.mapping(section, "`references`", faults, takes="a mapping of names to media")
    if entries is None:
        return None
    known: dict[str, Reference | None] = {}
    for entry in entries:
        name = entry.key.text
        lawful = fields.lawful_id(name, entry.key, "the reference's name", faults)
        reference = _read(entry.key, entry.value, faults)
        known[name] = reference if lawful else None
    return known


def _read(key: Scalar, written: Node, faults: Faults) -> Reference | None:
    named = f"the reference `{key.text}`"
    if isinstance(written, node.Mapping):
        return _read_mapping(key, written, named, faults)
    at = fields.fixed_text(written, named, faults, takes="a path, a URL or a mapping")
    if at is None:
        return None
    path, url = _target(at, written.span, faults, pinned=False)
    if path is None and url is None:
        return None
    kind = _kind_of(path, url)
    if kind is None:
        mended = f"{{image: {fields.clipped(at)}}}"
        advice = f"say it: `{mended}`, or `video:` or `audio:`"
        if " " in at.strip():
            advice += f"; what is to be read in prompts is `{{words: {fields.clipped(at)}}}`"
        faults.add(
            "unknown-kind",
            f"the suffix of `{fields.clipped(at)}` does not say whether it is image, video or audio",
            written.span,
            help=advice,
        )
        return None
    medium = Medium(path=path, url=url, span=written.span)
    return Reference(name=key.text, words=None, media={kind: medium}, span=key.span)


def _read_mapping(key: Scalar, written: node.Mapping, named: str, faults: Faults) -> Reference | None:
    before = len(faults.found)
    fields.known_keys(written, _KEYS, faults, of="a reference")
    words = written.get("words")
    if words is not None:
        fields.text(words, f"`words` of {named}", faults)
    if (note := written.get("note")) is not None:
        fields.fixed_text(note, f"`note` of {named}", faults)
    media = [entry for entry in written if entry.key.text in tuple(Kind)]
    if not media and words is None and len(faults.found) == before:
        fields.missing(
            written,
            "words",
            faults,
            of=named,
            help="`words:` says what it is; `image:`, `video:` and `audio:` hold a path or URL",
        )
    digest = _pinned(written.get("sha256"), media, named, faults)
    found = {}
    for entry in media:
        at = fields.fixed_text(entry.value, f"`{entry.key.text}` of {named}", faults, takes="a path or a URL")
        pinned = written.get("sha256") is not None
        path, url = _target(at, entry.value.span, faults, pinned=pinned) if at is not None else (None, None)
        found[Kind(entry.key.text)] = Medium(path=path, url=url, sha256=digest, span=entry.value.span)
    if len(faults.found) > before:
        return None
    return Reference(name=key.text, words=words if isinstance(words, Scalar) else None, media=found, span=key.span)


def _pinned(at: Node | None, media: Sequence[Entry], named: str, faults: Faults) -> str | None:
    """The digest that the entry's one medium must have."""
    if at is None:
        return None
    if len(media) > 1:
        faults.add(
            "one-of",
            f"`sha256` is the digest of one medium; {named} has `{media[0].key.text}` and `{media[1].key.text}`",
            at.span,
            others=(Label(span=media[1].key.span, text="a second one"),),
            help="give the pinned medium a reference of its own",
        )
        return None
    if not media and isinstance(at, Scalar):
        faults.add("misplaced-key", f"`sha256` is the digest of a medium; {named} has none", at.span)
    return _digest(at, named, faults)


def _digest(at: Node, named: str, faults: Faults) -> str | None:
    if isinstance(at, Scalar) and _SHA256.fullmatch(at.text):
        return at.text.lower()
    written = fields.fixed_text(at, f"`sha256` of {named}", faults, takes="64 hexadecimal digits")
    if written is not None:
        faults.add(
            "bad-value",
            f"`sha256` of {named} has {len(written)} characters; it is 64 hexadecimal digits",
            at.span,
            help="`sha256sum FILE` prints it",
        )
    return None


def _target(written: str, span: Span, faults: Faults, *, pinned: bool) -> tuple[str | None, str | None]:
    """(path, URL) of what was written: one of them, or neither after reporting."""
    if "://" in written:
        return (None, written) if paths.lawful_url(written, span, faults, pinned=pinned) else (None, None)
    return paths.resolved(written, span, faults), None


def _kind_of(path: str | None, url: str | None) -> Kind | None:
    parts = paths.split_url(url) if url else None
    place = path or (parts.path if parts else "")
    return _SUFFIXES.get(posixpath.splitext(place)[1].lower())
