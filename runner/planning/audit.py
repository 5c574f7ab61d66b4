"""What a manifest claims, and what of it still holds: files to be hashed again, keys to be reckoned again. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runner.contract.model import Model, SeedContract
from runner.core.request import key_inputs, request_key

REPORT = "report"  # the step
ON_DISK = "sha256:"  # how a body names a medium whose content is known


class Part(StrEnum):
    STORYBOARD = "storyboard"
    CLIP = "clip"
    REFERENCE = "reference"
    KEY = "key"
    OUTPUT = "output"  # of a step: the film


class Verdict(StrEnum):
    HOLDS = "holds"
    DIFFERS = "differs"
    GONE = "gone"
    UNREADABLE = "unreadable"
    UNCHECKED = "unchecked"  # nothing here says what it was: no fault


FAULTS = frozenset({Verdict.DIFFERS, Verdict.GONE, Verdict.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That a file has these bytes. `path` is as the manifest writes it: `beside` the manifest, or from the project's root."""

    subject: str  # the take, the step, or the storyboard
    part: Part
    path: str
    sha256: str
    size_bytes: int | None = None
    beside: bool = False
    redrawn: bool = False  # a view of the rest that is drawn anew at any time: it is there, whatever its bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of one claim; `says` is a clause, empty where it holds."""

    subject: str
    part: Part
    path: str
    verdict: Verdict
    says: str = ""


Document = Mapping[str, Any]  # a manifest that fits schemas/manifest.schema.json


def claims(manifest: Document) -> tuple[Claim, ...]:
    """Every file the manifest gives a digest of, in its order; a file that several takes use once."""
    found: dict[tuple[str, str, bool], Claim] = {}
    for claim in _claims(manifest):
        found.setdefault((claim.path, claim.sha256, claim.beside), claim)
    return tuple(found.values())


def _claims(manifest: Document) -> Iterator[Claim]:
    storyboard = manifest["storyboard"]
    yield Claim(subject=storyboard["path"], part=Part.STORYBOARD, path=storyboard["path"], sha256=storyboard["sha256"])
    for take in manifest["takes"]:
        for used in take["references"]:
            if used["path"] and used["sha256"]:
                yield Claim(
                    subject=take["id"],
                    part=Part.REFERENCE,
                    path=used["path"],
                    sha256=used["sha256"],
                    size_bytes=used["size_bytes"],
                )
        if clip := take["clip"]:
            yield Claim(
                subject=take["id"],
                part=Part.CLIP,
                path=clip["path"],
                sha256=clip["sha256"],
                size_bytes=clip["size_bytes"],
                beside=True,
            )
    for step in manifest["steps"]:
        for made in (step, *step.get("outputs", ())):
            if made.get("output") and made.get("sha256"):
                name, sha256 = made["output"], made["sha256"]
                redrawn = step["step"] == REPORT
                yield Claim(
                    subject=step["step"], part=Part.OUTPUT, path=name, sha256=sha256, beside=True, redrawn=redrawn
                )


def judged(claim: Claim, sha256: str, size_bytes: int) -> Finding:
    """The claim against the file that was found."""
    if sha256 == claim.sha256 or claim.redrawn:
        return _finding(claim, Verdict.HOLDS)
    if claim.size_bytes is not None and size_bytes != claim.size_bytes:
        return _finding(claim, Verdict.DIFFERS, f"{size_bytes} bytes, were {claim.size_bytes}")
    return _finding(claim, Verdict.DIFFERS, f"sha256 {sha256[:12]}, was {claim.sha256[:12]}")


def absent(claim: Claim, reason: str, *, gone: bool) -> Finding:
    """The claim without its file; `reason` is a clause."""
    return _finding(claim, Verdict.GONE if gone else Verdict.UNREADABLE, reason)


def _finding(claim: Claim, verdict: Verdict, says: str = "") -> Finding:
    return Finding(subject=claim.subject, part=claim.part, path=claim.path, verdict=verdict, says=says)


def reckoned(manifest: Document, models: Mapping[str, Model]) -> tuple[Finding, ...]:
    """What the manifest says of its takes held against itself: each key against its request, the digests of references
    against the request, a clip for each take that is done. One finding a take and part."""
    return tuple(finding for take in manifest["takes"] for finding in _of_take(take, models))


def _of_take(take: Document, models: Mapping[str, Model]) -> Iterator[Finding]:
    def says(part: Part, verdict: Verdict, words: str = "", path: str = "") -> Finding:
        return Finding(subject=take["id"], part=part, path=path, verdict=verdict, says=words)

    if take["status"] == "done" and take["clip"] is None:
        yield says(Part.CLIP, Verdict.GONE, "the take is done, and the manifest names no clip")
    body = take["request"]
    if body is None or take["key"] is None:
        return
    for used in take["references"]:
        if used["url"] and not used["sha256"]:
            yield says(
                Part.REFERENCE, Verdict.UNCHECKED, "not pinned by sha256: its bytes were never known", used["url"]
            )
    model = models.get(take["model"])
    if model is None:
        yield says(Part.KEY, Verdict.UNREADABLE, f"there is no model {take['model']} here to reckon it by")
        return
    named = {used["sha256"] for used in take["references"]}
    if strange := [one for one in _identities(body, model) if one not in named]:
        yield says(Part.REFERENCE, Verdict.DIFFERS, f"the request holds {strange[0][:12]}, the references do not")
    if take["key"] not in _keys(take, body, model):
        yield says(Part.KEY, Verdict.DIFFERS, f"the request as written has another key than {take['key'][:12]}")
    else:
        yield says(Part.KEY, Verdict.HOLDS)


def _keys(take: Document, body: Document, model: Model) -> Iterable[str]:
    """The keys this request may have: a manifest does not say whether its shot is `distinct`."""
    bought = model.bought(body)
    number = take["id"].rpartition(".")[2]
    plain = int(number) if model.seed.contract is SeedContract.ABSENT and number.isdecimal() else None
    for attempt in (plain, take["id"]):
        yield request_key(key_inputs(service=take["service"], model=take["model"], body=bought, take=attempt))


def _identities(body: Document, model: Model) -> Iterator[str]:
    """The digests by which a body names its media."""
    for name in model.by_property:
        value = body.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one.startswith(ON_DISK):
                yield one.removeprefix(ON_DISK)
