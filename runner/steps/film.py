"""The step that joins clips: which take stands where in the cut, and whether the film is already made of just these."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from runner.adapters.outputs import Outputs
from runner.core.request import Request, canonical
from runner.language.pipeline import Assemble, Missing
from runner.language.take import Take
from runner.steps.cut import Piece, plan_cut


class Incomplete(Exception):
    """Clips are missing and the step says to stop for that."""

    def __init__(self, takes: tuple[str, ...]) -> None:
        self.takes = takes
        super().__init__(", ".join(takes))


def chosen(takes: Sequence[Take]) -> tuple[Take, ...]:
    """The takes of the cut: every variant's first, in storyboard order; skipped shots are left out."""
    return tuple(take for take in takes if take.number == 1 and not take.skip)


def rehearse(takes: Sequence[Take], requests: Mapping[str, Request], step: Assemble) -> None:
    """Place the cut by the lengths that will be asked for, before anything is bought. Raises `BadCut`."""
    cut = [take for take in chosen(takes) if take.id in requests]
    if cut:
        pieces = [_piece(take, step, Path(), None) for take in cut]
        plan_cut(pieces, [Fraction(requests[take.id].seconds) for take in cut])


def pieces(
    takes: Sequence[Take],
    requests: Mapping[str, Request],
    clips: Mapping[str, Path],
    words: Mapping[str, str],
    step: Assemble,
) -> tuple[Piece, ...]:
    """The cut's pieces. `clips` by take id; `words` says of a take without a clip what became of it. Raises `Incomplete`."""
    cut = chosen(takes)
    missing = tuple(take.id for take in cut if take.id not in clips)
    if missing and (step.missing is Missing.STOP or len(missing) == len(cut)):
        raise Incomplete(missing)
    return tuple(
        _piece(take, step, clips.get(take.id), (requests.get(take.id), words.get(take.id, ""))) for take in cut
    )


async def assemble(
    pieces: Sequence[Piece], digests: Mapping[str, str], step: Assemble, outputs: Outputs, version: str
) -> tuple[str, bool]:
    """Make the film unless it is already made of just these pieces; its digest, and whether it was made now. Raises `BadCut`, `Unreadable`, OSError.

    `digests` are the clips' by piece name; `version` changes whenever the same pieces would give another film.
    """
    made_from = _fingerprint(pieces, digests, version)
    known = outputs.current(step.output, made_from)
    if known is not None:
        return known.sha256, False
    from runner.steps import assemble as assembly  # loads decoders, which a run with nothing to do need not

    made = await asyncio.to_thread(assembly.assemble, pieces, outputs.path(step.output))
    await outputs.note(step.output, made.sha256, made_from)
    return made.sha256, True


def _piece(take: Take, step: Assemble, clip: Path | None, slated: tuple[Request | None, str] | None) -> Piece:
    transition = take.transition or step.transition
    slate: tuple[str, ...] = ()
    seconds: Decimal | Fraction | None = None
    trim = take.trim
    if clip is None and slated is not None:
        request, word = slated
        prompt = str(take.texts["prompt"].value) if "prompt" in take.texts else ""
        slate = (take.variant, *(line for line in (take.title, word, prompt) if line))
        whole = Decimal(request.seconds if request else 5)
        seconds = (trim.out_s if trim and trim.out_s is not None else whole) - (trim.in_s or 0 if trim else 0)
        trim = None
    return Piece(
        name=take.variant,
        clip=clip,
        slate=slate,
        seconds=seconds,
        in_s=trim.in_s if trim else None,
        out_s=trim.out_s if trim else None,
        dissolve_s=transition.dissolve_s if transition else Decimal(0),
    )


def _fingerprint(pieces: Sequence[Piece], digests: Mapping[str, str], version: str) -> str:
    listed = [
        [
            p.name,
            digests.get(p.name),
            list(p.slate),
            *(str(time) for time in (p.seconds, p.in_s, p.out_s, p.dissolve_s)),
        ]
        for p in pieces
    ]
    return hashlib.sha256(canonical({"version": version, "pieces": listed})).hexdigest()
