"""A request becomes a real MP4: an animatic that says on every frame that it is one."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from runner.emulator import camera, footage, lens, palette, picture, scenery, shots, sound
from runner.emulator.camera import Move
from runner.emulator.card import Card
from runner.emulator.chance import Chance
from runner.emulator.footage import Footage
from runner.emulator.mp4 import Mp4
from runner.emulator.order import BadMedia, Order
from runner.emulator.palette import Palette
from runner.emulator.planes import Planes
from runner.emulator.scenery import Scene
from runner.emulator.shots import SHARE, Shot
from runner.emulator.version import RENDERER_VERSION

__all__ = ["RENDERER_VERSION", "BadMedia", "Order", "render"]


def render(order: Order, target: Path) -> None:
    """Writes the clip to `target`: H.264 yuv420p, AAC stereo 48 kHz if there is sound, exactly `seconds` long.

    Blocking, on the calling thread alone; equal orders with equal media give equal bytes. Raises `BadMedia`, and then
    leaves no file behind.
    """
    chance = Chance.of(order.model, order.prompt, order.seed)
    cut = shots.shots(order, chance)
    with ExitStack() as open_files:
        looks = _Looks(order, cut, chance, open_files)
        heard = _sound(order, looks.colors, chance)
        size = order.width_px, order.height_px
        clip = Mp4(target, width_px=size[0], height_px=size[1], fps=order.fps, sound=heard, filmed=bool(order.videos))
        open_files.enter_context(clip)
        for shot in cut:
            view = looks.turned_to(shot)
            card = Card(order, looks.colors, cut, shot.number)
            for number in range(shot.first, shot.first + shot.frames):
                view(number, clip.picture)
                card.lay(number, clip.picture)
                clip.add(number)


class _Looks:
    """What is seen in each shot of an order. Light and scene are its own where its words tell, else those of the shot before."""

    def __init__(self, order: Order, cut: Sequence[Shot], chance: Chance, open_files: ExitStack) -> None:
        self._order, self._chance = order, chance
        self.colors = palette.choose(order.prompt, chance)
        self._scene: Scene | None = None
        self._footage: Footage | None = None
        if order.videos:
            plan = footage.cuts(cut, chance, clips=len(order.videos), fps=order.fps)
            self._footage = open_files.enter_context(Footage(order.videos, plan, fps=order.fps))

    def turned_to(self, shot: Shot) -> Callable[[int, Planes], None]:
        """Draws a frame of this shot by its number in the clip; to be asked in order."""
        order = self._order
        if shot.nearness and palette.tells(shot.text):
            self.colors = palette.choose(shot.text, self._chance)
        if self._footage:
            self._footage.graded(self.colors)
            return self._footage.see
        chance, width, height = shot.chance(self._chance), order.width_px, order.height_px
        share = SHARE[shot.nearness] if shot.nearness else 1.0
        goes_on = order.image is not None and share == 1 and picture.goes_on(order.image, self.colors)
        move = Move.PUSH if goes_on else camera.choose(chance, width_px=width, height_px=height)
        path = camera.path(move, width_px=width, height_px=height, frames=shot.frames, fps=order.fps)
        view: scenery.View | lens.Travel | lens.Zoom
        if order.image:
            part = picture.WHOLE if share == 1 else _aside(chance, share)
            # What goes on from another animatic begins with the whole of its picture: a push has room around that.
            around = camera.MARGIN_PX if goes_on else 0
            seen = picture.plate(order.image, self.colors, path.width_px, path.height_px, part, around_px=around)
            view = lens.look(seen, path, width, height)
        else:
            self._scene = scenery.told(shot.text) or self._scene or scenery.choose(order.prompt, self._chance)
            view = scenery.View(self._scene, self.colors, chance, path, width, height, share)
        return lambda number, into: view.see(number - shot.first, into)


def _aside(chance: Chance, share: float) -> picture.Part:
    """A nearer part of a picture, about a third from one side."""
    return picture.Part(share=share, x=chance.pick("aside", (0.15, 0.5, 0.85)), y=chance.between("aside.y", 0.2, 0.5))


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
