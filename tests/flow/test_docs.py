"""The documents say what is so: their examples validate, their commands, links, codes and tables are those of the program.

Every `yaml` block is a whole storyboard or pipeline, entries of `shots`, or sections of a storyboard, and is validated in a
project that has the files the documents speak of. Comments above a block or a table say what it is held to:
`<!-- refused: code -->`, `<!-- exact -->`, `<!-- said of line 9: old -> new -->`, `<!-- keys of a shot -->`, `<!-- words: filters -->`, `<!-- fields of run -->`.
"""

import io
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import media
import pytest
from emulation import served_routes
from stage import Stage

from runner.adapters import catalog
from runner.cli import cli
from runner.commands.options import Options
from runner.commands.validate import validate
from runner.contract.price import tariff_on
from runner.core.diagnostics import CODES, Source
from runner.core.errors import Exit
from runner.emulator import accounts_file, faults_file
from runner.emulator.faults import FAULTS
from runner.emulator.switches import WORDS, Switches
from runner.language import bounds
from runner.language.builder import Limits
from runner.language.picks import load as load_picks
from runner.language.shot import MOST_TAKES
from runner.language.tables import MOST_ROWS
from runner.planning.diff import Kind
from runner.planning.plan import Act
from runner.screen.colour import Choice
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal

ROOT = Path(__file__).parents[2]
DOCUMENTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("examples/**/*.md")))
}
STORYBOARD, PIPELINE, MODELS, EMULATOR, DIFF = (
    DOCUMENTS[f"docs/{name}.md"] for name in ("storyboard", "pipeline", "models", "emulator", "diff")
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")

# What the blocks of the documents may use besides themselves.
FILES = {
    "look.txt": "Shot on {{ stock }}.",
    "cast.yaml": "vars: {keeper: an old keeper}\n",
    "products.csv": "id,sku,name,price,seconds\nmug,mug-01,Mug,12.50,3\nlamp,lamp-07,Lamp,0,4\n",
}
SHOTS = """\
storyboard: 1
references: {keeper: media/keeper.png, gait: media/gait.mp4, storm: media/storm.mp3}
defaults: {model: wan2.7-text-to-video}
shots:
"""
SHOT = "storyboard: 1\nshots: [{id: pier, model: wan2.7-text-to-video, prompt: A pier at dawn}]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `mark` is the comment above it, `title` its document and line."""

    title: str
    language: str
    text: str
    mark: str

    @property
    def begins(self) -> str:
        """Its first words that are no comment."""
        return re.sub(r"^(\s*#.*\n|\s+)*", "", self.text)


def blocks(*languages: str) -> list[Block]:
    found = []
    for name, text in DOCUMENTS.items():
        for match in _FENCE.finditer(text):
            above = text[: match.start()].rstrip().rpartition("\n")[2]
            mark = re.fullmatch(r"<!-- (.+) -->", above)
            line = text.count("\n", 0, match.start()) + 1
            if match[1] in languages:
                title = f"{name}:{line}"
                found.append(Block(title=title, language=match[1], text=match[2], mark=mark[1] if mark else ""))
    return found


def prose(text: str) -> str:
    return _FENCE.sub("", text)


def table(text: str, mark: str) -> list[list[str]]:
    """The cells of the table below a comment or heading, its first row left out."""
    below = text[text.index(mark) :]
    rows = re.search(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", below, re.MULTILINE)
    assert rows, mark
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in rows[1].splitlines()]


def first_codes(text: str, mark: str) -> list[str]:
    return [cast("re.Match[str]", _CODE.match(row[0]))[1] for row in table(text, mark)]


# ---------------------------------------------------------------- examples


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".git").mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "media").mkdir()
    media.picture(folder / "media/keeper.png", (640, 360))
    media.clip(folder / "media/gait.mp4", 3, size=(640, 360))
    media.tone(folder / "media/storm.mp3", 4)
    media.tone(folder / "media/line.wav", 1, "wav")
    (own,) = [b for b in blocks("json") if '"x-model"' in b.text]
    models = folder / "schemas/models"
    models.mkdir(parents=True)
    (models / f"{json.loads(own.text)['properties']['model']['const']}.schema.json").write_text(own.text, "utf-8")
    return folder


