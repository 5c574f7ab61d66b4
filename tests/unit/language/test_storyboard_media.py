"""References and the media words: what they point at, of which kind, and what they may never point at."""

import pytest
from boards import HEAD, codes, load, places, shot

from runner.core.media import Kind
from runner.language.take import Layer

SHA = "ab" * 32
REFERENCES = f"""\
{HEAD}references:
  keeper: media/keeper.png
  gait: media/gait.mp4
  storm: media/storm.mp3
  remote: {{image: https://example.org/k, sha256: {SHA.upper()}, note: drawn by hand}}
"""


def test_a_name_a_url_and_a_path_are_told_apart() -> None:
    (take,) = load(
        shot("image: keeper\nvideos: [gait, 'https://example.org/v.mp4', clips/walk.mov]\naudio: a.wav", REFERENCES)
    ).takes
    assert [(u.kind, u.path, u.url, u.name) for u in take.media["image"].uses] == [
        (Kind.IMAGE, "media/keeper.png", None, "keeper")
    ]
    assert [(u.kind, u.path, u.url, u.name) for u in take.media["videos"].uses] == [
        (Kind.VIDEO, "media/gait.mp4", None, "gait"),
        (Kind.VIDEO, None, "https://example.org/v.mp4", None),
        (Kind.VIDEO, "clips/walk.mov", None, None),
    ]
    assert [(u.kind, u.path) for u in take.media["audio"].uses] == [(Kind.AUDIO, "a.wav")]


def test_a_use_points_where_its_file_is_written_and_a_setting_where_it_is_used() -> None:
    (take,) = load(shot("image: keeper", REFERENCES)).takes
    setting = take.media["image"]
    assert (setting.layer, setting.span.line, setting.uses[0].span.line) == (Layer.SHOT, 11, 4)


def test_a_reference_by_url_carries_its_digest_and_kind() -> None:
    (take,) = load(shot("image: remote", REFERENCES)).takes
    (use,) = take.media["image"].uses
    assert (use.kind, use.url, use.path, use.sha256) == (Kind.IMAGE, "https://example.org/k", None, SHA)


def test_paths_resolve_against_the_file_they_stand_in() -> None:
    files = {"series/cast.yaml": "references: {keeper: art/keeper.png}\n"}
    head = f"{HEAD}include: [../cast.yaml]\n"
    board = load(shot("image: keeper\naudio: ../../sound/a.mp3", head), files, path="series/one/film.yaml")
    assert board.diagnostics == ()
    (take,) = board.takes
    assert take.media["image"].uses[0].path == "series/art/keeper.png"
    assert take.media["audio"].uses[0].path == "sound/a.mp3"


@pytest.mark.parametrize(
    "path",
    [
        "../keeper.png", "/etc/keeper.png", "a/../../keeper.png", ".git/keeper.png", ".GIT/keeper.png", "a/.shotrunner/x.png", ".env.png",
        ".env/keeper.png", "C:/keeper.png", "c:keeper.png", "media\\\\keeper.png", "a\\nb.png", "a\\0.png",
    ],
)  # fmt: skip
def test_a_path_out_of_the_project_or_to_its_secrets_is_refused(path: str) -> None:
    assert codes(load(shot(f'image: "{path}"'))) == ["bad-path"]
    assert codes(load(shot(head=f'{HEAD}references: {{k: "{path}"}}\n'))) == ["bad-path"]


def test_a_path_may_go_up_within_the_project() -> None:
    (take,) = load(shot("image: ../../k.png"), path="a/b/film.yaml").takes
    assert take.media["image"].uses[0].path == "k.png"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a.png",
        "file:///etc/a.png",
        "https:///a.png",
        "https://[::1/a.png",
        "https://a b/c.png",
        "javascript://x.png",
    ],
)
def test_only_http_and_https_are_urls(url: str) -> None:
    assert codes(load(shot(f"image: '{url}'"))) == ["bad-url"]


