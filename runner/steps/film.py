"""The step that joins clips: which take stands where in the cut, and whether the film is already made of just these."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path

from runner.adapters.outputs import Outputs
from runner.core.request import Request, canonical
from runner.language.pipeline import Assemble, Missing
from runner.language.take import Join, Take, Transition
from runner.steps.cut import FPS, PLAIN, BadCut, Piece, Stopped, plan_cut
from runner.steps.version import FILM_VERSION

__all__ = ["Incomplete", "Stopped", "assemble", "chosen", "made_already", "pieces", "rehearse"]


class Incomplete(Exception):
    """Clips are missing and the step says to stop for that."""

    def __init__(self, takes: tuple[str, ...]) -> None:
        self.takes = takes
        super().__init__(", ".join(takes))


def chosen(takes: Sequence[Take]) -> tuple[Take, ...]:
    """The takes of the cut: every variant's first, in storyboard order; skipped shots are left out."""
    return tuple(take for take in takes if take.number == 1 and not take.skip)


def rehearse(takes: Sequence[Take], requests: Mapping[str, Request], step: Assemble) -> Iterator[BadCut]:
    """Every fault of the cut by the lengths that will be asked for, before anything is bought; one of each piece."""
    cut = chosen(takes)
    while cut:
        found = _pieces(cut, requests, step, dict.fromkeys((take.id for take in cut), Path()), {})
        try:
            plan_cut(found, [Fraction(requests[take.id].seconds) for take in cut])
        except BadCut as fault:
            yield fault
            mended = tuple(
                replace(t, trim=None, transition=PLAIN) if n == fault.number else t for n, t in enumerate(cut)
            )
            cut = mended if mended != cut else ()
        else:
            return


def pieces(
    takes: Sequence[Take],
    requests: Mapping[str, Request],
    clips: Mapping[str, Path],
    lengths: Mapping[str, Decimal],
    words: Mapping[str, str],
    step: Assemble,
) -> tuple[Piece, ...]:
    """The cut's pieces. `clips` and `lengths`, real seconds, by take id; `words` says of a take without a clip what became of it.

    A service may make a clip a few frames shorter than it was asked for: a trim that ends behind it ends with it.
    Raises `Incomplete`.
    """
    cut = chosen(takes)
    missing = tuple(take.id for take in cut if take.id not in clips)
    if missing and (step.missing is Missing.STOP or len(missing) == len(cut)):
        raise Incomplete(missing)
    found = _pieces(cut, requests, step, clips, words)
    return tuple(_held(piece, lengths.get(take.id)) for take, piece in zip(cut, found, strict=True))


def _held(piece: Piece, length: Decimal | None) -> Piece:
    if length is None or piece.out_s is None or piece.out_s < length:
        return piece
    return replace(piece, out_s=None)


def made_already(pieces: Sequence[Piece], digests: Mapping[str, str], step: Assemble, outputs: Outputs) -> str | None:
    """The digest of the film that lies there, if it is made of just these pieces. `digests` are the clips' by piece name."""
    known = outputs.current(step.output, _fingerprint(pieces, digests))
    return known.sha256 if known else None


async def assemble(
    pieces: Sequence[Piece],
    digests: Mapping[str, str],
    step: Assemble,
    outputs: Outputs,
    stopped: Callable[[], bool] = lambda: False,
) -> str:
    """Make the film; its digest. Raises `BadCut`, `Unreadable`, OSError, and `Stopped` soon after `stopped` is true."""
    from runner.steps import assemble as assembly  # loads decoders, which a run with nothing to do need not

    made = await asyncio.to_thread(assembly.assemble, pieces, outputs.path(step.output), stopped)
    await outputs.note(step.output, made.sha256, _fingerprint(pieces, digests))
    return made.sha256


def _pieces(
    cut: Sequence[Take],
    requests: Mapping[str, Request],
    step: Assemble,
    clips: Mapping[str, Path],
    words: Mapping[str, str],
) -> tuple[Piece, ...]:
    lengths = [_seconds(take, requests) for take in cut]
    found = []
    for number, take in enumerate(cut):
        if take.transition is not None:
            transition = take.transition
        elif step.transition is not None and number:
            # The pipeline's own transition gives way to short shots; a shot's is a fault where it does not fit.
            room = min(length / 2 for length in lengths[number - 1 : number + 1])
            seconds = (min(step.transition.seconds, room) * FPS.numerator).to_integral_value(
                ROUND_FLOOR
            ) / FPS.numerator
            transition = replace(step.transition, seconds=seconds)
        else:
            transition = PLAIN
        found.append(_piece(take, clips.get(take.id), lengths[number], words.get(take.id, ""), transition))
    return tuple(found)


def _seconds(take: Take, requests: Mapping[str, Request]) -> Decimal:
    """How long the take is in the cut, by what is asked for."""
    request, trim = requests.get(take.id), take.trim
    whole = Decimal(request.seconds if request else 5)
    if trim is None:
        return whole
    return (trim.out_s if trim.out_s is not None else whole) - (trim.in_s or Decimal(0))


def _piece(take: Take, clip: Path | None, seconds: Decimal, word: str, transition: Transition) -> Piece:
    if clip is None:
        prompt = str(take.texts["prompt"].value) if "prompt" in take.texts else ""
        slate = (take.variant, *(line for line in (take.title, word, prompt) if line))
        return Piece(name=take.variant, clip=None, slate=slate, seconds=seconds, transition=transition)
    trim = take.trim
    return Piece(
        name=take.variant,
        clip=clip,
        in_s=trim.in_s if trim else None,
        out_s=trim.out_s if trim else None,
        transition=transition,
    )


def _fingerprint(pieces: Sequence[Piece], digests: Mapping[str, str]) -> str:
    listed = [
        [
            p.name,
            digests.get(p.name),
            list(p.slate),
            *(str(time) for time in (p.seconds, p.in_s, p.out_s, p.transition.seconds)),
            *([] if p.transition.join is Join.DISSOLVE else [p.transition.join, p.transition.side]),
        ]
        for p in pieces
    ]
    return hashlib.sha256(canonical({"version": FILM_VERSION, "pieces": listed})).hexdigest()
