"""The moving picture of a clip without a reference: a scene after the words of its prompt, in depth and in motion."""

from enum import StrEnum

import numpy as np

from runner.emulator import ground, lens, sky
from runner.emulator.brush import Canvas, generator
from runner.emulator.camera import Path
from runner.emulator.chance import Chance
from runner.emulator.palette import Palette, listed, words_of
from runner.emulator.planes import Planes
from runner.emulator.sky import Stage
from runner.emulator.veil import Foreground


class Scene(StrEnum):
    HILLS = "hills"
    PEAKS = "peaks"
    SEA = "sea"
    FOREST = "forest"
    CITY = "city"
    DUNES = "dunes"
    LIGHTS = "lights"


# The first row with a word of the prompt is the scene.
_SCENE_WORDS: tuple[tuple[Scene, str], ...] = (
    (Scene.SEA, "sea ocean wave waves coast beach harbour harbor lake river water reef ship boat sail island lagoon lighthouse shore pier"),
    (Scene.PEAKS, "mountain mountains peak peaks summit alps alpine glacier cliff cliffs volcano ridge"),
    (Scene.DUNES, "desert dune dunes sand sahara mars savanna wasteland canyon"),
    (Scene.CITY, "city street streets tokyo york paris london skyline building buildings tower towers rooftop rooftops neon cyberpunk downtown urban alley traffic car cars"),
    (Scene.FOREST, "forest wood woods jungle tree trees pine pines park grove"),
    (Scene.LIGHTS, "room kitchen studio product pedestal portrait face close-up closeup interior table cup coffee bottle food lamp dance dancer stage spotlight abstract macro jewel ring watch shoe sneaker perfume window"),
    (Scene.HILLS, "hill hills field fields meadow valley village farm road horizon countryside bridge"),
)  # fmt: skip

_LAND: dict[Scene, ground.Kind] = {
    Scene.HILLS: ground.hills,
    Scene.PEAKS: ground.peaks,
    Scene.FOREST: ground.forest,
    Scene.CITY: ground.city,
    Scene.DUNES: ground.dunes,
}
_NEAR: dict[Scene, ground.Kind] = {
    Scene.HILLS: ground.hills,
    Scene.PEAKS: ground.near_wood,
    Scene.SEA: ground.shore,
    Scene.FOREST: ground.near_wood,
    Scene.CITY: ground.city,
    Scene.DUNES: ground.hills,
}
NEAR_FOOT = 0.9  # of the frame's height


def told(prompt: str) -> Scene | None:
    """The scene that the prompt names."""
    words = words_of(prompt)
    return next((scene for scene, row in _SCENE_WORDS if words & listed(row)), None)


def choose(prompt: str, chance: Chance) -> Scene:
    """The scene that the prompt names; without a telling word the draw decides."""
    return told(prompt) or chance.pick(
        "scene", (Scene.HILLS, Scene.PEAKS, Scene.SEA, Scene.FOREST, Scene.DUNES, Scene.LIGHTS)
    )


class View:
    """A scene seen by the camera: the plate, and before it the nearest ground."""

    def __init__(
        self,
        scene: Scene,
        palette: Palette,
        chance: Chance,
        path: Path,
        width_px: int,
        height_px: int,
        share: float = 1.0,
    ) -> None:
        """`share` is what is seen of the side that a wide shot would show: things stand larger, the nearer the camera."""
        unit = round(min(width_px, height_px) / share)
        stage = Stage.of(palette, chance, path.width_px, path.height_px, unit)
        self._shifts = path.shifts
        self._lens = lens.look(plate(scene, stage), path, width_px, height_px)
        self._near = foreground(scene, stage, path, width_px, height_px)

    def see(self, number: int, into: Planes) -> None:
        """Frame `number` from 0, in order."""
        self._lens.see(number, into)
        if self._near:
            self._near.lay(into, self._shifts[number])


def plate(scene: Scene, stage: Stage) -> Planes:
    """The still that the camera moves over."""
    canvas = sky.sky(stage)
    match scene:
        case Scene.LIGHTS:
            ground.lights(canvas, stage)
        case Scene.SEA:
            sky.disc(canvas, stage)
            ground.sea(canvas, stage)
        case _:
            sky.disc(canvas, stage)
            ground.land(canvas, stage, _LAND[scene])
    return canvas.finished(generator(stage.chance, "grain"), 0.9)


def foreground(scene: Scene, stage: Stage, path: Path, width_px: int, height_px: int) -> Foreground | None:
    """The nearest ground, in the strip that the path's shifts need; None where a scene has none."""
    if scene not in _NEAR:
        return None
    width = (width_px + path.strip_px[0] + 3) // 2 * 2
    xs = np.arange(width, dtype=np.float32)
    outline = _NEAR[scene](generator(stage.chance, "near"), xs, stage.unit, 1.0)
    foot = np.float32(height_px * NEAR_FOOT + path.strip_px[1] * 0.5)  # a rise begins or ends with little of it
    rows = foot - outline.edge
    top = int(rows.min() - 2) // 2 * 2
    edge_px = (int(rows.max()) - top + 4) // 2 * 2
    height = max(edge_px, (height_px - top + path.strip_px[1] + 3) // 2 * 2)
    upper = stage.palette.ridge.shifted(-0.02)
    lower = upper.mixed(stage.palette.air, 0.06 + 0.12 * stage.palette.haze)
    canvas = Canvas.plain(upper.yuv(), width, height)
    canvas.band(rows - top, upper.yuv(), lower.yuv(), stage.unit * 0.22, soil=foot - outline.soil - top)
    ground.windows(canvas, stage, outline.houses, float(foot) - top, ground.BANDS)
    strip = canvas.finished(generator(stage.chance, "near.grain"), 0.8)
    cover = np.arange(edge_px, dtype=np.float32)[:, None] - (rows - top) + np.float32(0.5)
    # Moved along one axis it stands in quarters of a pixel; along both, where each pair must be made, in halves.
    steps = 2 if all(path.strip_px) else 4
    return Foreground(strip, np.clip(cover, 0, 1), top, steps)
