"""The film: all clips of a run, cut as their storyboard says, in one file."""

import heapq
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.packet import Packet

from runner.adapters.files import part_of, sync_folder
from runner.adapters.media import Unreadable, digest
from runner.adapters.streams import exact
from runner.core.media import ClipFacts
from runner.steps import picture, sound, splice
from runner.steps.clip import Clip, survey
from runner.steps.cut import SAMPLE_RATE, BadCut, CutPlan, Piece, Stopped, plan_cut

__all__ = ["BadCut", "Piece", "Stopped", "Unreadable", "assemble", "plan_cut"]

# Lengths in a film are written in samples: in thousandths of a second, the default, they would be rounded.
CONTAINER = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": str(SAMPLE_RATE)}


def assemble(pieces: Sequence[Piece], target: Path, stopped: Callable[[], bool] = lambda: False) -> ClipFacts:
    """Write the film of these pieces, in this order, to `target`: H.264 at 24 fps with AAC stereo at 48 kHz, in an MP4.

    The frame is the first clip's, without clips 1280 x 720; other clips are scaled to fit it and centred on black. Equal
    pieces give equal bytes. What need not be coded anew is copied: pictures of clips that are alike and whole, and their
    sound. Blocking, on one thread; memory does not grow with the film. What stood at `target` is replaced at the end or
    not at all.

    Raises BadCut when trims or transitions do not fit the clips, Unreadable when a clip cannot be decoded, OSError; Stopped
    before its next packet once `stopped`, which is asked for each, says so.
    """
    clips = tuple(survey(piece.name, piece.clip) if piece.clip else None for piece in pieces)
    plan = plan_cut(pieces, [clip.seconds if clip else None for clip in clips])
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    try:
        width_px, height_px = _write(plan, clips, part, stopped)
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


def _write(plan: CutPlan, clips: tuple[Clip | None, ...], path: Path, stopped: Callable[[], bool]) -> tuple[int, int]:
    """The film as planned; its width and height in pixels."""
    whole = splice.whole_clips(plan, clips)
    with av.open(str(path.absolute()), "w", format="mp4", options=CONTAINER) as container:
        if whole and splice.alike([clip.picture_recipe for clip in whole]):
            shown = splice.add_picture_stream(container, whole[0])
            pictures = splice.picture_packets(plan, whole, shown)
        else:
            canvas = picture.canvas_of(next((clip for clip in clips if clip), None))
            shown = picture.add_stream(container, canvas)
            pictures = picture.packets(plan, clips, canvas, shown)
        if whole and splice.alike([clip.sound_recipe for clip in whole]):
            heard = splice.add_sound_stream(container, whole[0])
            sounds = splice.sound_packets(plan, whole, heard)
        else:
            heard = sound.add_stream(container)
            sounds = sound.packets(plan, clips, heard)
        container.start_encoding()
        # Both come in the order of their decoding; side by side neither waits in memory for the other.
        for packet in heapq.merge(pictures, sounds, key=_decoded_at):
            if stopped():
                raise Stopped
            container.mux(packet)
        return shown.codec_context.width, shown.codec_context.height


def _decoded_at(packet: "Packet[Any]") -> Fraction:
    assert packet.dts is not None
    return packet.dts * exact(packet.time_base)
