"""The probe says what a file is, or in one plain sentence why nobody can use it."""

import asyncio
import hashlib
import os
import random
import re
import signal
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import media as made
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from runner.adapters import media, streams
from runner.adapters.inspection import look, look_at_clip
from runner.adapters.media import Probe, Unreadable
from runner.adapters.signature import LfsPointer
from runner.core.media import ClipFacts, Kind, MediaFacts


@pytest.fixture(scope="module")
def probe() -> Iterator[Probe]:
    with Probe() as child:
        yield child


def refusal(path: Path, eye: Callable[[Path], object] = look) -> str:
    with pytest.raises(Unreadable) as caught:
        eye(path)
    reason = caught.value.reason
    assert "Error" not in reason and "\n" not in reason and reason[0].islower()
    return reason


# --- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["jpeg", "png", "bmp", "webp", "gif"])
def test_a_picture_is_known_by_its_bytes_not_by_its_name(tmp_path: Path, form: str) -> None:
    path = made.picture(tmp_path / "reference.mp4", (64, 48), form=form)
    facts = look(path)
    assert (facts.kind, facts.format, facts.width_px, facts.height_px) == (Kind.IMAGE, form, 64, 48)
    assert (facts.transparent, facts.animated, facts.seconds) == (False, False, None)
    assert (facts.sha256, facts.size_bytes) == (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


@pytest.mark.parametrize(("orientation", "size"), [(1, (64, 48)), (3, (64, 48)), (6, (48, 64)), (8, (48, 64))])
def test_a_picture_is_measured_as_it_is_shown(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    facts = look(made.picture(tmp_path / "a.jpg", (64, 48), exif=exif))
    assert (facts.width_px, facts.height_px) == size


def test_an_opaque_alpha_channel_is_no_transparency(tmp_path: Path) -> None:
    assert not look(made.picture(tmp_path / "a.png", mode="RGBA")).transparent
    assert not look(made.picture(tmp_path / "a.webp", mode="RGBA", lossless=True)).transparent


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_one_clear_pixel_is_transparency(tmp_path: Path, form: str) -> None:
    image = Image.new("RGBA", (32, 32), (200, 10, 10, 255))
    image.putpixel((31, 31), (200, 10, 10, 0))
    image.save(tmp_path / "a", form, lossless=True)
    assert look(tmp_path / "a").transparent


def test_a_colour_declared_clear_counts_only_where_it_occurs(tmp_path: Path) -> None:
    Image.new("I;16", (4, 4), 500).save(tmp_path / "grey.png", transparency=500)
    Image.new("I;16", (4, 4), 500).save(tmp_path / "none.png", transparency=7)
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "rgb.png", transparency=(1, 2, 3))
    assert [look(tmp_path / name).transparent for name in ("grey.png", "none.png", "rgb.png")] == [True, False, True]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_moving_pictures_are_animated(tmp_path: Path, form: str) -> None:
    frames = [Image.new("RGB", (16, 16), (i * 60, 0, 0)) for i in range(4)]
    frames[0].save(tmp_path / "a", form, save_all=True, append_images=frames[1:])
    assert look(tmp_path / "a").animated


@pytest.mark.parametrize("form", ["jpeg", "png", "bmp", "webp", "gif"])
def test_a_cut_picture_is_refused(tmp_path: Path, form: str) -> None:
    whole = made.picture(tmp_path / "whole", (200, 150), form=form).read_bytes()
    for kept in (0.999 if form == "png" else 0.9, 0.5, 0.1):
        (tmp_path / "cut").write_bytes(whole[: int(len(whole) * kept)])
        reason = refusal(tmp_path / "cut")
        assert "cut short" in reason or "damaged" in reason


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (8_001, 8_000), (64_000_001, 1)])
def test_a_picture_that_unfolds_beyond_measure_is_refused_before_it_is_decoded(
    tmp_path: Path, width: int, height: int
) -> None:
    path = made.picture(tmp_path / "a.png", (8, 8))
    whole = path.read_bytes()
    header = whole[12:16] + struct.pack(">II", width, height) + whole[24:29]
    path.write_bytes(whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:])
    assert re.search("64,000,000 in all are decoded|unfolds to more pixels", refusal(path))


