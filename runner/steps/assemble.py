"""The film: all clips of a run, cut as their storyboard says, in one file."""

import heapq
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.packet import Packet

from runner.adapters.files import part_of, sync_folder
from runner.adapters.media import Unreadable, digest
from runner.adapters.streams import exact
from runner.core.media import ClipFacts
from runner.language.cut import Sound, Video
from runner.steps import mix, picture, splice
from runner.steps import sound as sound_step
from runner.steps.clip import Clip, survey
from runner.steps.cut import SAMPLE_RATE, BadCut, CutPlan, Piece, Stopped, chapters, plan_cut
from runner.steps.sound import Samples

if TYPE_CHECKING:  # a name for the type checker alone
    from av.container.core import Chapter

__all__ = ["BadCut", "Piece", "Stopped", "Unreadable", "assemble", "plan_cut"]


def assemble(
    pieces: Sequence[Piece],
    target: Path,
    stopped: Callable[[], bool] = lambda: False,
    *,
    video: Video | None = None,
    sound: Sound | None = None,
    files: Mapping[str, Path] = MappingProxyType({}),
    file_seconds: Mapping[str, Fraction] = MappingProxyType({}),
) -> ClipFacts:
    """Write the film of these pieces, in this order, to `target`: H.264 with AAC stereo at 48 kHz, in an MP4.

    Unless `video` says otherwise it has 24 frames a second, and its frame is the first clip's, without clips 1280 x 720; other
    clips are scaled to fit it and centred on black. `sound` mixes it with `files`, by path; without, it is the clips' own. Equal
    pieces give equal bytes. What need not be coded anew is copied: pictures of clips that are alike and whole, and their
    sound. Pieces with titles are chapters. Blocking, on one thread; memory does not grow with the film. What stood at `target` is replaced at the end or
    not at all.

    Raises BadCut when trims or transitions do not fit the clips, Unreadable when a clip cannot be decoded, OSError; Stopped
    before its next packet once `stopped`, which is asked for each, says so.
    """
    video = video or Video()
    clips = tuple(survey(piece.name, piece.clip, video.fps) if piece.clip else None for piece in pieces)
    lengths = [clip.seconds if clip else None for clip in clips]
    plan = plan_cut(pieces, lengths, fps=video.fps, length_s=video.length_s)
    heard = None
    if sound is not None:
        heard = lambda: mix.mixed(sound, plan, clips, files, file_seconds, stopped)  # noqa: E731
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    try:
        width_px, height_px = _write(plan, clips, video.size, heard, part, stopped)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        sha256, size_bytes = digest(part)
        part.replace(target)
    except av.error.FFmpegError as error:  # of clips only Unreadable comes through: this is the disk's
        raise OSError(error.errno, error.strerror, str(target)) from None
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)
    return ClipFacts(
        sha256=sha256,
        size_bytes=size_bytes,
        width_px=width_px,
        height_px=height_px,
        duration_s=plan.duration_s,
        fps=plan.fps,
        frames=plan.frames,
        codec="h264",
        audio_codec="aac",
    )


def _write(
    plan: CutPlan,
    clips: tuple[Clip | None, ...],
    size: tuple[int, int] | None,
    heard: Callable[[], Iterator[Samples]] | None,
    path: Path,
    stopped: Callable[[], bool],
) -> tuple[int, int]:
    """The film as planned; its width and height in pixels. `heard` is its sound where that is not just the clips' own."""
    whole = splice.whole_clips(plan, clips)
    with av.open(str(path.absolute()), "w", format="mp4", options=_options(plan)) as container:
        if whole and splice.alike([clip.picture_recipe for clip in whole]) and splice.fits(whole[0], size):
            shown = splice.add_picture_stream(container, whole[0])
            pictures = splice.picture_packets(plan, whole, shown)
        else:
            canvas = picture.canvas_of(next((clip for clip in clips if clip), None), size)
            shown = picture.add_stream(container, canvas, plan.fps)
            pictures = picture.packets(plan, clips, canvas, shown)
        if heard is None and whole and splice.alike([clip.sound_recipe for clip in whole]):
            spoken = splice.add_sound_stream(container, whole[0])
            sounds = splice.sound_packets(plan, whole, spoken)
        else:
            spoken = sound_step.add_stream(container)
            sounds = sound_step.packets(heard() if heard else sound_step.of_clips(plan, clips), spoken)
        if named := chapters(plan):
            container.set_chapters(_chapters(named, plan.fps))
        container.start_encoding()
        # Both come in the order of their decoding; side by side neither waits in memory for the other.
        for packet in heapq.merge(pictures, sounds, key=_decoded_at):
            if stopped():
                raise Stopped
            container.mux(packet)
        return shown.codec_context.width, shown.codec_context.height


def _options(plan: CutPlan) -> dict[str, str]:
    """Lengths in a film are written in samples: in thousandths of a second, the default, they would be rounded. A frame of
    1/29.97 s is a whole number of fifths of one."""
    scale = SAMPLE_RATE * (1 if (SAMPLE_RATE / plan.fps).denominator == 1 else 5)
    return {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": str(scale)}


def _chapters(named: Sequence[tuple[str, int, int]], fps: Fraction) -> "list[Chapter]":
    return [
        {"id": number, "start": start, "end": end, "time_base": 1 / fps, "metadata": {"title": title}}
        for number, (title, start, end) in enumerate(named)
    ]


def _decoded_at(packet: "Packet[Any]") -> Fraction:
    assert packet.dts is not None
    return packet.dts * exact(packet.time_base)
