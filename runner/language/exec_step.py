"""The step that runs a program of the user's own: its words, each a template of its own, and what it makes."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from runner.contract.editor_pipeline import MOST_OUTPUTS, MOST_SECONDS, MOST_WORDS, TIMEOUT_S
from runner.core.diagnostics import Diagnostic, Rejected, Source, Span
from runner.language import fields
from runner.language.faults import Faults
from runner.language.node import Entry, Node, Scalar
from runner.language.outputs import unfit
from runner.language.template import Templates

KEYS = ("command", "outputs", "timeout_s")
PLACES: Mapping[str, str] = {"clips": "clips", "manifest": "manifest.json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exec:
    """Run a program in the out folder, without a shell. `command`: its words, rendered. `outputs`: what it makes there, posix.

    `timeout_s`: after so many seconds it is ended, 1 s to a day.
    """

    command: tuple[str, ...]
    outputs: tuple[str, ...]
    timeout_s: int
    span: Span


def read_exec(entry: Entry, film: str | None, faults: Faults) -> Exec | None:
    """`film` is the output of the assembly before this step, the template's name of that; None where there is none."""
    tree = fields.shaped(entry.value, "`exec`", KEYS, faults)
    if tree is None:
        return None
    before = len(faults.found)
    command, outputs, timeout = (tree.get(key) for key in KEYS)
    if command is None:
        fields.missing(
            tree, "command", faults, of="this step", help='for example `command: [ffmpeg, -i, "{{ film }}", web.webm]`'
        )
    words = _words(command, film, faults) if command else ()
    made = _outputs(outputs, faults) if outputs else ()
    timeout_s = fields.whole(timeout, "`timeout_s`", faults, least=1, most=MOST_SECONDS) if timeout else TIMEOUT_S
    if len(faults.found) > before or timeout_s is None:
        return None
    return Exec(command=words, outputs=made, timeout_s=timeout_s, span=entry.key.span)


def _words(at: Node, film: str | None, faults: Faults) -> tuple[str, ...]:
    members = fields.listing(at, "`command`", faults, of="words", parts=_split)
    if members is None:
        return ()
    if len(members.items) > MOST_WORDS:
        faults.add("too-many", f"`command` has more than {MOST_WORDS} words", at.span, help="put them into a script")
        return ()
    names = dict(PLACES) if film is None else {**PLACES, "film": film}
    templates = Templates(_nothing, "")
    words = []
    for member in members.items:
        # 16 and `no` are words like any other here: nothing reads them as a number or a truth.
        if isinstance(member, Scalar) and member.text and member.value is not None:
            try:
                words.append(templates.text(member, names, "this step"))
            except Rejected as rejected:
                faults.extend(rejected.diagnostics)
        else:
            fields.text(member, "a word of `command`", faults)
    if words and not words[0].strip():
        faults.add("no-value", "the first word of `command` gives no program", members.items[0].span)
    if any("\0" in word for word in words):
        faults.add("bad-value", "a word of `command` holds a null character, which no program can be given", at.span)
    return tuple(words)


def _split(command: str) -> list[str]:
    """The words as a shell would take them; none where it would wait for a quote."""
    try:
        return shlex.split(command)
    except ValueError:
        return []


def _nothing(path: str) -> Source:
    raise Rejected([Diagnostic(code="template-include", headline=f"`{path}` cannot be included in a pipeline")])


def _outputs(at: Node, faults: Faults) -> tuple[str, ...]:
    members = fields.listing(at, "`outputs`", faults, of="file names")
    found: list[str] = []
    for member in members.items[:MOST_OUTPUTS] if members else ():
        written = fields.fixed_text(member, "an output", faults, takes="a file's name")
        if written is None:
            continue
        if reason := unfit(written) or ("it is named twice" if written in found else ""):
            faults.add(
                "bad-path",
                f"an output is `{fields.clipped(written)}`; {reason}",
                member.span,
                help="for example `web.webm`",
            )
        else:
            found.append(written)
    if members and len(members.items) > MOST_OUTPUTS:
        faults.add("too-many", f"`outputs` has more than {MOST_OUTPUTS} names", at.span, help="let it make one archive")
    return tuple(found)
