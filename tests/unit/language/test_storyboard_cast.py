"""References as cast: what `{{ ref.NAME }}` is read as, by the model that reads it and by where the reference stands."""

import pytest
from boards import codes, load, places, reader

from runner.language import storyboard

CALLS = {"wan2.6-reference-video-flash": {"videos": "character{n}"}}
CAST = """\
storyboard: 1
defaults: {model: wan2.6-reference-video-flash}
vars: {coat: red}
references:
  mara: {words: "a tall woman in a {{ coat }} coat", image: mara.png, video: mara.mp4, audio: mara.mp3}
  joe: {words: an old keeper, video: joe.mp4}
  gait: walk.mp4
  old-salt: {words: a sailor}
shots:
"""


def prompts(shots: str, **variables: str) -> list[str]:
    board = storyboard.load("film.yaml", reader({"film.yaml": CAST + shots}), variables, CALLS)
    assert board.diagnostics == ()
    return [str(take.texts["prompt"].value) for take in board.takes]


def shot(words: str, name: str = "a") -> str:
    return f"  - id: {name}\n" + "".join(f"    {line}\n" for line in words.splitlines())


MEETS = 'prompt: "{{ ref.mara }} meets {{ ref.joe }}"'


def test_a_reference_is_read_in_words_where_its_model_does_not_call_it() -> None:
    assert prompts(shot(f"model: wan2.7-text-to-video\n{MEETS}")) == ["a tall woman in a red coat meets an old keeper"]
    assert prompts(shot(f"{MEETS}\nimage: mara")) == ["a tall woman in a red coat meets an old keeper"]


@pytest.mark.parametrize(
    ("videos", "prompt"),
    [
        ("[mara, joe]", "character1 meets character2"),
        ("[joe, mara]", "character2 meets character1"),
        ("[gait, https://example.org/x.mp4, mara]", "character3 meets an old keeper"),
        ("[mara, joe, mara]", "character1 meets character2"),
    ],
)
def test_reordering_videos_crosses_nobody(videos: str, prompt: str) -> None:
    assert prompts(shot(f"{MEETS}\nvideos: {videos}")) == [prompt]


def test_each_medium_of_a_reference_is_taken_by_its_word() -> None:
    (take,) = load(CAST + shot("prompt: x\nimage: mara\nvideos: [mara]\naudio: mara")).takes
    assert {word: setting.uses[0].path for word, setting in take.media.items()} == {
        "image": "mara.png", "videos": "mara.mp4", "audio": "mara.mp3",
    }  # fmt: skip


def test_words_are_filled_in_for_every_variant() -> None:
    shots = shot('model: wan2.7-text-to-video\nmatrix: {coat: [blue, grey]}\nprompt: "{{ ref.mara }}"')
    assert prompts(shots) == ["a tall woman in a blue coat", "a tall woman in a grey coat"]


def test_a_name_with_a_dash_and_a_name_in_a_variable_are_found() -> None:
    assert prompts(shot("""prompt: "{{ ref['old-salt'] }}\"""")) == ["a sailor"]
    assert prompts(shot("""vars: {who: joe}\nprompt: "{{ ref[who] }}\"""")) == ["an old keeper"]


def test_a_title_is_for_people_and_has_the_words() -> None:
    text = CAST + shot('title: "{{ ref.joe }}"\nprompt: "{{ ref.joe }}"\nvideos: [joe]')
    board = storyboard.load("film.yaml", reader({"film.yaml": text}), {}, CALLS)
    assert [(take.title, take.texts["prompt"].value) for take in board.takes] == [("an old keeper", "character1")]


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("{{ ref.maraa }}", "undefined-variable"),
        ("{{ ref.gait }}", "no-words"),
        ("{{ ref['gait'] }}", "no-words"),
        ("{{ ref.gait | upper }} {{ ref.joe }}", "no-words"),
        ("{{ ref }}", "template-value"),
    ],
)
def test_who_cannot_be_spoken_of_is_refused_where_it_is_said(prompt: str, code: str) -> None:
    board = load(CAST + shot(f'prompt: "{prompt}"'))
    assert places(board)[0][:2] == (code, 11)


def test_a_fault_in_words_is_told_at_the_words_and_only_where_they_are_asked_for() -> None:
    head = CAST.replace("{{ coat }}", "{{ coot }}")
    asking = load(head + shot('prompt: "{{ ref.mara }}"'))
    assert places(asking) == [("undefined-variable", 5, 39)]
    assert codes(load(head + shot('prompt: "{{ ref.joe }}"'))) == []


def test_a_faulty_reference_is_not_reported_again_where_it_is_spoken_of() -> None:
    board = load(CAST.replace("words: an old keeper", "words: 7") + shot('prompt: "{{ ref.joe }}"'))
    assert codes(board) == ["bad-type"]


@pytest.mark.parametrize("where", ["vars: {ref: x}", "matrix: {ref: [x, y]}"])
def test_nothing_else_has_the_casts_name(where: str) -> None:
    assert codes(load(CAST + shot(f"prompt: x\n{where}"))) == ["reserved-name"]
    assert codes(load(CAST + shot("prompt: x"), ref="x")) == ["reserved-name"]
