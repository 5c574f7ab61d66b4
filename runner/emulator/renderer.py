"""A request becomes a real MP4: an animatic that says on every frame that it is one."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from runner.emulator.order import BadMedia, Order
from runner.emulator.version import RENDERER_VERSION

__all__ = ["RENDERER_VERSION", "BadMedia", "Order", "render"]

# Part of the service name `animatic/<version>`: raise it with every change that alters the bytes of a clip.

SAMPLE_RATE = 48_000
AAC_FRAME = 1024


def render(order: Order, target: Path) -> None:
    """Writes the clip to `target`: H.264 yuv420p, AAC stereo 48 kHz if there is sound.

    Blocking, on the calling thread alone; equal orders with equal media give equal bytes. Raises `BadMedia`.
    """
    card = Image.new("RGB", (order.width_px, order.height_px), (24, 32, 48))
    font = ImageFont.truetype(str(Path(__file__).parent / "fonts" / "DejaVuSans.ttf"), order.height_px // 24)
    ImageDraw.Draw(card).text((20, 20), f"ANIMATIC  {order.model}  {order.label}\n{order.prompt[:60]}", font=font)
    still = av.VideoFrame.from_ndarray(np.asarray(card), "rgb24").reformat(format="yuv420p", threads=1)
    options = {"fflags": "+bitexact", "movflags": "+faststart"}
    with av.open(str(target), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=order.fps)
        video.width, video.height, video.pix_fmt = order.width_px, order.height_px, "yuv420p"
        video.codec_context.thread_count = 1
        video.options = {"preset": "ultrafast", "qp": "22"}
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo") if order.sound else None
        for number in range(order.frames):
            still.pts, still.time_base = number, Fraction(1, order.fps)
            container.mux(video.encode(still))
        container.mux(video.encode(None))
        if audio:
            silence = np.zeros((2, AAC_FRAME), np.float32)
            for start in range(0, order.seconds * SAMPLE_RATE, AAC_FRAME):
                left = min(AAC_FRAME, order.seconds * SAMPLE_RATE - start)
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(silence[:, :left]), "fltp", "stereo")
                frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
                container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
