"""Joining clips that are alike without coding them anew: their packets, with new times."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from runner.adapters.streams import exact, pictures_of, sound_of
from runner.steps.clip import AAC_BLOCK, Clip
from runner.steps.cut import SAMPLE_RATE, CutPlan


def whole_clips(plan: CutPlan, clips: Sequence[Clip | None]) -> list[Clip] | None:
    """The clips, if the film is nothing but them, one after the other: no slate, no trim, no transition."""
    found = [clip for clip in clips if clip]
    whole = all(
        part.first == 0 and part.frames == clip.seconds * plan.fps
        for part, clip in zip(plan.parts, found, strict=False)
    )
    return found if whole and plan.is_plain and len(found) == len(plan.parts) else None


def alike(recipes: Sequence[tuple[object, ...] | None]) -> bool:
    return recipes[0] is not None and all(recipe == recipes[0] for recipe in recipes)


def fits(clip: Clip, size: tuple[int, int] | None) -> bool:
    """Whether its packets are of that size, if one is asked for."""
    return size is None or (clip.picture_recipe is not None and clip.picture_recipe[2:4] == size)


def add_picture_stream(container: OutputContainer, clip: Clip) -> VideoStream:
    """A stream of the film that takes packets as this clip's are."""
    with clip.opened(headers_only=True) as source:
        pictures = pictures_of(source)
        assert pictures
        return container.add_stream_from_template(pictures)


def add_sound_stream(container: OutputContainer, clip: Clip) -> AudioStream:
    with clip.opened(headers_only=True) as source:
        sound = sound_of(source)
        assert sound
        return container.add_stream_from_template(sound)


def picture_packets(plan: CutPlan, clips: Sequence[Clip], stream: VideoStream) -> "Iterator[Packet[Any]]":
    """Every packet once, at its frame of the film. Raises Unreadable."""
    for part, clip in zip(plan.parts, clips, strict=True):
        with clip.opened(headers_only=True) as container:
            source = pictures_of(container)
            assert source and source.time_base
            begins, per_frame = clip.begins / exact(source.time_base), 1 / (plan.fps * exact(source.time_base))
            for packet in container.demux(source):
                if packet.size:
                    assert packet.pts is not None and packet.dts is not None
                    packet.pts = part.start + int((packet.pts - begins) / per_frame)
                    packet.dts = part.start + int((packet.dts - begins) / per_frame)
                    packet.duration, packet.time_base, packet.stream = 1, 1 / plan.fps, stream
                    yield packet


def sound_packets(plan: CutPlan, clips: Sequence[Clip], stream: AudioStream) -> "Iterator[Packet[Any]]":
    """Blocks of 1,024 samples without gap or overlap: a clip's stand at most 512 samples (11 ms) off their pictures.

    Samples come whole out of a block only together with the block before. So each clip enters with the block from before
    its first sample, in the place of its forerunner's last: over that one block the two are faded by their windows.
    Raises Unreadable.
    """
    place = -AAC_BLOCK
    for part, clip in zip(plan.parts, clips, strict=True):
        is_last = part is plan.parts[-1]
        end = plan.samples_to(part.start + part.frames)
        with clip.opened(headers_only=True) as container:
            source = sound_of(container)
            assert source
            for original in container.demux(source):
                if not original.size:
                    continue
                packet = Packet(bytes(original))
                packet.pts = packet.dts = place
                packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, SAMPLE_RATE), stream, True
                packet.duration = AAC_BLOCK
                place += AAC_BLOCK
                if is_last and place >= end - AAC_BLOCK // 2:
                    packet.duration = end - packet.pts  # to the last sample of the last picture
                    yield packet
                    break
                yield packet
                if not is_last and place >= end - AAC_BLOCK - AAC_BLOCK // 2:
                    break