# --- sound --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["mp3", "wav", "flac", "m4a", "ogg"])
def test_a_sound_is_measured_in_exact_seconds(tmp_path: Path, form: str) -> None:
    facts = look(made.tone(tmp_path / "sound.bin", 2.5, form))
    assert (facts.kind, facts.format, facts.seconds, facts.has_audio) == (Kind.AUDIO, form, Fraction(5, 2), True)
    assert facts.codec == {"wav": "pcm_s16le", "m4a": "aac", "ogg": "opus"}.get(form, form)


def test_an_mp3_behind_a_large_id3_tag_is_an_mp3(tmp_path: Path) -> None:
    sound = made.tone(tmp_path / "plain.mp3", 1, "mp3").read_bytes()
    assert sound.startswith(b"ID3")
    tag = b"ID3\x04\0\0" + bytes([0, 2, 0, 0]) + b"\0" * (2 << 14)
    (tmp_path / "tagged.mp3").write_bytes(tag + sound)
    assert look(tmp_path / "tagged.mp3").format == "mp3"
    (tmp_path / "tag.mp3").write_bytes(tag + b"no sound here")
    assert "ID3" in refusal(tmp_path / "tag.mp3")


@pytest.mark.parametrize("form", ["mp3", "wav", "flac", "m4a", "ogg"])
def test_a_cut_sound_is_refused(tmp_path: Path, form: str) -> None:
    whole = made.tone(tmp_path / "whole", 3, form).read_bytes()
    for kept in (0.9, 0.5):
        (tmp_path / "cut").write_bytes(whole[: int(len(whole) * kept)])
        reason = refusal(tmp_path / "cut")
        assert "cut short" in reason or "damaged" in reason


# --- video --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), [("a.mp4", "mp4"), ("a.mov", "mov")])
def test_a_video_is_measured_exactly(tmp_path: Path, name: str, form: str) -> None:
    facts = look(made.clip(tmp_path / name, 2, size=(128, 72)))
    assert (facts.kind, facts.format, facts.codec) == (Kind.VIDEO, form, "h264")
    assert (facts.width_px, facts.height_px, facts.seconds, facts.fps) == (128, 72, Fraction(2), Fraction(24))
    assert facts.has_audio
    assert not look(made.clip(tmp_path / f"mute-{name}", 1, audio=None)).has_audio


def test_odd_rates_stay_fractions(tmp_path: Path) -> None:
    facts = look(made.clip(tmp_path / "a.mp4", 1, fps=Fraction(24000, 1001)))
    assert (facts.fps, facts.seconds) == (Fraction(24000, 1001), Fraction(24 * 1001, 24000))


def test_webm_is_a_video_of_its_own(tmp_path: Path) -> None:
    facts = look(made.clip(tmp_path / "a.webm", 1, codec="libvpx-vp9", audio="libopus"))
    assert (facts.format, facts.codec, facts.seconds) == ("webm", "vp9", Fraction(1))


