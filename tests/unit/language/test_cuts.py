"""What `cuts` may say, and what the films of a storyboard carry of it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from boards import codes, load

from runner.core.diagnostics import CODES
from runner.language.cut import Cut, Duck, Sound, Under, Video
from runner.language.take import Join, Side, Transition

HEAD = """\
storyboard: 1
references: {theme: media/theme.mp3, logo: media/logo.mp4, face: face.png, far: "https://example.com/far.mp3"}
defaults: {model: m}
shots:
  - {id: a, prompt: x, matrix: {time: [dawn, dusk]}}
  - {id: b, prompt: x}
  - {id: 7, prompt: x}
cuts:
"""


def cuts(text: str) -> tuple[Cut, ...]:
    board = load(HEAD + text)
    assert board.diagnostics == ()
    return board.cuts


def sound(text: str) -> Sound:
    (cut,) = cuts(f"  one: {{sound: {text}}}\n")
    assert cut.sound is not None
    return cut.sound


def test_a_cut_that_says_nothing_is_all_shots_as_they_are() -> None:
    (cut,) = cuts("  film: {}\n")
    assert (cut.name, cut.order, cut.axes, cut.video, cut.sound) == ("film", None, (), Video(), None)
    assert load(HEAD.removesuffix("cuts:\n")).cuts == ()


def test_an_order_holds_shots_variants_files_and_black() -> None:
    (cut,) = cuts(
        """\
  film:
    order:
      - a
      - a@dusk
      - 7
      - media/end.mp4
      - {shot: b, in: 0.5, out: 2, join: {wipe: 1, from: top}}
      - {shot: b, out: 1.25}
      - {file: logo, in: 1}
      - {black: 0.5, join: {fade: 2}}
