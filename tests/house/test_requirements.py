"""What a checkout installs is pinned by hash, and is what `pyproject.toml` asks for."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from runner.steps.interchange import INSTALL

HOME = Path(__file__).parents[2]
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
RUN = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
EXTRAS = PROJECT["project"]["optional-dependencies"]
ALL = "shotrunner[timeline]"  # in `dev`: every extra there is
DEVELOP = [*RUN, *EXTRAS["timeline"], *(one for one in EXTRAS["dev"] if one != ALL)]


def pinned(name: str) -> dict[str, Requirement]:
    """The packages of a requirement file, one line each. A line that is neither a package nor its hash fails."""
    text = (HOME / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        wanted, *hashes = line.split(" --hash=")
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", one) for one in hashes), line
        requirement = Requirement(wanted.strip())
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)) and requirement.url is None, line
        found[canonicalize_name(requirement.name)] = requirement
    return found


@pytest.mark.parametrize(("name", "wanted"), [("run", RUN), ("dev", DEVELOP)])
def test_every_dependency_is_pinned_by_hash_and_no_line_names_an_index(name: str, wanted: list[str]) -> None:
    found = pinned(name)
    for requirement in map(Requirement, wanted):
        version = next(iter(found[canonicalize_name(requirement.name)].specifier)).version
        assert requirement.specifier.contains(version), f"{requirement}, but {version} is pinned: make requirements"


def test_development_has_every_extra_and_a_refusal_names_what_one_installs() -> None:
    assert EXTRAS.keys() == {"dev", "timeline"} and ALL in EXTRAS["dev"]
    assert f"pip install {' '.join(Requirement(one).name for one in EXTRAS['timeline'])}" == INSTALL


def test_what_runs_is_what_is_developed_with() -> None:
    run, develop = pinned("run"), pinned("dev")
    assert {name: develop[name].specifier for name in run} == {name: one.specifier for name, one in run.items()}


def test_the_judges_of_npm_are_pinned_by_digest_and_no_line_names_a_registry() -> None:
    wanted = json.loads((HOME / ".ci/package.json").read_text(encoding="utf-8"))["dependencies"]
    packages = json.loads((HOME / ".ci/package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert wanted == {name: packages[f"node_modules/{name}"]["version"] for name in wanted}
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-") and "resolved" not in package, name