def test_an_mp4_without_pictures_is_a_sound(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        sound = file.add_stream("aac", rate=48_000, layout="stereo")
        made._encode(file, sound, made.samples(1, 440), 48_000, "stereo")
    facts = look(tmp_path / "a.mp4")
    assert (facts.kind, facts.format, facts.seconds) == (Kind.AUDIO, "m4a", Fraction(1))


@pytest.mark.parametrize("container", [{}, {"movflags": "+faststart"}, {"movflags": "frag_keyframe+empty_moov"}])
@pytest.mark.parametrize("eye", [look, look_at_clip])
def test_a_video_that_lost_its_end_is_refused_wherever_it_was_cut(
    tmp_path: Path, container: dict[str, str], eye: Callable[[Path], object]
) -> None:
    path = made.clip(tmp_path / "a.mp4", 1, container=container)
    eye(path)
    whole = path.read_bytes()
    for kept in (len(whole) - 1, len(whole) - 9, len(whole) * 9 // 10, len(whole) // 2, len(whole) // 10, 40):
        path.write_bytes(whole[:kept])
        reason = refusal(path, eye)
        assert "cut short" in reason or "damaged" in reason
    for rest in (bytes(9), b"left over", b"end"):
        path.write_bytes(whole + rest)
        refusal(path, eye)


@pytest.mark.parametrize("part", [1.0, 0.5])
@pytest.mark.parametrize("eye", [look, look_at_clip])
def test_an_index_of_more_than_is_there_is_refused(tmp_path: Path, eye: Callable[[Path], object], part: float) -> None:
    path = made.clip(tmp_path / "a.mp4", 1, audio=None, container={"movflags": "+faststart"})
    whole = path.read_bytes()
    last_packet = int.from_bytes(whole[whole.index(b"stco") - 8 : whole.index(b"stco") - 4], "big")
    gone = round(last_packet * part)
    media_box = whole.index(b"mdat") - 4
    length = int.from_bytes(whole[media_box : media_box + 4], "big")
    path.write_bytes(whole[:media_box] + (length - gone).to_bytes(4, "big") + whole[media_box + 4 : -gone])
    refusal(path, eye)  # all boxes add up; the last picture, or half of it, is gone


@pytest.mark.parametrize("eye", [look, look_at_clip])
def test_a_video_damaged_anywhere_is_refused(tmp_path: Path, eye: Callable[[Path], object]) -> None:
    path = made.clip(tmp_path / "a.mp4", 2, size=(320, 180), audio=None)
    whole = path.read_bytes()
    begin = whole.index(b"mdat") + 900  # behind the first picture's head
    step = (whole.index(b"moov") - 100 - begin) // 6
    reasons = set()
    for place in range(begin, begin + 6 * step, step):
        path.write_bytes(whole[:place] + random.Random(place).randbytes(60) + whole[place + 60 :])
        reasons.add(refusal(path, eye).split(" at ")[0])
    assert reasons == {"the file is damaged", "the file begins like MP4, but is damaged or cut short"}


def test_more_streams_than_anyone_needs_are_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        sounds = [file.add_stream("aac", rate=48_000, layout="mono") for _ in range(20)]
        file.start_encoding()
        for sound in sounds:
            made._encode(file, sound, made.samples(0.1, 440), 48_000, "mono")
    assert "20 streams" in refusal(tmp_path / "a.mp4")


def test_a_frame_that_unfolds_beyond_measure_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = made.clip(tmp_path / "a.mp4", 0.5, audio=None)
    whole = path.read_bytes()
    place = whole.index(b"avc1", whole.index(b"stsd")) + 4 + 24  # width and height of the sample entry
    assert struct.unpack(">HH", whole[place : place + 4]) == (128, 72)
    path.write_bytes(whole[:place] + struct.pack(">HH", 65_535, 65_535) + whole[place + 4 :])
    assert "65535 x 65535" in refusal(path)


@pytest.mark.parametrize("eye", [look, look_at_clip], ids=["reference", "clip"])
def test_ffmpeg_gets_an_absolute_path_one_container_and_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eye: Callable[[Path], object]
) -> None:
    """A relative name may be a protocol (`concat:a|b`), a container of its choice may name other files."""
    made.clip(tmp_path / "a.mp4", 0.5)
    monkeypatch.chdir(tmp_path)
    asked, honest = [], av.open

    def opened(file: str, **given: Any) -> Any:
        asked.append((file, given["format"], given["options"]["protocol_whitelist"], given["options"]["enable_drefs"]))
        return honest(file, **given)

    monkeypatch.setattr(streams.av, "open", opened)
    eye(Path("a.mp4"))
    assert asked == [(str(tmp_path / "a.mp4"), "mov", "file", "0")]


def test_a_finished_clip_is_counted(tmp_path: Path) -> None:
    path = made.clip(tmp_path / "a.mp4", 5, size=(128, 72))
    assert look_at_clip(path) == ClipFacts(
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size_bytes=path.stat().st_size,
        width_px=128,
        height_px=72,
        duration_s=Fraction(5),
        fps=Fraction(24),
        frames=120,
        codec="h264",
        audio_codec="aac",
    )


def test_a_clip_without_pictures_is_none(tmp_path: Path) -> None:
    assert "no pictures" in refusal(made.tone(tmp_path / "a.m4a", 1, "m4a"), look_at_clip)
    assert "not an MP4" in refusal(made.tone(tmp_path / "a.mp3", 1, "mp3"), look_at_clip)
    assert "not an MP4" in refusal(made.picture(tmp_path / "a.png"), look_at_clip)


# --- what is no medium --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"ffconcat version 1.0\nfile 'secret.mp4'\n", "list of other files"),
        (b"# a note\nffconcat version 1.0\nfile 'secret.mp4'\n", "a text"),
        (b"file 'secret.mp4'\n", "a text"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n", "play list"),
        (b"concat:secret.mp4|secret.mp4", "a text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"BM is how this text begins, and it goes on.", "a text"),
        (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", "AVIF"),
        (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska", "Matroska"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", "no picture, video or sound"),
    ],
)
def test_what_is_no_medium_is_said_by_name(tmp_path: Path, content: bytes, word: str) -> None:
    made.clip(tmp_path / "secret.mp4", 0.2, audio=None)
    path = tmp_path / "reference.mp4"
    path.write_bytes(content)
    assert word in refusal(path)
    assert word in refusal(path, media.probe)


def test_no_demuxer_but_the_named_one_ever_sees_a_file(tmp_path: Path) -> None:
    made.clip(tmp_path / "secret.mp4", 0.2, audio=None)
    listing = tmp_path / "reference.mp4"
    listing.write_text("ffconcat version 1.0\nfile 'secret.mp4'\n")
    with av.open(str(listing)) as opened:  # the attack works where FFmpeg is left to guess
        assert opened.streams.video
    for form in streams.DEMUXERS:
        try:
            with streams.open_headers(listing, form) as opened:
                assert not opened.streams.video
        except av.error.FFmpegError:
            continue


def test_a_git_lfs_pointer_names_the_command_and_keeps_the_digest(tmp_path: Path) -> None:
    oid = "ab" * 32
    (tmp_path / "a.png").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n")
    with pytest.raises(LfsPointer, match="git lfs pull") as caught:
        media.probe(tmp_path / "a.png")
    assert (caught.value.sha256, caught.value.size_bytes) == (oid, 12345)


def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "regular file" in refusal(tmp_path / "pipe.mp4")
    assert "regular file" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "absent.mp4")


# --- the child process --------------------------------------------------------------------------------------------


def test_the_child_finds_what_is_found_here(probe: Probe, tmp_path: Path) -> None:
    for path in (
        made.clip(tmp_path / "a.mp4", 1),
        made.picture(tmp_path / "a.png", mode="RGBA"),
        made.tone(tmp_path / "a.mp3"),
    ):
        assert probe.facts(path) == look(path)
    assert probe.clip(tmp_path / "a.mp4") == look_at_clip(tmp_path / "a.mp4")


def test_odd_names_reach_the_child(probe: Probe, tmp_path: Path) -> None:
    for name in ("a:b.png", "line\nbreak.png", "%03d.png", "concat:x|y.png", "ñ 漢.png", os.fsdecode(b"\xff.png")):
        assert probe.facts(made.picture(tmp_path / name, form="PNG")).format == "png"
        assert probe.facts(made.clip(tmp_path / "a.mp4", 0.2).rename(tmp_path / f"{name}.mp4")).format == "mp4"


def test_a_file_that_kills_or_stalls_its_decoder_costs_only_itself(tmp_path: Path) -> None:
    path = made.picture(tmp_path / "a.png")
    with Probe(wall_s=1.0) as child:
        assert child.facts(path).format == "png"
        assert child._worker
        first = child._worker._process.pid
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(Unreadable, match="not decoded after 1 seconds"):
            child.facts(path)
        assert child.facts(path).format == "png"
        assert child._worker
        second = child._worker._process
        os.kill(second.pid, signal.SIGKILL)
        second.wait()
        assert child.facts(path).format == "png"
        assert len({first, second.pid, child._worker._process.pid}) == 3


def test_closing_does_not_wait_for_a_file(tmp_path: Path) -> None:
    path = made.picture(tmp_path / "a.png")
    child = Probe()
    child.facts(path)
    assert child._worker
    os.kill(child._worker._process.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(child.facts, path)
        time.sleep(0.05)
        begun = time.perf_counter()
        child.close()
        assert time.perf_counter() - begun < 5
        assert isinstance(waiting.exception(), Unreadable)


def test_memory_is_limited(tmp_path: Path) -> None:
    small, large = made.picture(tmp_path / "small.png"), tmp_path / "large.png"
    Image.new("RGB", (7900, 7900)).save(large, compress_level=1)
    with Probe() as child:
        assert child.facts(large).width_px == 7900
        assert child._worker
        pages = int(Path(f"/proc/{child._worker._process.pid}/statm").read_text().split()[0])
    with Probe(memory_bytes=pages * os.sysconf("SC_PAGE_SIZE") + 50 * 2**20) as child:
        assert child.facts(small).format == "png"
        with pytest.raises(Unreadable, match="memory"):
            child.facts(large)
        assert child.facts(small).format == "png"


def test_processor_time_is_limited(tmp_path: Path) -> None:
    Image.new("P", (1000, 1000)).save(tmp_path / "one.gif")
    whole = (tmp_path / "one.gif").read_bytes()
    begin = whole.index(b"\x2c\0\0\0\0\xe8\x03")
    (tmp_path / "long.gif").write_bytes(whole[:begin] + whole[begin:-1] * 3000 + whole[-1:])
    with Probe(processor_s=0) as child, pytest.raises(Unreadable, match="limits"):
        child.facts(tmp_path / "long.gif")


def test_the_child_holds_no_key_and_imports_nothing_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("av.py", "json.py", "runner.py"):
        (tmp_path / name).write_text("open('ran', 'w').write('x')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOLINK_API_KEY", "sk-secret")
    with Probe() as child:
        assert child.facts(made.picture(Path("a.png"))).format == "png"
        assert child._worker
        assert os.getsid(child._worker._process.pid) != os.getsid(0)  # a Ctrl-C at the terminal does not reach it
        assert b"sk-secret" not in Path(f"/proc/{child._worker._process.pid}/environ").read_bytes()
    assert not (tmp_path / "ran").exists()


def test_no_child_is_started_for_nothing(tmp_path: Path) -> None:
    with Probe() as child:
        with pytest.raises(Unreadable):
            child.facts(tmp_path / "absent")
        assert child._worker is None


async def test_many_callers_share_one_child(probe: Probe, tmp_path: Path) -> None:
    paths = [made.picture(tmp_path / f"{n}.png", (n + 1, 5)) for n in range(12)]
    found = await asyncio.gather(*(asyncio.to_thread(probe.facts, path) for path in paths))
    assert [facts.width_px for facts in found] == list(range(1, 13))


def test_facts_survive_json(tmp_path: Path) -> None:
    facts, clip = look(made.clip(tmp_path / "a.mp4", 1)), look_at_clip(tmp_path / "a.mp4")
    assert media.facts_from_json(media.facts_to_json(facts)) == facts
    assert media.clip_from_json(media.facts_to_json(clip)) == clip
    assert media.facts_to_json(facts)["seconds"] == "1" and media.facts_to_json(facts)["kind"] == "video"


def test_digest_is_the_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert media.digest(tmp_path / "a") == (hashlib.sha256(b"x" * 3_000_000).hexdigest(), 3_000_000)


# --- any bytes ----------------------------------------------------------------------------------------------------

SEEDS: dict[str, Callable[[Path], Path]] = {
    "mp4": lambda p: made.clip(p.with_suffix(".mp4"), 0.2, size=(32, 32)),
    "webm": lambda p: made.clip(p.with_suffix(".webm"), 0.2, size=(32, 32), codec="libvpx-vp9", audio="libopus"),
    "mp3": lambda p: made.tone(p, 0.2, "mp3"),
    "wav": lambda p: made.tone(p, 0.05, "wav"),
    "flac": lambda p: made.tone(p, 0.1, "flac"),
    "ogg": lambda p: made.tone(p, 0.1, "ogg"),
    "png": lambda p: made.picture(p, (9, 7), "RGBA", form="PNG"),
    "jpeg": lambda p: made.picture(p, (9, 7), form="JPEG"),
    "gif": lambda p: made.picture(p, (9, 7), form="GIF"),
    "webp": lambda p: made.picture(p, (9, 7), form="WEBP"),
    "bmp": lambda p: made.picture(p, (9, 7), form="BMP"),
}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    return {form: make(folder / form).read_bytes() for form, make in SEEDS.items()}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", SEEDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_any_bytes_give_facts_or_a_reason(
    form: str, seeds: dict[str, bytes], tmp_path: Path, draw: st.DataObject
) -> None:
    content = bytearray(seeds[form])
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, len(content) - 1))
        match draw.draw(st.sampled_from(("set", "cut out", "repeat", "long"))):
            case "set":
                content[place] = draw.draw(st.integers(0, 255))
            case "cut out" if len(content) > 40:
                del content[place : place + draw.draw(st.integers(1, 20))]
            case "repeat":
                content[place:place] = content[place : place + 16]
            case _:
                content[place : place + 4] = draw.draw(st.sampled_from((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff")))
    path = tmp_path / "any"
    path.write_bytes(content)
    for eye, kind in ((look, MediaFacts), (look_at_clip, ClipFacts)):
        try:
            assert isinstance(eye(path), kind)
        except Unreadable as error:
            assert error.reason
