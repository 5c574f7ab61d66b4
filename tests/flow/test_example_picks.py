"""The example's picks file is what `pick` writes there today: its clip is the one that this renderer draws.

`make picks` writes it anew, after the animatics have come to look otherwise; look at what it says before it is kept.
"""

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
from stage import Stage

HOME = Path(__file__).parents[2]
FOLDER, PICKS = "examples/lighthouse", "film.picks.yaml"
PICKED = {
    "arrival@dawn.2": "the sun stands clear of the fog",
    "arrival@dusk.1": "amber, not red: the storm is yet to come",
}
STALE = "the animatics have changed: `make picks` chooses the example's takes at their clips of today"
# What a processor makes of the last bit of a sine is its own affair: those with AVX2 or AVX-512 draw the committed clip.
ROUNDED = {"242cc8762afa7d96", "c59db40761a27b79"}


def rounded() -> str:
    """How this machine rounds: a digest of what the animatics' arithmetic gives on one ramp."""
    ramp = np.linspace(0.01, 8, 4099, dtype=np.float32)
    found = [f(ramp) for f in (np.sin, np.cos, np.exp, np.log, np.sqrt, np.tanh, np.arctan)]
    found += [np.power(ramp, np.float32(1.7)), np.arctan2(ramp, ramp[::-1]), np.hypot(ramp, ramp[::-1])]
    return hashlib.sha256(np.concatenate(found).tobytes()).hexdigest()[:16]


def alone(storyboard: str, label: str) -> str:
    """The storyboard with this variant of its first shot and no other."""
    other = {"dawn": r"dusk: [^}]+", "dusk": r"dawn: .+?, "}[label]
    first = re.sub(other, "", storyboard[: storyboard.index("\n  - id: walk\n")]).replace(", }", "}")
    return first + storyboard[storyboard.index("\n# What is made of") :]


def keys(stage: Stage) -> dict[str, str]:
    """Of every take, as it is planned."""
    planned = json.loads(stage.shotrunner("plan", "film.yaml", "--format", "json").out)
    return {take["take"]: take["key"] for take in planned["takes"]}


def test_the_picks_of_the_example_are_those_of_the_clips_as_they_are_drawn(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "project")
    shutil.copytree(HOME / FOLDER, stage.folder, ignore=shutil.ignore_patterns("out", ".shotrunner"))
    whole, asked = (stage.folder / "film.yaml").read_text(encoding="utf-8"), keys(stage)
    for take, note in PICKED.items():
        stage.write("film.yaml", alone(whole, take.partition("@")[2].partition(".")[0]))
        pick = ("pick", "film.yaml", take, "--note", note)
        for words in (pick, ("run", "film.yaml", "--shots", take), pick):
            ended = stage.shotrunner(*words)
            assert ended.code == 0, ended
        assert {k: v for k, v in asked.items() if k in keys(stage)} == keys(stage)  # no request is another for it
    written = (stage.folder / PICKS).read_text(encoding="utf-8")
    if os.environ.get("UPDATE_PICKS"):
        (HOME / FOLDER / PICKS).write_text(written, encoding="utf-8")
    kept = (HOME / FOLDER / PICKS).read_text(encoding="utf-8")
    assert len(re.findall(r"clip: [0-9a-f]{64}\b", kept)) == len(PICKED), STALE
    if rounded() not in ROUNDED:
        kept, written = (re.sub(r"clip: [0-9a-f]{64}", "clip: drawn here", text) for text in (kept, written))
    assert kept == written, STALE