"""
    )
    assert cut.order is not None
    assert [(entry.shot, entry.file.path if entry.file else None, entry.black_s) for entry in cut.order] == [
        ("a", None, None),
        ("a@dusk", None, None),
        ("7", None, None),
        (None, "media/end.mp4", None),
        ("b", None, None),
        ("b", None, None),
        (None, "media/logo.mp4", None),
        (None, None, Decimal("0.5")),
    ]
    part, again, logo, black = cut.order[4:]
    assert (part.in_s, part.out_s) == (Decimal("0.5"), Decimal(2))
    assert part.join == Transition(join=Join.WIPE, seconds=Decimal(1), side=Side.TOP)
    assert (again.in_s, again.out_s, logo.in_s) == (None, Decimal("1.25"), Decimal(1))
    assert black.join == Transition(join=Join.FADE, seconds=Decimal(2))
    assert (part.span.line, part.span.column) == (15, 16)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{size: 1280x720}", Video(size=(1280, 720))),
        ("{size: 1080 X 1920, fps: 25.0}", Video(size=(1080, 1920), fps=Fraction(25))),
        ("{fps: 29.97, length: 30}", Video(fps=Fraction(30000, 1001), length_s=Decimal(30))),
    ],
)
def test_a_picture_has_size_rate_and_length(written: str, meant: Video) -> None:
    assert cuts(f"  one: {{video: {written}}}\n")[0].video == meant


def test_sound_is_mixed_and_brought_to_16_lufs_unless_it_says_otherwise() -> None:
    assert sound("{}") == Sound()
    assert (Sound().clips_db, Sound().loudness_lufs) == (0, -16)
    found = sound("{clips: off, loudness: off}")
    assert (found.clips_db, found.loudness_lufs) == (None, None)
    assert (sound("{clips: -6.5}").clips_db, sound("{loudness: -23}").loudness_lufs) == (Decimal("-6.5"), -23)


def test_music_and_voices_have_their_place_and_level() -> None:
    found = sound("{music: theme}")
    assert found.music is not None
    assert (found.music.file.path, found.music.level_db, found.music.loop) == ("media/theme.mp3", 0, False)
    found = sound(
        "{music: {file: theme, in: 3, out: 9, level: -12, fade: {in: 1, out: 2.5}, loop: true},"
        " voice: [{file: a/line.wav, at: a@dusk, after: 0.5}, {file: theme, level: 3, at: 12.5}]}"
    )
    music, (one, two) = found.music, found.voice
    assert music is not None
    assert (music.in_s, music.out_s, music.level_db, music.fade_in_s, music.fade_out_s, music.loop) == (
        3, 9, -12, 1, Decimal("2.5"), True,
    )  # fmt: skip
    assert (one.file.path, one.shot, one.after_s) == ("a/line.wav", "a@dusk", Decimal("0.5"))
    assert (two.shot, two.after_s, two.level_db) == (None, Decimal("12.5"), 3)
    assert [use.path for use in cuts("  x: {order: [logo.mp4], sound: {music: theme}}\n")[0].files()] == [
        "logo.mp4",
        "media/theme.mp3",
    ]


def test_music_is_lowered_under_voices_unless_it_says_otherwise() -> None:
    with_voice = "music: theme, voice: [{file: theme, at: 0}]"
    assert sound(f"{{{with_voice}, duck: {{by: 9}}}}").duck == Duck(by_db=Decimal(9))
    found = sound(f"{{{with_voice}, duck: {{by: 9, attack: 0, release: 2, under: [clips, voice, clips]}}}}").duck
    assert found == Duck(by_db=Decimal(9), attack_s=Decimal(0), release_s=Decimal(2), under=(Under.CLIPS, Under.VOICE))
    assert sound("{music: theme, duck: {by: 6, under: clips}}").duck is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{}", "no-value"),
        ("[a]", "bad-type"),
        ("{a b: {}}", "bad-id"),
        ("{one: {}, One: {}}", "duplicate-id"),
        ("{one: [a]}", "bad-type"),
        ("{one: {orders: [a]}}", "unknown-key"),
        ("{one: {order: []}}", "no-value"),
        ("{one: {order: a}}", "bad-type"),
        ("{one: {order: [a, {}]}}", "missing-key"),
        ("{one: {order: [{shot: a, file: logo}]}}", "one-of"),
        ("{one: {order: [{shot: a, at: 3}]}}", "unknown-key"),
        ("{one: {order: [{shot: a, in: 3, out: 2}]}}", "bad-value"),
        ("{one: {order: [{shot: a, in: soon}]}}", "bad-type"),
        ("{one: {order: [{shot: a, join: {}}]}}", "missing-key"),
        ("{one: {order: [{shot: a, join: {dissolve: -1}}]}}", "bad-value"),
        ("{one: {order: [{black: 0}]}}", "bad-value"),
        ("{one: {order: [{black: 1, out: 1}]}}", "misplaced-key"),
        ("{one: {order: [{file: face}]}}", "wrong-kind"),
        ("{one: {order: [{file: nobody}]}}", "unknown-reference"),
        ("{one: {order: [../up.mp4]}}", "bad-path"),
        ("{one: {order: [https://example.com/a.mp4]}}", "bad-url"),
        ("{one: {order: ['{{ a }}']}}", "misplaced-template"),
        ("{one: {order: [{file: '{{ a }}'}]}}", "misplaced-template"),
        ("{one: {order: [nobody]}}", "unknown-shot"),
        ("{one: {order: [a.1]}}", "unknown-shot"),
        ("{one: {order: [a@dawn.2]}}", "unknown-shot"),
        ("{one: {order: [a@noon]}}", "unknown-shot"),
        ("{one: {order: [logo]}}", "unknown-shot"),
        ("{one: {for: []}}", "no-value"),
        ("{one: {for: [time, time]}}", "one-of"),
        ("{one: {for: 3}}", "bad-type"),
        ("{one: {video: {size: 720p}}}", "bad-value"),
        ("{one: {video: {size: 1281x720}}}", "bad-value"),
        ("{one: {video: {size: 8x8}}}", "bad-value"),
        ("{one: {video: {size: [1280, 720]}}}", "bad-type"),
        ("{one: {video: {fps: 26}}}", "bad-value"),
        ("{one: {video: {fps: 24p}}}", "bad-type"),
        ("{one: {video: {length: 0}}}", "bad-value"),
        ("{one: {video: {length: 100000}}}", "bad-value"),
        ("{one: {sound: {clips: no}}}", "bad-type"),
        ("{one: {sound: {clips: -61}}}", "bad-value"),
        ("{one: {sound: {clips: null}}}", "no-value"),
        ("{one: {sound: {loudness: -5}}}", "bad-value"),
        ("{one: {sound: {music: far}}}", "bad-url"),
        ("{one: {sound: {music: logo}}}", "wrong-kind"),
        ("{one: {sound: {music: {level: 3}}}}", "missing-key"),
        ("{one: {sound: {music: {file: theme, loop: yes}}}}", "bad-type"),
        ("{one: {sound: {music: {file: theme, fade: {in: -1}}}}}", "bad-value"),
        ("{one: {sound: {voice: {file: theme, at: 3}}}}", "bad-type"),
        ("{one: {sound: {voice: [{file: theme}]}}}", "missing-key"),
        ("{one: {sound: {voice: [{file: theme, at: 3, after: 1}]}}}", "misplaced-key"),
        ("{one: {sound: {voice: [{file: theme, at: -3}]}}}", "bad-value"),
        ("{one: {sound: {voice: [{file: theme, at: nobody}]}}}", "unknown-shot"),
        ("{one: {order: [b], sound: {voice: [{file: theme, at: a}]}}}", "unknown-shot"),
        ("{one: {sound: {music: theme, duck: {}}}}", "missing-key"),
        ("{one: {sound: {music: theme, duck: {by: 90, under: clips}}}}", "bad-value"),
        ("{one: {sound: {music: theme, duck: {by: 9, under: all}}}}", "bad-value"),
        ("{one: {sound: {music: theme, duck: {by: 9}}}}", "misplaced-key"),
        ("{one: {sound: {clips: off, music: theme, duck: {by: 9, under: clips}}}}", "misplaced-key"),
    ],
)
def test_a_faulty_cut_is_reported_once(text: str, code: str) -> None:
    board = load(HEAD.removesuffix("cuts:\n") + f"cuts: {text}\n")
    assert codes(board) == [code]
    assert code in CODES
    (fault,) = board.diagnostics
    assert fault.span is not None
    assert len(board.takes) == 4


def test_a_voice_may_begin_with_a_variant_of_what_the_order_names_and_the_other_way_round() -> None:
    for order, at in (("a", "a@dusk"), ("a@dusk", "a"), ("a@dusk", "a@dusk")):
        cuts(f"  one: {{order: [{order}], sound: {{voice: [{{file: theme, at: {at}}}]}}}}\n")


def test_a_shot_with_a_fault_of_its_own_is_not_reported_as_unknown() -> None:
    text = HEAD.replace("id: b, prompt: x", "id: b, prompt: 3") + "  one: {order: [b, b@any]}\n"
    assert codes(load(text)) == ["bad-type"]