def faults(
    project: Path, storyboard: str, pipeline: str | None, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """What `validate` says of it."""
    monkeypatch.chdir(project)
    (project / "film.yaml").write_text(storyboard, encoding="utf-8")
    if pipeline is not None:
        (project / "own.yaml").write_text(pipeline, encoding="utf-8")
    out = io.StringIO()
    terminal = Terminal(colour=Choice.NEVER, environ={}, out=out, err=io.StringIO())
    options = Options(pipeline=None if pipeline is None else "own.yaml")
    try:
        validate([Path("film.yaml")], options, Format.JSON, terminal)
    finally:
        (project / "film.yaml").unlink()
    found: list[dict[str, Any]] = json.loads(out.getvalue())["diagnostics"]
    return found


def files_of(block: Block) -> tuple[str, str | None]:
    """The storyboard and the pipeline that a block stands for."""
    match re.match(r"- id:|\w+:", block.begins):
        case None:
            raise AssertionError(f"{block.title}: no storyboard, no pipeline and no part of one")
        case found:
            match found[0]:
                case "storyboard:":
                    return block.text, None
                case "pipeline:":
                    return SHOT, block.text
                case "- id:":
                    return SHOTS + block.text, None
                case _:
                    return SHOT + block.text, None


_ELSEWHERE = ("on:", "jobs:", "accounts:", "picks:", "seed:")  # read by tests of their own
YAML = [block for block in blocks("yaml") if not block.begins.startswith(_ELSEWHERE)]


@pytest.mark.parametrize("block", YAML, ids=lambda block: block.title)
def test_a_block_validates_or_is_refused_as_it_says(
    block: Block, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = faults(project, *files_of(block), monkeypatch)
    refused = block.mark.removeprefix("refused: ") if block.mark.startswith("refused: ") else None
    assert {fault["code"] for fault in found} == ({refused} if refused else set()), found


def test_the_blocks_of_picks_are_taken() -> None:
    found = [block for block in blocks("yaml") if block.begins.startswith("picks:")]
    assert found
    for block in found:
        read = load_picks(Source(path="film.picks.yaml", name="film.picks.yaml", text=block.text))
        assert read.shots and read.rejected


def test_the_blocks_of_accounts_are_taken() -> None:
    (block,) = (block for block in blocks("yaml") if block.begins.startswith("accounts:"))
    assert len(accounts_file.read(Source(path="accounts.yaml", name="accounts.yaml", text=block.text))) == 2


def test_the_blocks_of_faults_are_taken_and_every_fault_is_in_the_table() -> None:
    (block,) = (block for block in blocks("yaml") if block.begins.startswith("seed:"))
    assert len(faults_file.read(Source(path="faults.yaml", name="faults.yaml", text=block.text)).scenarios) == 4
    rows = table(EMULATOR, "<!-- faults -->")
    assert [row[0].strip("`") for row in rows] == list(FAULTS)
    for row, fault in zip(rows, FAULTS.values(), strict=True):
        assert (row[1], re.findall("`([^`]+)`", row[3])) == (fault.at, list(fault.parameters))


def test_the_blocks_that_are_refused_are_among_them() -> None:
    assert len(YAML) > 20
    assert sum(block.mark.startswith("refused: ") for block in YAML) >= 4


def _quoting() -> list[list[str]]:
    return [[_CODE.sub(r"\1", row[0]), row[1], row[2]] for row in table(STORYBOARD, "### What must be quoted")]


@pytest.mark.parametrize(("written", "happens", "better"), _quoting(), ids=[row[0] for row in _quoting()])
def test_what_must_be_quoted_is_told_so_with_the_mended_line(
    written: str, happens: str, better: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = faults(project, f"{SHOTS}  - id: pier\n    {written}\n", None, monkeypatch)
    lawful = better.strip("`")
    assert faults(project, f"{SHOTS}  - id: pier\n    vars: {{style: grainy}}\n    {lawful}\n", None, monkeypatch) == []
    if happens.startswith("lawful"):
        assert found == []
        return
    (fault,) = found
    assert f"refused as `{fault['code']}`" in happens
    assert lawful.removeprefix("prompt: ") in fault["help"]


# ---------------------------------------------------------------- commands


def commands() -> Iterator[tuple[str, str]]:
    """(where, command line) of every command of ours in the documents."""
    for block in blocks("console", "sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            words = line.removeprefix("$ ").strip()
            if re.match(r"(\w+=\S* )*shotrunner\b", words):
                yield block.title, words
    for block in blocks("yaml"):
        for match in re.finditer(r"\brun: (.*\bshotrunner .+)", block.text):
            yield block.title, match[1]
    for name, text in DOCUMENTS.items():
        for match in re.finditer(r"`(shotrunner [^`]+)`", prose(text)):
            yield name, match[1]


@pytest.mark.parametrize(("where", "line"), sorted(set(commands())))
def test_a_command_exists_with_its_options(where: str, line: str) -> None:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    ours = words[words.index("shotrunner") + 1 :]
    end = next((n for n, word in enumerate(ours) if set(word) <= set("();<>|&")), len(ours))
    name, *rest = ours[:end]
    if name.startswith("-"):
        assert name in ("--help", "--version", "-h")
        return
    command = cli.commands[name]
    if rest:  # a name alone speaks of the command, and types nothing
        command.make_context(name, [word for word in rest if word != "--help"]).close()


def test_every_command_is_documented() -> None:
    named = {line.split("shotrunner ")[1].split()[0] for _, line in commands()}
    assert set(cli.commands) <= named


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name, text in DOCUMENTS.items():
        for target in re.findall(r"(?:`|^ {4}|\$ )make ([a-z]+)", text, re.MULTILINE):
            assert target in targets, f"{name}: make {target}"


FIRST = next(block.text for block in blocks("yaml") if block.title.startswith("README.md"))
EXACT = [block for block in blocks("console") if block.mark == "exact"]


@pytest.mark.parametrize("block", EXACT, ids=lambda block: block.title)
def test_what_is_printed_exactly_is_what_the_first_storyboard_of_the_readme_gives(block: Block, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.write("film.yaml", FIRST)
    for shown in block.text.removeprefix("$ ").split("\n$ "):
        line, _, printed = shown.partition("\n")
        ended = stage.shotrunner(*shlex.split(line)[1:])
        assert (ended.out + ended.err).strip() == printed.strip(), ended


def test_the_fault_shown_in_the_readme_is_told_so(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("") if block.mark.startswith("said of line")]
    number, old, new = re.findall(r"\w+", block.mark.removeprefix("said of line "))
    lines = FIRST.splitlines()
    assert old in lines[int(number) - 1]
    lines[int(number) - 1] = lines[int(number) - 1].replace(old, new)
    stage = Stage(tmp_path)
    stage.write("film.yaml", "\n".join(lines))
    assert stage.shotrunner("validate", "film.yaml").out == f"{block.text}\n1 error in film.yaml\n"


# ---------------------------------------------------------------- links, codes


@pytest.mark.parametrize("name", DOCUMENTS)
def test_relative_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(DOCUMENTS[name])):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose(file.read_text(encoding="utf-8")), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}, target


def test_diagnostic_codes_that_are_named_exist() -> None:
    named = set()
    for text in DOCUMENTS.values():
        named |= set(re.findall(r"refused as\s+`([a-z-]+)`", prose(text)))
        named |= set(re.findall(r"\(`([a-z]+(?:-[a-z]+)+)`\)", prose(text)))
        named |= set(re.findall(r"\b(?:error|warning)\[([a-z-]+)\]", text))
        named |= set(re.findall(r"<!-- refused: ([a-z-]+) -->", text))
    assert len(named) > 15
    assert named <= CODES.keys()


@pytest.mark.parametrize("name", [name for name, text in DOCUMENTS.items() if "\n## Exit codes\n" in text])
def test_the_table_of_exit_codes_is_complete(name: str) -> None:
    assert [int(row[0]) for row in table(DOCUMENTS[name], "\n## Exit codes\n")] == [end.value for end in Exit]


# ---------------------------------------------------------------- tables

# One unlawful key in every place that has keys: the language answers with those it knows.
ASKED = (
    """\
storyboard: 1
include: [strange.yaml]
references: {a: {zzzz: 1, image: a.png}}
defaults: {zzzz: 1}
zzzz: 1
shots:
  - {id: a, prompt: x, zzzz: 1, trim: {zzzz: 1}, transition: {zzzz: 1}, for_each: {file: a.csv, zzzz: 1}}
  - {id: b, prompt: x, image: {shot: a, frame: last, zzzz: 1}}
cuts:
  a: {zzzz: 1}
  b: {order: [{zzzz: 1}], video: {zzzz: 1}, sound: {zzzz: 1}}
  c: {sound: {music: {zzzz: 1}, voice: [{zzzz: 1}], duck: {zzzz: 1}}}
  d: {sound: {music: {file: a.mp3, fade: {zzzz: 1}}}}
""",
    """\
pipeline: 1
zzzz: 1
provider: {name: evolink, zzzz: 1, poll: {zzzz: 1}}
steps:
  - generate: {zzzz: 1}
  - assemble: {zzzz: 1}
  - exec: {zzzz: 1}
  - report: {zzzz: 1}
  - timeline: {zzzz: 1}
  - zzzz: 1
""",
)


def test_tables_of_keys_are_those_the_language_knows(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "strange.yaml").write_text("zzzz: 1\n", encoding="utf-8")
    said = [fault["help"] for fault in faults(project, ASKED[0], None, monkeypatch)]
    said += [fault["help"] for fault in faults(project, SHOT, ASKED[1], monkeypatch)]
    known = {m[1]: m[2].split(", ") for help_ in said if (m := re.fullmatch(r"keys of (.+?): (.+)", help_))}
    documented = {
        whose: first_codes(text, f"<!-- keys of {whose} -->")
        for text in (STORYBOARD, PIPELINE)
        for whose in re.findall(r"<!-- keys of (.+) -->", text)
    }
    assert {whose: sorted(keys) for whose, keys in documented.items()} == {
        whose: sorted(keys) for whose, keys in known.items()
    }


@pytest.mark.parametrize("what", ["filters", "tests"])
def test_words_of_templates_are_those_the_language_knows(
    what: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = {"filters": "|", "tests": "is"}[what]
    storyboard = f'{SHOTS}  - {{id: pier, prompt: "{{{{ 1 {sign} zzzz }}}}"}}\n'
    (fault,) = faults(project, storyboard, None, monkeypatch)
    paragraph = STORYBOARD[STORYBOARD.index(f"<!-- words: {what} -->") :].split("\n\n")[1]
    documented = set(_CODE.findall(paragraph)) - {"is"}
    assert documented == set(fault["help"].removeprefix(f"{what}: ").split(", "))


def test_yaml_words_are_read_as_the_table_says() -> None:
    from runner.language.scalar import NotANumber, resolve

    kinds = {"true and false": bool, "null": type(None), "numbers": int | float, "text": str}
    for row in table(STORYBOARD, "## YAML as it is read here"):
        for text in _CODE.findall(row[0]):
            if row[1] in kinds:
                assert isinstance(resolve(text), kinds[row[1]]), text
            else:
                with pytest.raises(NotANumber):
                    resolve(text)


def test_bounds_that_are_named_are_those_that_hold() -> None:
    limits = Limits()
    for number in (bounds.MOST_CHARACTERS, bounds.MOST_STEPS, bounds.MOST_BITS, MOST_ROWS, MOST_TAKES, limits.aliases):
        assert f"{number:,}" in STORYBOARD
    assert f"{limits.characters // 10**6} million characters, {limits.depth} levels" in STORYBOARD
    assert f"{limits.nodes // 10**6} million values" in STORYBOARD


def test_fields_of_json_outputs_are_those_of_the_tables(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    small = "model: wan2.5-text-to-video, params: {quality: 480p, duration: 5}"
    stage.write("film.yaml", f"storyboard: 1\nshots: [{{id: pier, prompt: A pier at dawn, {small}}}]\n")
    commands = {"validate": (), "plan": (), "run": (), "status": (), "why": ("pier.1",)}
    for command, more in commands.items():
        ended = stage.shotrunner(command, "film.yaml", *more, "--format", "json")
        assert ended.code == 0, ended
        printed = json.loads(ended.out)
        assert first_codes(PIPELINE, f"<!-- fields of {command} -->") == list(printed), command
        assert printed["schema"] in PIPELINE
    compared = json.loads(stage.shotrunner("diff", "film.yaml", "film.yaml", "--format", "json").out)
    assert first_codes(DIFF, "<!-- fields of diff -->") == list(compared)
    assert compared["schema"] in DIFF


def test_kinds_of_difference_are_those_there_are() -> None:
    assert sorted(first_codes(DIFF, "## What is told")) == sorted(Kind)


def test_the_shipped_pipelines_are_all_in_the_table() -> None:
    assert sorted(first_codes(PIPELINE, "## The shipped pipelines")) == sorted(catalog.pipelines(None))


def test_the_actions_of_a_plan_are_all_in_the_table() -> None:
    assert sorted(first_codes(PIPELINE, "What the plan calls it:")) == sorted(Act)


def test_the_tables_of_models_are_their_schemas() -> None:
    models = catalog.shipped_models()
    assert sorted(first_codes(MODELS, "## The four")) == sorted(models)
    for row in table(MODELS, "## The four"):
        model = models[row[0].strip("`")]
        assert row[4] == model.seed.contract.value
        assert row[3].split(", ") == model.properties["quality"]["enum"]
        duration = model.properties["duration"]
        lawful = duration.get("enum") or [duration["minimum"], duration["maximum"]]
        assert [int(number) for number in re.findall(r"\d+", row[2])] == lawful
    media_rows = table(MODELS, "## Media")
    assert len(media_rows) == sum(len(model.media) for model in models.values())
    for name, word, _, formats, limits in media_rows:
        rule = models[name.strip("`")].media[word.strip("`")]
        assert tuple(formats.split(", ")) == tuple(rule.formats)
        assert f"up to {(rule.max_bytes or 0) // 1_000_000} MB" in limits
        assert rule.seconds is None or f"{rule.seconds[0]} to {rule.seconds[1]} s" in limits


def test_the_table_of_prices_is_the_shipped_tariffs() -> None:
    today = max(t.since for m in catalog.shipped_models().values() for t in m.providers["evolink"].tariffs)
    assert f"since {today}" in MODELS
    rows = {row[0].strip("`"): row[1:] for row in table(MODELS, "## Prices")}
    assert rows.keys() == catalog.shipped_models().keys()
    for name, model in catalog.shipped_models().items():
        tariff = tariff_on(model, "evolink", today)
        assert tariff is not None
        times = {next(iter(factor.when.values())): f"x {factor.by}" for factor in tariff.factors}
        expected = [str(tariff.per_second), times.get("480p", ""), times.get("1080p", ""), times.get(False, ""), str(tariff.minimum)]  # fmt: skip
        assert [cell.strip() for cell in rows[name]] == expected


def test_the_emulators_switches_are_all_in_the_table_with_their_defaults() -> None:
    rows = {row[0].strip("`"): row[1] for row in table(EMULATOR, "## Switches")}
    assert list(rows) == [one.name for one in fields(Switches)]
    for name, values in rows.items():
        default = getattr(Switches(), name)
        words = WORDS.get(name) or (("true", "false") if isinstance(default, bool) else (str(default),))
        said = "" if isinstance(default, frozenset) else str(default).lower()
        assert [value.strip("`") for value in values.split(", ")] == list(words)
        assert re.findall(r"`([^`]+)`", values) == ([said] if said else [])


def test_the_emulators_endpoints_are_all_in_the_table() -> None:
    paths = {f"{method} {re.sub(r'(/{[^}]*})+$', '', path)}" for method, path in served_routes()}
    served = {re.sub(r"{[^}]*}", "ID", path) for path in paths}
    named = {re.sub(r"/(ID|\.\.\.)$", "", code) for code in first_codes(EMULATOR, "## Endpoints")}
    assert named == served
