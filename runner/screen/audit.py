"""What an audit found: as text or JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runner.planning.audit import FAULTS, Finding, Part, Verdict
from runner.screen import clean
from runner.screen.amounts import count
from runner.screen.colour import Style, paint
from runner.screen.table import Cell, Column, table

SCHEMA = "shotrunner.audit.v1"
_NOUNS = {
    Part.STORYBOARD: "storyboard",
    Part.CLIP: "clip",
    Part.REFERENCE: "reference",
    Part.KEY: "key",
    Part.OUTPUT: "output",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """`root` is the project's root that references were looked for below; `written_at` the manifest's own."""

    manifest: str
    storyboard: str
    pipeline: str
    written_at: str
    root: str
    findings: Sequence[Finding]

    @property
    def faults(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict in FAULTS)


def text(found: Audited, *, colour: bool) -> str:
    """For people: a row for all that does not hold, then what was checked."""
    named = f"{clean.words(found.storyboard)}, pipeline {clean.words(found.pipeline)}"
    parts = [f"audit of {clean.words(found.manifest)}: {named}, written {clean.words(found.written_at)}\n\n"]
    told = [f for f in found.findings if f.verdict is not Verdict.HOLDS]
    if told:
        columns = (Column(title="FOUND"), Column(title="PART"), Column(title="OF"), Column(title="FILE"), Column())
        parts += [table((_row(f) for f in told), columns, colour=colour), "\n"]
    checked = Counter(f.part for f in found.findings if f.verdict is not Verdict.UNCHECKED)
    counted = ", ".join(count(checked[part], _NOUNS[part]) for part in Part if checked[part])
    faults = len(found.faults)
    verdict = (
        f"{count(faults, 'claim')} of the manifest {'does' if faults == 1 else 'do'} not hold"
        if faults
        else "all of it holds"
    )
    style = Style.BAD if faults else Style.GOOD
    return "".join([*parts, f"{counted or 'nothing'} checked: {paint(verdict, style, colour=colour)}\n"])


def _row(finding: Finding) -> tuple[Cell | str, ...]:
    style = Style.BAD if finding.verdict in FAULTS else Style.FAINT
    return Cell(finding.verdict.value, style), finding.part.value, finding.subject, finding.path, finding.says


def as_json(found: Audited) -> str:
    """For programs: `schema` "shotrunner.audit.v1", `manifest`, `storyboard`, `pipeline`, `root`, `findings` (subject, part,
    path, verdict, says), `faults` in number."""
    rows = [
        {"subject": f.subject, "part": f.part.value, "path": f.path, "verdict": f.verdict.value, "says": f.says}
        for f in found.findings
    ]
    document = {
        "schema": SCHEMA,
        "manifest": found.manifest,
        "storyboard": found.storyboard,
        "pipeline": found.pipeline,
        "root": found.root,
        "findings": rows,
        "faults": len(found.faults),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
