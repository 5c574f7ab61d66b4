"""Whether the commands of a pipeline may run: said so with the command, or by a person, once for these very words."""

import hashlib
import shlex

from runner.adapters import permits
from runner.commands.loading import Loaded
from runner.commands.options import Options
from runner.core.errors import Refused
from runner.language.exec_step import Exec
from runner.screen.clean import words
from runner.screen.terminal import Terminal


def demand_permit(loaded: Loaded, options: Options, terminal: Terminal) -> None:
    """Ask before anything is spent. Raises `Refused` without a yes: by --allow-exec, now at the prompt, or once before."""
    steps = [step for step in loaded.pipeline.steps if isinstance(step, Exec)]
    if not steps or options.allow_exec or options.collecting:
        return
    digest = hashlib.sha256(loaded.pipeline.source.text.encode("utf-8", "surrogatepass")).hexdigest()
    if permits.is_permitted(loaded.project.state, digest):
        return
    shown = tuple(words(shlex.join(step.command)) for step in steps)
    terminal.talk("".join(f"pipeline {words(loaded.pipeline.name)} runs on this machine: {line}\n" for line in shown))
    if terminal.ask("May it, now and until the pipeline is changed?"):
        permits.permit(loaded.project.state, digest)
        return
    raise Refused(
        f"pipeline `{loaded.pipeline.name}` runs {'a command' if len(steps) == 1 else f'{len(steps)} commands'}, and nobody allowed it",
        help="read them, then --allow-exec runs them; a yes at the prompt is remembered until the pipeline is changed",
        notes=shown if terminal.quiet else (),
    )
