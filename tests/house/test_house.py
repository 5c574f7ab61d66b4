"""The house holds to the map in `runner/__init__.py`: floors, doors, no cycles."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import runner

HOME = Path(runner.__file__).parent
LIBRARIES = {
    "yaml",
    "jinja2",
    "jsonschema",
    "jsonschema_rs",
    "sqlite3",
    "aiohttp",
    "av",
    "PIL",
    "numpy",
    "rich",
    "click",
    "dotenv",
    "opentimelineio",
}


@cache
def chart() -> tuple[list[list[str]], dict[str, set[str]], set[str]]:
    """(floors, top first; doors by library; what the emulator may import) as the docstring says them."""
    text = runner.__doc__ or ""
    upper, _, lower = text.partition("Doors,")
    rows = [re.match(r"    (\S+(?: \S+)*?)   +\S", line) for line in upper.splitlines()]
    names = [row[1].split() for row in rows if row]
    floors = [row for row in names if row != ["emulator"]]
    beside = re.search(r"emulator .*?imports (.*?)\n\n", upper, re.DOTALL)
    assert beside, "the map says what the emulator may import"
    allowed = set(re.findall(r"[a-z_]+(?:\.[a-z_]+)*", beside[1]))
    doors = {m[1]: set(m[2].split()) for m in re.finditer(r"^    (\w+) {2,}((?:[\w.*]+ ?)+)$", lower, re.MULTILINE)}
    return floors, doors, allowed


@cache
def modules() -> list[tuple[str, ast.Module]]:
    found = []
    for path in sorted(HOME.rglob("*.py")):
        parts = path.relative_to(HOME).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:
            found.append((name, ast.parse(path.read_text(encoding="utf-8"))))
    return found


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module a file imports, lazily or not, `from package import module` as package.module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                place = HOME.parent / Path(*inner.split("."))
                yield inner if place.with_suffix(".py").exists() or place.is_dir() else module


def own(tree: ast.Module) -> set[str]:
    return {name.removeprefix("runner.") for name in imported(tree) if name.startswith("runner.")}


def floor_of(name: str, floors: list[list[str]]) -> int:
    return next(n for n, row in enumerate(floors) if name.split(".")[0] in row)


def test_every_file_stands_on_a_floor_of_the_map() -> None:
    floors, _, _ = chart()
    named = {name for row in floors for name in row} | {"emulator"}
    assert {name.split(".")[0] for name, _ in modules()} == named


def test_imports_run_down_only() -> None:
    floors, _, _ = chart()
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules()
        if not name.startswith("emulator")
        for other in own(tree)
        if not other.startswith("emulator") and floor_of(other, floors) < floor_of(name, floors)
    ]
    assert not wrong


def test_the_emulator_shares_only_the_contract_and_is_started_by_commands_alone() -> None:
    _, _, allowed = chart()
    wrong = []
    for name, tree in modules():
        for other in own(tree):
            inside = other.startswith("emulator")
            if (
                name.startswith("emulator")
                and not inside
                and not any(other == a or other.startswith(f"{a}.") for a in allowed)
            ):
                wrong.append(f"{name} imports {other}")
            if inside and not name.startswith(("emulator", "commands", "testing")):
                wrong.append(f"{name} imports {other}")
    assert not wrong


def test_every_library_has_its_doors() -> None:
    _, doors, _ = chart()
    assert set(doors) == LIBRARIES
    used: dict[str, set[str]] = {library: set() for library in LIBRARIES}
    for name, tree in modules():
        for other in imported(tree):
            if (library := other.split(".")[0]) in LIBRARIES:
                folder = f"{name.split('.')[0]}.*"
                used[library].add(folder if folder in doors[library] else name)
    assert used == doors


def test_imports_make_no_cycle() -> None:
    graph = {name: own(tree) for name, tree in modules()}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"cycle: {' -> '.join((*path, name))}"
        if name in done:
            return
        for other in sorted(graph.get(name, ())):
            walk(other, (*path, name))
        done.add(name)

    for name in graph:
        walk(name, ())


def test_only_cli_and_terminal_print_or_exit() -> None:
    wrong = []
    for name, tree in modules():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"print", "exit", "quit"}
            ):
                wrong.append(f"{name}:{node.lineno}")
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in {"sys.exit", "os._exit"}
                and name not in {"__main__", "cli"}
            ):
                wrong.append(f"{name}:{node.lineno}")
    assert not [place for place in wrong if not place.startswith("adapters.probe_worker")]


def test_verbs_that_need_no_network_and_no_picture_do_not_load_what_does() -> None:
    verbs = ", ".join(f"runner.commands.{verb}" for verb in ("validate", "plan", "diff", "why", "status", "models"))
    told = f"import sys, {verbs}; sys.exit(' '.join({{'aiohttp', 'av', 'numpy', 'jsonschema'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
