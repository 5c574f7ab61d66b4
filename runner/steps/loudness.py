"""How loud a mix is after EBU R 128 (ITU-R BS.1770), and the same mix as loud as it is to be, its peaks held."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import log10

import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from runner.steps.cut import SAMPLE_RATE
from runner.steps.score import linear
from runner.steps.sound import Samples

CEILING_DBTP = -1.5  # what a film is coded with: AAC adds up to half a dB to a peak, and -1 dBTP is what is promised
SILENCE_LUFS = -69.9  # nothing is loud enough to be measured
MOST_GAIN_DB = 40.0
NEAR_LU = 0.1  # of what was asked for, behind the limiter
MOST_PASSES = 4
OVERSAMPLED = 4 * SAMPLE_RATE  # between two samples a wave may go higher than either

Blocks = Callable[[], Iterable[Samples]]  # the same sound again each time it is asked for


def levelled(blocks: Blocks, target_lufs: float | None, total: int) -> Iterator[Samples]:
    """The sound at `target_lufs`, None as loud as it comes, without a true peak above the ceiling; `total` samples of it.

    One gain for all of it. A limiter holds peaks for which that would be too much; silence stays silence.
    """
    measured, peak = measure(blocks())
    gain_db = 0.0
    if target_lufs is not None and measured > SILENCE_LUFS:
        gain_db = min(target_lufs - measured, MOST_GAIN_DB)
    if peak <= 0 or 20 * log10(peak) + gain_db <= CEILING_DBTP:
        return _cut(_louder(blocks(), gain_db), total)
    for _ in range(MOST_PASSES if target_lufs is not None and measured > SILENCE_LUFS else 0):
        lacks = target_lufs - measure(_limited(_louder(blocks(), gain_db)))[0] if target_lufs is not None else 0
        if abs(lacks) <= NEAR_LU or gain_db >= MOST_GAIN_DB:
            break
        gain_db = min(gain_db + lacks, MOST_GAIN_DB)
    return _cut(_limited(_louder(blocks(), gain_db)), total)


def measure(blocks: Iterable[Samples]) -> tuple[float, float]:
    """(integrated loudness in LUFS, true peak as a share of full scale)."""
    loudness, peak = -70.0, 0.0
    for frame in _through(blocks, ("ebur128", "metadata=1:peak=true")):
        told = frame.metadata
        loudness = float(told.get("lavfi.r128.I", loudness))
        peak = max(peak, float(told.get("lavfi.r128.true_peak", 0)))
    return loudness, peak


def _louder(blocks: Iterable[Samples], gain_db: float) -> Iterator[Samples]:
    gain = np.float32(linear(gain_db))
    return (block * gain for block in blocks)


def _limited(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Held below the ceiling between the samples too: as four times as many the limiter sees them all."""
    limit = f"limit={linear(CEILING_DBTP):.6f}:attack=5:release=100:level=disabled:latency=1"
    chain = (
        ("aresample", str(OVERSAMPLED)),
        ("alimiter", limit),
        ("aresample", str(SAMPLE_RATE)),
        ("aformat", "sample_fmts=fltp:channel_layouts=stereo"),
    )
    for frame in _through(blocks, *chain):
        yield frame.to_ndarray().astype(np.float32, copy=False)


def _cut(blocks: Iterable[Samples], total: int) -> Iterator[Samples]:
    """Just so many samples: resamplers give a few more or less."""
    left = total
    for block in blocks:
        if left:
            yield block[:, :left]
        left -= min(left, block.shape[1])
    if left:
        yield np.zeros((2, left), np.float32)


def _through(blocks: Iterable[Samples], *filters: tuple[str, str]) -> Iterator[AudioFrame]:
    graph = Graph()
    graph.threads = 1
    second = Fraction(1, SAMPLE_RATE)
    nodes = [graph.add_abuffer(sample_rate=SAMPLE_RATE, format="fltp", layout="stereo", time_base=second)]
    nodes += [graph.add(name, words) for name, words in filters]
    graph.link_nodes(*nodes, graph.add("abuffersink")).configure()
    place = 0
    for block in blocks:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block, np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, place, second
        place += block.shape[1]
        graph.push(frame)
        yield from _ready(graph)
    graph.push(None)
    yield from _ready(graph)


def _ready(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, AudioFrame)
        yield frame
