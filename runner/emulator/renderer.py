"""A request becomes a real MP4: an animatic that says on every frame that it is one."""

from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from runner.emulator import camera, lens, palette, picture, scenery, sound
from runner.emulator.card import Card
from runner.emulator.chance import Chance
from runner.emulator.footage import Footage
from runner.emulator.mp4 import Mp4
from runner.emulator.order import BadMedia, Order
from runner.emulator.palette import Palette
from runner.emulator.planes import Planes
from runner.emulator.version import RENDERER_VERSION

__all__ = ["RENDERER_VERSION", "BadMedia", "Order", "render"]


class _View(Protocol):
    """What the card lies over; asked for every frame once, in order."""

    def see(self, number: int, into: Planes) -> None: ...


def render(order: Order, target: Path) -> None:
    """Writes the clip to `target`: H.264 yuv420p, AAC stereo 48 kHz if there is sound, exactly `seconds` long.

    Blocking, on the calling thread alone; equal orders with equal media give equal bytes. Raises `BadMedia`, and then
    leaves no file behind.
    """
    chance = Chance.of(order.model, order.prompt, order.seed)
    colors = palette.choose(order.prompt, chance)
    with ExitStack() as open_files:
        view = _view(order, colors, chance, open_files)
        heard = _sound(order, colors, chance)
        card = Card(order, colors)
        clip = Mp4(target, width_px=order.width_px, height_px=order.height_px, fps=order.fps, sound=heard)
        open_files.enter_context(clip)
        for number in range(order.frames):
            view.see(number, clip.picture)
            card.lay(number, clip.picture)
            clip.add(number)


def _view(order: Order, colors: Palette, chance: Chance, open_files: ExitStack) -> _View:
    width, height = order.width_px, order.height_px
    move = camera.choose(chance, width_px=width, height_px=height)
    if order.videos and move in (camera.Move.PUSH, camera.Move.PULL):
        move = camera.Move.RIGHT if move is camera.Move.PUSH else camera.Move.LEFT  # clips move by themselves
    path = camera.path(move, width_px=width, height_px=height, frames=order.frames, fps=order.fps)
    if order.videos:
        footage = Footage(order.videos, colors, path, fps=order.fps, frames=order.frames)
        return open_files.enter_context(footage)
    if order.image:
        return lens.look(picture.plate(order.image, colors, path.width_px, path.height_px), path, width, height)
    scene = scenery.choose(order.prompt, chance)
    return scenery.View(scene, colors, chance, path, width, height)


def _sound(order: Order, colors: Palette, chance: Chance) -> sound.Track | None:
    """Driving audio, else the first clip's own sound, else a soft chord; None where no sound is asked for."""
    if not order.sound:
        return None
    if order.audio:
        heard = sound.decoded(order.audio, order.seconds, "the audio")
        if heard is None:
            raise BadMedia("the audio holds no sound")
        return heard
    own = sound.decoded(order.videos[0], order.seconds, "the video") if order.videos else None
    return sound.ambience(colors, chance, order.seconds) if own is None else own
