"""Small media, synthesised: every test makes the files it looks at."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
BEEP_HZ, BEEP_S = 1000.0, 0.02


def clip(
    path: Path,
    seconds: float = 1,
    *,
    size: tuple[int, int] = (128, 72),
    fps: Fraction | int = 24,
    colour: tuple[int, int, int] | None = None,
    tone: float = 440.0,
    audio: str | None = "aac",
    rate: int = 48_000,
    layout: str = "stereo",
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    marks: Sequence[float] = (),
    every: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    pixel_aspect: int = 1,
    sound_s: float | None = None,
    pictures_from: int = 0,
) -> Path:
    """A video whose frames differ, or of one `colour`; `marks` are seconds at which it is white for a 24th, with a beep.

    `every`: show only these frame numbers, each until the next (a variable rate). `tone` 0 is silence but for the beeps.
    `sound_s`: how long the sound is, if not as long as the pictures. `pictures_from`: the first frame's number; the sound
    begins at 0 all the same.
    """
    count = round(seconds * fps)
    width, height = size
    with av.open(str(path), "w", options=container or {}) as file:
        video = file.add_stream(codec, rate=Fraction(fps), options=options or {})
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        video.codec_context.thread_count = 1
        video.codec_context.sample_aspect_ratio = pixel_aspect
        sound = file.add_stream(audio, rate=rate, layout=layout) if audio else None
        flashes = {n for n in range(count) for mark in marks if mark <= n / fps + 1e-9 < mark + 1 / 24}
        for number in range(pictures_from, count):
            if every is not None and number not in every and number not in flashes:
                continue
            frame = av.VideoFrame.from_ndarray(_pixels(size, number, WHITE if number in flashes else colour), "rgb24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if sound:
            _encode(file, sound, samples(sound_s or count / fps, tone, rate=rate, marks=marks), rate, layout)
    return path


def tone(path: Path, seconds: float = 3, form: str = "mp3", *, rate: int = 44_100, hz: float = 440.0) -> Path:
    """A sound in `form`: mp3 wav flac m4a ogg."""
    codec, muxer = {
        "mp3": ("libmp3lame", "mp3"),
        "wav": ("pcm_s16le", "wav"),
        "flac": ("flac", "flac"),
        "m4a": ("aac", "ipod"),
        "ogg": ("libopus", "ogg"),
    }[form]
    rate = 48_000 if form == "ogg" else rate
    with av.open(str(path), "w", format=muxer) as file:
        sound = file.add_stream(codec, rate=rate, layout="stereo")
        _encode(file, sound, samples(seconds, hz, rate=rate), rate, "stereo")
    return path


def picture(
    path: Path, size: tuple[int, int] = (64, 48), mode: str = "RGB", *, form: str | None = None, **options: object
) -> Path:
    """A picture with a gradient; `form` is Pillow's name where the path's ending does not say it.

    Its last channel, alpha where the mode has one, is full: opaque.
    """
    width, height = size
    ramp = np.linspace(0, 255, width * height, dtype=np.uint8).reshape(height, width)
    image = Image.fromarray(np.stack([ramp, ramp[::-1], ramp.T.reshape(height, width)], axis=2), "RGB").convert(mode)
    image.save(path, form, **options)
    return path


def samples(
    seconds: float, hz: float, *, rate: int = 48_000, marks: Sequence[float] = (), level: float = 0.25
) -> np.ndarray:
    """One channel, float32."""
    times = np.arange(round(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * hz * times) * level if hz else np.zeros_like(times)
    for mark in marks:
        first, last = round(mark * rate), round((mark + BEEP_S) * rate)
        wave[first:last] = np.sin(2 * np.pi * BEEP_HZ * (times[first:last] - mark)) * 0.9
    return wave.astype(np.float32)


def _pixels(size: tuple[int, int], number: int, colour: tuple[int, int, int] | None) -> np.ndarray:
    width, height = size
    if colour is not None:
        return np.full((height, width, 3), colour, np.uint8)
    across = (np.arange(width) * 2 + number * 5) % 256
    return np.repeat(np.broadcast_to(across, (height, width)).astype(np.uint8)[:, :, None], 3, axis=2)


def _encode(
    file: av.container.OutputContainer, sound: av.AudioStream, wave: np.ndarray, rate: int, layout: str
) -> None:
    channels = 2 if layout == "stereo" else 1
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.stack([wave] * channels)), "fltp", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    file.mux(sound.encode(frame))
    file.mux(sound.encode(None))