@pytest.mark.parametrize(
    "query", ["X-Amz-Signature=1", "x-amz-date=1", "Expires=99", "a=b&Signature=zz", "X-Goog-Signature=1"]
)
def test_a_signed_url_is_refused_unless_pinned(query: str) -> None:
    url = f"https://example.org/k.png?{query}"
    assert codes(load(shot(f"image: '{url}'"))) == ["signed-url"]
    assert codes(load(shot(head=f"{HEAD}references: {{k: '{url}'}}\n"))) == ["signed-url"]
    assert codes(load(shot("image: k", f"{HEAD}references: {{k: {{image: '{url}', sha256: {SHA}}}}}\n"))) == []


def test_a_word_takes_its_own_kind_and_both_places_are_shown() -> None:
    board = load(shot("image: gait", REFERENCES))
    assert places(board) == [("wrong-kind", 11, 12)]
    assert board.diagnostics[0].others[0].span.line == 5
    assert codes(load(shot("videos: [gait, keeper]", REFERENCES))) == ["wrong-kind"]
    assert codes(load(shot("audio: gait", REFERENCES))) == ["wrong-kind"]


def test_an_unknown_name_is_led_back_to_a_reference() -> None:
    (fault,) = load(shot("image: keepr", REFERENCES)).diagnostics
    assert (fault.code, "did you mean `keeper`?" in fault.help) == ("unknown-reference", True)


def test_a_reference_may_have_the_name_of_a_file() -> None:
    (take,) = load(shot("image: a-b", f"{HEAD}references: {{a-b: x/y.png}}\n")).takes
    assert take.media["image"].uses[0].path == "x/y.png"


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("x.tiff", "unknown-kind"),
        ("https://example.org/k", "unknown-kind"),
        ("{}", "missing-key"),
        ("{note: x}", "missing-key"),
        (f"{{image: a.png, video: b.mp4, sha256: {'1' * 64}}}", "one-of"),
        (f"{{words: x, sha256: {'1' * 64}}}", "misplaced-key"),
        ("{words: 7}", "bad-type"),
        ("{words: ''}", "no-value"),
        ("{image: a.png, sha: x}", "unknown-key"),
        ("{image: a.png, sha256: abc}", "bad-value"),
        (f"{{image: a.png, sha256: {'g' * 64}}}", "bad-value"),
        ("{image: a.png, sha256: 7}", "bad-type"),
        ("{image: a.png, note: 7}", "bad-type"),
        ("{image: null}", "no-value"),
        ("{image: '{{ x }}.png'}", "misplaced-template"),
        ("'{{ x }}.png'", "misplaced-template"),
        ("7", "bad-type"),
        ("", "no-value"),
    ],
)
def test_a_faulty_reference_is_reported_once_and_not_at_its_uses(reference: str, code: str) -> None:
    board = load(shot("image: k", f"{HEAD}references: {{k: {reference}}}\n"))
    assert codes(board) == [code]
    assert board.takes == ()


def test_a_digest_of_digits_alone_is_a_digest() -> None:
    (take,) = load(shot("image: k", f"{HEAD}references: {{k: {{image: a.png, sha256: {'1' * 64}}}}}\n")).takes
    assert take.media["image"].uses[0].sha256 == "1" * 64


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("videos: gait", "bad-type"),
        ("videos: []", "no-value"),
        ("videos: [7]", "bad-type"),
        ("image: [keeper]", "bad-type"),
        ("image: 7", "bad-type"),
        ("audio: ' '", "no-value"),
    ],
)
def test_a_media_word_of_another_shape_is_refused(words: str, code: str) -> None:
    assert codes(load(shot(words, REFERENCES))) == [code]


def test_a_list_that_is_missing_is_shown_as_it_should_be() -> None:
    (fault,) = load(shot("videos: gait", REFERENCES)).diagnostics
    assert fault.help == "write `[gait]`"
