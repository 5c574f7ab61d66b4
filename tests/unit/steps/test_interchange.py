"""The formats of other editors, each read back by OpenTimelineIO and held to the `.otio` it was made of."""

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timelines import FPS, RATES, SHOTS, Shot, cut, exported, loaded, music, sounding, stands, text, track, voice

from runner.core import visible
from runner.language.cut import Duck, Sound
from runner.language.take import Join
from runner.steps.cut import Stopped
from runner.steps.edl import _reel
from runner.steps.interchange import Export, Unwritable, missing

LONG = "shot_with_a_long_name_"
FORMATS = (".otioz", ".xml", ".edl")
FILM = (
    Shot(name="sea", seconds=5, takes=2, chosen=2, trim=(0.5, 4)),
    Shot(name="hill", over=0.5, silent=True),
    Shot(name="wood", over=0.25, seconds=3, trim=(0, 2.5)),
    Shot(name="black", black=True, seconds=1),
    Shot(name="lamp", here=(), seconds=2, takes=2),
    Shot(name="sea", seconds=5, takes=2, chosen=2, trim=(0.5, 4)),
)


@pytest.fixture(autouse=True)
def _later_pythons() -> Iterator[None]:
    """From Python 3.12 on, what the library asks of XML is warned of as old."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Testing an element's truth value", DeprecationWarning)
        yield


def media(folder: Path, written: str) -> None:
    """Files where the timeline says there are some."""
    for clip in loaded(written).find_clips():
        for reference in clip.media_references().values():
            if isinstance(reference, otio.schema.ExternalReference):
                file = folder / otio.url_utils.filepath_from_url(reference.target_url)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(str(file).encode())


def read_back(written: str, suffix: str, folder: Path) -> Any:
    if suffix == ".otioz":
        media(folder, written)
    return exported(written, folder / f"film{suffix}")


def left_out(written: str, suffix: str) -> tuple[str, ...]:
    return Export(target=Path(f"film{suffix}"), text=written).left_out


# ---------------------------------------------------------------- every format


STANDS = [(0, 78, 12), (78, 117, 6), (117, 174, 3), (198, 246, 0), (246, 330, 12)]
IN_AN_EDL = [
    (0, 72, 12),
    (72, 114, 0),
    (114, 174, 0),
    (174, 198, 0),
    *STANDS[3:],
]  # a dissolve begins where its second clip does


@pytest.mark.parametrize(("suffix", "places"), [(".otioz", STANDS), (".xml", STANDS), (".edl", IN_AN_EDL)])
def test_everything_stands_where_it_stood(suffix: str, places: list[tuple[int, int, int]], tmp_path: Path) -> None:
    written = text(*FILM)
    read = read_back(written, suffix, tmp_path)
    assert stands(loaded(written)) == STANDS and stands(read) == places
    assert read.duration() == loaded(written).duration() and read.name == "The Sea"
    joins = [item for item in track(read) if isinstance(item, otio.schema.Transition)]
    assert [(item.in_offset + item.out_offset).value for item in joins] == [12, 6]
    assert {item.transition_type for item in joins} == {"SMPTE_Dissolve"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_twenty_five_cuts_keep_their_order(suffix: str, tmp_path: Path) -> None:
    shots = [Shot(name=f"cut{number}", trim=(0.25, 1.5), over=0.25 * (number % 3 == 1)) for number in range(25)]
    read = read_back(text(*shots), suffix, tmp_path)
    names = [clip.name.split(".")[0] for clip in read.tracks[0].find_clips()]
    assert names == [shot.name for shot in shots]
    assert read.duration() == loaded(text(*shots)).duration()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("fps", RATES, ids=str)
def test_every_rate_of_films_is_kept(suffix: str, fps: Fraction, tmp_path: Path) -> None:
    written = text(Shot(seconds=5), Shot(name="hill", over=0.5), fps=fps)
    read = read_back(written, suffix, tmp_path)
    assert stands(read)[-1][1] == stands(loaded(written))[-1][1] == round((7 - Fraction(1, 2)) * fps)
    assert float(read.duration().rate) == pytest.approx(float(fps))


@pytest.mark.parametrize("suffix", FORMATS)
def test_equal_timelines_are_equal_bytes(suffix: str, tmp_path: Path) -> None:
    written = text(*FILM)
    media(tmp_path, written)
    made = []
    for _ in range(2):
        read_back(written, suffix, tmp_path)
        made.append((tmp_path / f"film{suffix}").read_bytes())
    assert made[0] == made[1]


@given(st.lists(SHOTS, min_size=1, max_size=5), st.sampled_from(RATES[:2]), st.sampled_from([None, 1, 9]))
def test_whatever_the_film_every_format_is_as_long(
    tmp_path_factory: pytest.TempPathFactory, shots: list[Shot], fps: Fraction, length_s: int | None
) -> None:
    written = text(*shots, fps=fps, length_s=length_s)
    folder = tmp_path_factory.mktemp("film")
    for suffix in FORMATS:
        read = read_back(written, suffix, folder)
        assert read.tracks[0].duration().value == loaded(written).duration().value, suffix
        chosen = [
            c for c in read.tracks[0].find_clips() if isinstance(c.media_reference, otio.schema.ExternalReference)
        ]
        known = [c for c in loaded(written).tracks[0].find_clips() if c.media_reference.available_range]
        assert len(chosen) == len(known)


def test_what_the_library_cannot_write_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTIO_DISABLE_ENTRYPOINTS_PLUGINS", "1")
    otio.plugins.ActiveManifest(force_reload=True)
    try:
        with pytest.raises(Unwritable, match="OpenTimelineIO cannot write it: Could not find plugin"):
            Export(target=tmp_path / "film.edl", text=text(Shot())).write(lambda: False)
    finally:
        monkeypatch.undo()
        otio.plugins.ActiveManifest(force_reload=True)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- .otioz


def test_a_bundle_holds_every_take_and_says_where(tmp_path: Path) -> None:
    """Files of one name lie apart, on disks that know no case too."""
    paths = {"hill": "a/wave at sea.mp4", "wood": "b/Wave at sea.mp4", "lamp": "c/wave at sea.mp4"}
    shots = (Shot(takes=2), *(Shot(name=name, path=path) for name, path in paths.items()))
    read = read_back(text(*shots), ".otioz", tmp_path)
    with zipfile.ZipFile(tmp_path / "film.otioz") as bundle:
        names = bundle.namelist()
        assert names[:2] == ["version.txt", "content.otio"]
        assert len({name.casefold() for name in names}) == len(names) == 2 + 5
        for clip in read.find_clips():
            for reference in clip.media_references().values():
                name = otio.url_utils.filepath_from_url(reference.target_url)
                path = paths.get(clip.name, f"clips/{reference.name}.mp4")
                assert bundle.read(name).decode() == str(tmp_path / path)


def test_a_bundle_is_the_same_timeline_but_for_where_its_media_are(tmp_path: Path) -> None:
    written = text(*FILM)
    read = read_back(written, ".otioz", tmp_path)
    for clip in read.find_clips():
        for reference in clip.media_references().values():
            if isinstance(reference, otio.schema.ExternalReference):
                reference.target_url = reference.target_url.replace("media/", "clips/")
    assert json.loads(otio.adapters.write_to_string(read, "otio_json")) == json.loads(written)


def test_a_bundle_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    written = text(Shot())
    media(tmp_path, written)
    with pytest.raises(Stopped):
        Export(target=tmp_path / "film.otioz", text=written).write(lambda: True)
    assert [path.name for path in tmp_path.iterdir()] == ["clips"]


# ---------------------------------------------------------------- .xml


def test_an_xml_finds_its_clips_on_this_machine_and_tells_how_they_were_made(tmp_path: Path) -> None:
    folder = tmp_path / "a film, été"
    read = read_back(text(Shot(chosen=2, takes=2, trim=(0.5, 1))), ".xml", folder)
    assert (
        "<in>12</in>" in (written := (folder / "film.xml").read_text(encoding="utf-8")) and "<out>-1</out>" in written
    )
    (clip,) = read.tracks[0].find_clips()
    assert otio.url_utils.filepath_from_url(clip.media_reference.target_url) == str(folder / "clips/sea.2.mp4")
    assert clip.media_reference.target_url.startswith("file://localhost/")
    told = clip.metadata["fcp_xml"]
    assert told["logginginfo"]["scene"] == "sea" and told["logginginfo"]["shottake"] == "2"
    assert told["logginginfo"]["description"] == "The sea at dawn"
    assert "seed 9" in told["logginginfo"]["lognote"] and "wan2.7-text-to-video" in told["logginginfo"]["lognote"]
    assert told["comments"]["mastercomment1"].startswith("key 7365612e32")
    (marker,) = clip.markers
    assert "seed 9" in marker.metadata["fcp_xml"]["comment"]
    assert marker.marked_range == otio.opentime.TimeRange(
        clip.source_range.start_time, otio.opentime.RationalTime(0, 24)
    )


def test_an_xml_is_one_whatever_the_words(tmp_path: Path) -> None:
    words = "a <b> & \x07\x1b[1m ]]> \x9b\u202e\ufffe \U0001f30a wave\u2028on"
    written = text(Shot()).replace("The sea at dawn", json.dumps(words)[1:-1])
    (clip,) = read_back(written, ".xml", tmp_path).tracks[0].find_clips()
    assert clip.metadata["fcp_xml"]["logginginfo"]["description"] == "a <b> & [1m ]]>   \U0001f30a wave\non"
    assert visible.CONTROL.search((tmp_path / "film.xml").read_text(encoding="utf-8").replace("\n", "")) is None


def test_every_clip_of_an_xml_is_told_whole_and_has_a_number_of_its_own(tmp_path: Path) -> None:
    read_back(text(Shot(), Shot(name="hill"), Shot()), ".xml", tmp_path)
    written = (tmp_path / "film.xml").read_text(encoding="utf-8")
    numbers = re.findall(r'<clipitem frameBlend="FALSE" id="clipitem-(\d+)">', written)
    assert len(set(numbers)) == 6 and not re.search(r"<clipitem[^>]*/>", written)
    assert len(re.findall(r"<pathurl>", written)) == 2, "a file is told once"


def test_an_xml_has_the_films_size_and_its_sounds_with_their_levels(tmp_path: Path) -> None:
    read = read_back(heard(), ".xml", tmp_path)
    assert [(t.kind, len(t.find_clips())) for t in read.tracks] == [
        ("Video", 1),
        ("Audio", 1),
        ("Audio", 2),
        ("Audio", 1),
    ]
    assert cut(track(read, 2)) == [("theme", 0, 72), ("theme", 0, 48)]
    assert cut(track(read, 3))[:2] == [("", 0, 24), ("line", 0, 24)]
    written = (tmp_path / "film.xml").read_text(encoding="utf-8")
    assert "<width>1280</width>" in written and "<value>0.39811</value>" in written  # -8 dB
    assert written.count("<enabled>FALSE</enabled>") == 1, "clips that are not heard are off"


def test_fades_and_wipes_are_those_of_an_xml(tmp_path: Path) -> None:
    shots = (
        Shot(join=Join.FADE, over=0.5),
        Shot(name="hill", join=Join.FADE, over=1),
        Shot(name="wood", join=Join.WIPE, over=0.5),
    )
    read = read_back(text(*shots), ".xml", tmp_path)
    assert cut(track(read)) == [
        ("Cross Dissolve", 0, 6),
        ("sea", 0, 48),
        ("Cross Dissolve", 12, 0),
        ("Cross Dissolve", 0, 12),
        ("hill", 0, 42),
        ("Edge Wipe", 6, 6),
        ("wood", 6, 42),
    ]


# ---------------------------------------------------------------- .edl


def edl(folder: Path, *shots: Shot, fps: Fraction = FPS) -> tuple[Any, str]:
    return exported(text(*shots, fps=fps), folder / "film.edl"), (folder / "film.edl").read_text(encoding="utf-8")


def test_every_file_of_an_edl_has_a_reel_of_its_own(tmp_path: Path) -> None:
    names = [f"{LONG}1", f"{LONG}2", "a wave, at sea", "波", "bl", "ax", f"{LONG}1"]
    assert _reel("bl", set()) == "BL_1" and _reel("ax", {"AX_1"}) == "AX_2" and _reel("波", set()) == "CLIP_1"
    read, written = edl(tmp_path, *(Shot(name=name) for name in names))
    reels = re.findall(r"^\d{3}  (.{8}) V", written, re.MULTILINE)
    assert all(re.fullmatch(r"[A-Z0-9_]{1,8} *", reel) for reel in reels)
    assert len(set(reels)) == 6 and reels[0] == reels[-1]
    assert not {"BL", "AX"} & {reel.strip() for reel in reels}
    assert [clip.name for clip in read.find_clips()] == [f"{name}.1.mp4" for name in names]


def test_an_edl_links_each_clip_to_its_own_file_and_tells_how_it_was_made_once(tmp_path: Path) -> None:
    read, written = edl(
        tmp_path,
        *(Shot(name=name, over=0.5 * (name != "sea"), chosen=2, takes=2) for name in ("sea", f"{LONG}1", f"{LONG}2")),
    )
    for clip, name in zip(read.find_clips(), ("sea", f"{LONG}1", f"{LONG}2"), strict=True):
        assert clip.media_reference.target_url == f"clips/{name}.2.mp4"
        (marker,) = clip.markers
        assert marker.name == f"SEED 9: THE {name.upper()} AT DAWN"
        remarks = list(clip.metadata["cmx_3600"]["comments"])
        assert f"SHOTRUNNER TAKE: {name}.2" in remarks and "SHOTRUNNER SEED: 9" in remarks
        assert sum(remark.startswith("SHOTRUNNER KEY: ") for remark in remarks) == 1
    assert "FROM CLIP:" not in written


def test_black_and_fades_of_an_edl_are_events_of_black(tmp_path: Path) -> None:
    shots = (Shot(), Shot(name="hill", join=Join.FADE, over=1), Shot(name="black", black=True, seconds=1))
    read, written = edl(tmp_path, *shots)
    lines = [re.sub(r" +", " ", line) for line in written.splitlines() if re.match(r"\d", line)]
    assert lines == [
        "001 SEA1 V C 00:00:00:00 00:00:01:12 00:00:00:00 00:00:01:12",
        "002 SEA1 V C 00:00:01:12 00:00:01:12 00:00:01:12 00:00:01:12",
        "002 BL V D 012 00:00:00:00 00:00:00:12 00:00:01:12 00:00:02:00",
        "003 BL V C 00:00:00:12 00:00:00:12 00:00:02:00 00:00:02:00",
        "003 HILL1 V D 012 00:00:00:00 00:00:02:00 00:00:02:00 00:00:04:00",
        "004 BL V C 00:00:00:00 00:00:01:00 00:00:04:00 00:00:05:00",
    ]
    assert read.duration().value == 120


def test_an_edl_says_how_its_frames_are_counted(tmp_path: Path) -> None:
    assert "\nFCM: NON-DROP FRAME\n" in edl(tmp_path, Shot())[1]
    assert "\nFCM: DROP FRAME\n" in edl(tmp_path, Shot(), fps=Fraction(30000, 1001))[1]


def test_words_of_a_prompt_never_break_a_line_of_an_edl(tmp_path: Path) -> None:
    written = json.loads(text(Shot()))
    marker = written["tracks"]["children"][0]["children"][0]["markers"][0]
    written["name"] = marker["name"] = "one\n002  AX V C\r\x07\u2028 two"
    exported(json.dumps(written), tmp_path / "film.edl")
    lines = (tmp_path / "film.edl").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "TITLE: one 002 AX V C two" and sum(line.startswith("0") for line in lines) == 1


# ---------------------------------------------------------------- what has no place


def heard() -> str:
    """A film whose clips are not heard, under music and a voice."""
    loud = music(loop=True, level_db=Decimal(-8), fade_in_s=Decimal(1))
    sound = Sound(clips_db=None, music=loud, voice=(voice("line", "1"),), duck=Duck(by_db=Decimal(-6)))
    return sounding(sound, theme=3, line=1)


def test_what_a_format_has_no_place_for_is_told() -> None:
    sea = Shot(takes=3, join=Join.FADE, over=0.5)
    film = text(sea, Shot(name="hill", join=Join.WIPE, over=0.5, takes=2), sea)
    assert left_out(film, ".otioz") == ()
    assert left_out(film, ".xml") == ("3 other takes",)
    assert left_out(film, ".edl") == (
        "3 other takes",
        "sound",
        "wipes (written as dissolves)",
        "the fade at the beginning",
    )
    assert left_out(heard(), ".xml") == ("the loudness of the mix", "the music's ducking", "the music's fades")
    assert left_out(text(Shot(silent=True)), ".edl") == ()


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_the_library_lacks_is_named(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing(suffix) == "" == missing(".otio")
    adapter = {".otioz": "opentimelineio", ".xml": "otio_fcp_adapter", ".edl": "otio_cmx3600_adapter"}[suffix]
    monkeypatch.setitem(sys.modules, adapter, None)
    assert missing(suffix).endswith("is not installed") and missing(".otio") == ""


def test_an_xml_depends_on_where_it_lies_and_the_others_do_not(tmp_path: Path) -> None:
    for suffix, alike in ((".otioz", True), (".xml", False), (".edl", True)):
        here, there = (Export(target=tmp_path / place / f"film{suffix}", text=text(Shot())) for place in "ab")
        assert (here.fingerprint == there.fingerprint) is alike
        assert here.fingerprint != Export(target=here.target, text=text(Shot(name="hill"))).fingerprint
