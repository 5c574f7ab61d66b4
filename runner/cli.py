"""The command line: argv to exit code. The only error boundary, and the only place that prints and exits."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from traceback import walk_tb
from typing import Any

import click

from runner import __version__
from runner.arguments import (
    CHOOSING,
    DIFF_SCREEN,
    LOADING,
    MARKDOWN,
    PLANNING,
    SCREEN,
    STORYBOARD,
    WAIT,
    Amount,
    Seconds,
    Size,
    typed,
)
from runner.core.diagnostics import Rejected
from runner.core.errors import Exit, Refused
from runner.screen.colour import Choice
from runner.screen.diagnostics import Format, formatted, refusal
from runner.screen.terminal import Terminal


class Group(click.Group):
    """Commands in the order of a day's work; an unknown one gets a suggestion."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from runner.core.spelling import nearest

        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.commands:
            meant = nearest(name, self.commands)
            ctx.fail(f"there is no command `{name}`" + (f"; did you mean `{meant}`?" if meant else ""))
        return super().resolve_command(ctx, args)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="shotrunner", message="%(prog)s %(version)s")
def cli() -> None:
    """A storyboard in git, a film on disk, and never a second charge for the same shot.

    \b
    shotrunner validate film.yaml     every fault, with its line
    shotrunner plan film.yaml         what will happen and what it costs
    shotrunner run film.yaml          make the clips, the film and the manifest
    """


@cli.command()
@click.argument("storyboards", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="STORYBOARD...")
@LOADING
@SCREEN
def validate(storyboards: tuple[Path, ...], **told: Any) -> Exit:
    """Check storyboards: language, models, media. No network, no key, nothing written.

    \b
    shotrunner validate film.yaml
    shotrunner validate shots/*.yaml --format github
    """
    from runner.commands.validate import validate as command

    return _within(told, lambda view, terminal: command(storyboards, typed(told), view, terminal))


@cli.command()
@STORYBOARD
@LOADING
@PLANNING
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when there is something to buy.")
@click.option(
    "-o",
    "save_as",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Save the plan: `run --plan FILE` carries it out, once, and buys nothing else.",
)
@WAIT
@SCREEN
def plan(storyboard: Path, detailed_exitcode: bool, save_as: Path | None, **told: Any) -> Exit:
    """Say what a run would do: action, reason and price of every take. No network, no key; nothing written but by -o.

    \b
    shotrunner plan film.yaml
    shotrunner plan film.yaml --pipeline final --format json
    shotrunner plan film.yaml --pipeline final -o plan.json
    """
    from runner.commands.plan import plan as command

    return _within(
        told,
        lambda view, terminal: command(
            storyboard, typed(told), view, terminal, detailed=detailed_exitcode, save_as=save_as
        ),
    )


@cli.command()
@click.argument("storyboard", required=False, type=click.Path(path_type=Path), metavar="[STORYBOARD]")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Carry out a plan that `plan -o` saved: storyboard, pipeline and what is bought stand in it.",
)
@LOADING
@PLANNING
@WAIT
@click.option(
    "--stop-after",
    type=Seconds(),
    metavar="T",
    help="Submit nothing new after so long (90, 30m, 5h), see what is under way to its end, and exit 5 if work remains.",
)
@click.option("--allow-exec", is_flag=True, help="Let the pipeline's `exec` steps run their commands on this machine.")
@click.option(
    "--max-unknown",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Submit nothing new after so many unknown outcomes; 5 by default.",
)
@click.option(
    "--min-free",
    type=Size(),
    metavar="SIZE",
    help="Submit nothing while the state's disk has less free than this and twice the clips under way; 1GiB by default.",
)
@SCREEN
def run(storyboard: Path | None, plan: Path | None, **told: Any) -> Exit:
    """Fetch what is paid, buy what the plan says, cut the film, write the manifest. Running again buys nothing twice.

    \b
    shotrunner run film.yaml
    shotrunner run film.yaml --shots 'arrival*'
    shotrunner run film.yaml --pipeline final --budget 1500
    shotrunner run --plan plan.json --budget 1500
    """
    from runner.commands.run import run as command
    from runner.commands.run import run_plan

    if plan is not None:
        return _within(told, lambda view, terminal: run_plan(plan, storyboard, typed(told), view, terminal))
    if storyboard is None:
        raise click.UsageError("name a storyboard, or a saved plan by --plan", click.get_current_context())
    return _within(told, lambda view, terminal: command(storyboard, typed(told), view, terminal))


@cli.command()
@click.argument("storyboard", required=False, type=click.Path(path_type=Path), metavar="[STORYBOARD]")
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="The state folder; else .shotrunner, found upwards."
)
@SCREEN
def status(storyboard: Path | None, **told: Any) -> Exit:
    """Say what is where, what is owed and which links die first. Reads the journal alone.

    \b
    shotrunner status
    shotrunner status film.yaml --format json
    """
    from runner.commands.status import status as command

    return _within(told, lambda view, terminal: command(storyboard, told["state"], view, terminal))


@cli.command()
@STORYBOARD
@LOADING
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The out folder; else out/STORYBOARD/PIPELINE at the root.",
)
@click.option("--poll-interval", type=Seconds(), metavar="S", help="Seconds between polls.")
@click.option(
    "--deadline", type=Seconds(), metavar="S", help="Seconds to wait for a task before leaving it to a later run."
)
@WAIT
@SCREEN
def collect(storyboard: Path, **told: Any) -> Exit:
    """Fetch what is paid and buy nothing; needs no budget. Fit for cron: exit 0 when nothing is owed, 5 while something is.

    \b
    shotrunner collect film.yaml --pipeline final
    """
    from runner.commands.run import run as command

    options = replace(typed(told), collecting=True)
    return _within(told, lambda view, terminal: command(storyboard, options, view, terminal))


@cli.command()
@click.argument("storyboard", required=False, type=click.Path(path_type=Path), metavar="[STORYBOARD]")
@click.option(
    "--attach", multiple=True, metavar="TAKE=TASK_ID", help="It was taken: this is its task; may be repeated."
)
@click.option("--not-taken", multiple=True, metavar="TAKE", help="It was certainly not taken: the next run buys it.")
@click.option("--buy-again", multiple=True, metavar="TAKE", help="Buy it once more, whatever became of the first.")
@click.option("--base-url", metavar="URL", help="The provider's API at another address.")
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="The state folder; else .shotrunner, found upwards."
)
@WAIT
@SCREEN
def reconcile(
    storyboard: Path | None,
    attach: tuple[str, ...],
    not_taken: tuple[str, ...],
    buy_again: tuple[str, ...],
    **told: Any,
) -> Exit:
    """Settle purchases whose outcome nobody knows: list them with candidates, then attach, declare not taken, or buy again.

    TAKE is a take's id or at least eight digits of its key. Every decision is journalled with who and when.

    \b
    shotrunner reconcile
    shotrunner reconcile --attach arrival@dawn.1=task-unified-1757169743-7cvnl5zw
    """
    from runner.commands.options import Options
    from runner.commands.reconcile import reconcile as command
    from runner.core.lifecycle import Event
    from runner.planning.settlement import Decision

    decisions = [Decision(name=name, event=Event.DISCLAIMED) for name in not_taken]
    decisions += [Decision(name=name, event=Event.WRITTEN_OFF) for name in buy_again]
    for pair in attach:
        name, equals, task_id = pair.partition("=")
        if not equals or not name or not task_id:
            raise click.BadParameter(f"`{pair}` is not TAKE=TASK_ID", param_hint="--attach")
        decisions.append(Decision(name=name, event=Event.ATTACHED, task_id=task_id))
    options = Options(base_url=told["base_url"], state=told["state"], wait_s=told["wait_s"])
    return _within(told, lambda view, terminal: command(storyboard, decisions, options, view, terminal))


@cli.command()
@STORYBOARD
@click.argument("take")
@LOADING
@PLANNING
@SCREEN
def why(storyboard: Path, take: str, **told: Any) -> Exit:
    """Explain one take: why it is bought, reused or kept, which field changed from what to what, at which line, at what cost.

    \b
    shotrunner why film.yaml arrival@dawn.1
    """
    from runner.commands.why import why as command

    return _within(told, lambda view, terminal: command(storyboard, take, typed(told), view, terminal))


@cli.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The project's root; else the folder above the manifest that holds its storyboard.",
)
@SCREEN
def audit(manifest: Path, root: Path | None, **told: Any) -> Exit:
    """Hash the files a manifest names once more, reckon its keys once more, and say what differs. No network, nothing written.

    Exit 0 when all of it holds, 1 when anything differs.

    \b
    shotrunner audit out/film/draft/manifest.json
    """
    from runner.commands.audit import audit as command

    return _within(told, lambda view, terminal: command(manifest, root, view, terminal))


@cli.command()
@STORYBOARD
@LOADING
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The archive; else STORYBOARD.pack.zip here.",
)
@SCREEN
def pack(storyboard: Path, output: Path | None, **told: Any) -> Exit:
    """Put a storyboard with its media, lock, clips and what is known of them into one archive. No network.

    \b
    shotrunner pack film.yaml
    shotrunner pack film.yaml -o handover.zip
    """
    from runner.commands.pack import pack as command

    return _within(told, lambda view, terminal: command(storyboard, output, typed(told), view, terminal))


@cli.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@SCREEN
def unpack(archive: Path, folder: Path | None, **told: Any) -> Exit:
    """Make a project of an archive that `pack` made, in a new folder: nothing that was made is made or bought again.

    \b
    shotrunner unpack film.pack.zip
    """
    from runner.commands.unpack import unpack as command

    return _within(told, lambda view, terminal: command(archive, folder, view, terminal))


@cli.command()
@STORYBOARD
@LOADING
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The out folder of the run that is shown.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The page; else index.html in the out folder.",
)
@click.option("--sheet", type=click.Path(path_type=Path), metavar="FILE", help="Draw a contact sheet too, a PNG.")
@click.option("--serve", is_flag=True, help="Serve the page on this machine until Ctrl-C; picks are written from it.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="With --serve: the port; else any free one.")
@SCREEN
def report(
    storyboard: Path, output: Path | None, sheet: Path | None, serve: bool, port: int | None, **told: Any
) -> Exit:
    """Show the takes of a run side by side in one HTML file: to look at, to compare, to choose from. No network.

    \b
    shotrunner report film.yaml
    shotrunner report film.yaml --pipeline preview --sheet contact.png
    shotrunner report film.yaml --serve
    """
    if serve and (output or sheet):
        raise click.UsageError(
            "--serve writes no page and no sheet: leave out --output and --sheet", click.get_current_context()
        )
    if port is not None and not serve:
        raise click.UsageError("--port goes with --serve", click.get_current_context())
    if serve:
        from runner.commands.serving import serve as server

        return _within(told, lambda _, terminal: server(storyboard, port or 0, typed(told), terminal))
    from runner.commands.report import report as command

    return _within(told, lambda view, terminal: command(storyboard, output, sheet, typed(told), terminal))


@cli.command()
@STORYBOARD
@click.argument("takes", nargs=-1, required=True, metavar="TAKE...")
@LOADING
@click.option("--clip", metavar="DIGEST", help="An earlier clip of the take, by the beginning of its digest.")
@click.option("--note", default="", metavar="TEXT", help="Why, for whoever reads the file.")
@SCREEN
def pick(storyboard: Path, takes: tuple[str, ...], clip: str | None, note: str, **told: Any) -> Exit:
    """Choose which take of a shot is the film's. Its clip stays the film's, whatever becomes of the prompt.

    \b
    shotrunner pick film.yaml arrival@dawn.2 portrait.1
    shotrunner pick film.yaml arrival@dawn.2 --clip 3f2a9c --note 'the light'
    """
    from runner.commands.pick import pick as command

    return _within(told, lambda view, terminal: command(storyboard, takes, clip, note, typed(told), terminal))


@cli.command()
@STORYBOARD
@click.argument("shots", nargs=-1, required=True, metavar="SHOT...")
@LOADING
@SCREEN
def unpick(storyboard: Path, shots: tuple[str, ...], **told: Any) -> Exit:
    """Take a choice back: the first take is the film's again.

    \b
    shotrunner unpick film.yaml arrival@dawn
    """
    from runner.commands.pick import unpick as command

    return _within(told, lambda view, terminal: command(storyboard, shots, typed(told), terminal))


@cli.command()
@STORYBOARD
@click.argument("shots", nargs=-1, required=True, metavar="SHOT...")
@LOADING
@SCREEN
def retake(storyboard: Path, shots: tuple[str, ...], **told: Any) -> Exit:
    """Keep the choice of a take and let go of its clip: the next run makes it as the storyboard says now.

    \b
    shotrunner retake film.yaml arrival@dawn
    """
    from runner.commands.pick import retake as command

    return _within(told, lambda view, terminal: command(storyboard, shots, typed(told), terminal))


@cli.command()
@STORYBOARD
@click.argument("takes", nargs=-1, required=True, metavar="TAKE...")
@LOADING
@click.option("--note", default="", metavar="TEXT", help="Why, for whoever reads the file.")
@SCREEN
def reject(storyboard: Path, takes: tuple[str, ...], note: str, **told: Any) -> Exit:
    """Turn takes down, with a note. Nothing is removed: going back is free.

    \b
    shotrunner reject film.yaml arrival@dawn.1 --note 'he blinks'
    """
    from runner.commands.pick import reject as command

    return _within(told, lambda view, terminal: command(storyboard, takes, note, typed(told), terminal))


@cli.command()
@STORYBOARD
@click.argument("shot", metavar="SHOT")
@LOADING
@SCREEN
def history(storyboard: Path, shot: str, **told: Any) -> Exit:
    """List every clip ever made for a shot, with what it was made of and what it cost.

    \b
    shotrunner history film.yaml arrival@dawn
    """
    from runner.commands.history import history as command

    return _within(told, lambda view, terminal: command(storyboard, shot, typed(told), view, terminal))


@cli.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@CHOOSING
@DIFF_SCREEN
def diff(a: str, b: str, **told: Any) -> Exit:
    """Say which takes differ between two storyboards or git revisions, in which fields, and what that costs.

    A and B are storyboard files or REV:path; a revision alone is the other side's file there. No network, no key, no
    journal, nothing written.

    \b
    shotrunner diff main film.yaml --pipeline final
    shotrunner diff v1:film.yaml v2:film.yaml --format markdown
    """
    from runner.commands.diff import diff as command

    as_markdown = told["view"] == MARKDOWN
    told["view"] = Format.TEXT.value if as_markdown else told["view"]
    options = typed(told)
    return _within(told, lambda view, terminal: command(a, b, options, view, terminal, as_markdown=as_markdown))


@cli.command()
@click.argument("model", required=False)
@SCREEN
def models(model: str | None, **told: Any) -> Exit:
    """List the models, or show one: parameters, limits, sizes, seed, prices.

    \b
    shotrunner models
    shotrunner models wan2.7-text-to-video
    """
    from runner.commands.models import models as command

    return _within(told, lambda view, terminal: command(model, view, terminal))


@cli.command()
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="A loopback address.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="0 takes any free port.")
@click.option("--key", metavar="KEY", help="The API key clients must show; else one is made up.")
@click.option(
    "-j", "--workers", type=click.IntRange(1, 64), metavar="N", help="Clips rendered at once; else one a core."
)
@click.option(
    "--allow-private", is_flag=True, help="Let reference URLs lead to other servers of this machine and network."
)
@click.option("--balance", type=Amount(), metavar="CREDITS", help="Play money of the account; else 1000000.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1000, min_open=True),
    metavar="N",
    help="Take so many submits a second; one more is answered with 429.",
)
@click.option(
    "--accounts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Accounts with their keys, credits, models and limits, in YAML; in place of --key, --balance and --rate.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep tasks, credits, invoice, files and clips there, for the next start; else all goes when it ends.",
)
@click.option(
    "--max-disk", type=Size(), metavar="SIZE", help="What clips and uploads may take together; 10GiB by default."
)
@click.option(
    "--set",
    "switches",
    multiple=True,
    metavar="NAME=VALUE",
    help="Turn a switch: how the service behaves where nobody knows it; may be repeated.",
)
@click.option(
    "--faults",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What goes wrong, and for whom: a YAML file.",
)
@click.option(
    "--callback-ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Certificates (PEM) that callbacks trust too.",
)
@SCREEN
def emulate(
    host: str,
    port: int,
    key: str | None,
    workers: int | None,
    allow_private: bool,
    balance: Decimal | None,
    rate: float | None,
    accounts: Path | None,
    keep: Path | None,
    max_disk: int | None,
    switches: tuple[str, ...],
    callback_ca: Path | None,
    faults: Path | None,
    **told: Any,
) -> Exit:
    """Serve the video API on this machine, free: real HTTP, real MP4s.

    \b
    shotrunner emulate --port 8642
    shotrunner emulate --balance 40 --rate 0.5
    shotrunner emulate --port 8642 --keep ~/.emulated
    shotrunner emulate --set profile=documented --set lacks=idempotency
    """
    from runner.commands.emulate import emulate as command

    return _within(
        told,
        lambda _, terminal: command(
            host=host,
            port=port,
            key=key,
            workers=workers,
            allow_private=allow_private,
            balance=balance,
            rate=rate,
            accounts=accounts,
            keep=keep,
            max_disk=max_disk,
            switches=switches,
            callback_ca=callback_ca,
            faults=faults,
            terminal=terminal,
        ),
    )


@cli.command()
@click.argument("name", required=False)
@SCREEN
def schema(name: str | None, **told: Any) -> Exit:
    """Print a JSON schema: storyboard, pipeline, plan, manifest, lock, model, or one model's request.

    \b
    shotrunner schema storyboard > storyboard.schema.json
    """
    from runner.commands.schema import schema as command

    return _within(told, lambda _, terminal: command(name, terminal))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; whatever happens inside ends here."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    plain = Terminal(colour=Choice.AUTO, environ=os.environ)
    try:
        ended = cli.main(args=argv, prog_name="shotrunner", standalone_mode=False)
        return int(ended) if isinstance(ended, int) else Exit.DONE
    except click.ClickException as fault:
        plain.alarm(refusal(Refused(fault.format_message(), help=_usage(fault)), plain.colour_err))
        return Exit.REFUSED
    except (click.Abort, KeyboardInterrupt):
        plain.alarm("stopped")
        return Exit.SIGINT
    except Exception as bug:  # noqa: BLE001 - the boundary: a bug is reported, never a traceback on the screen
        if isinstance(bug, OSError) and _is_echo(bug):
            plain.alarm(refusal(_lost(bug.strerror or str(bug)), plain.colour_err))
            return Exit.REFUSED
        from runner.adapters.bugs import report

        plain.alarm(f"a bug in shotrunner: {_named(bug)}; what is needed to mend it stands in {report(bug)}")
        return Exit.BUG


# What these are for goes to stdout; what the others have made is there, whether they could say so or not.
SHOWING = frozenset({"validate", "plan", "status", "why", "history", "diff", "audit", "models", "schema"})


def _within(told: dict[str, Any], command: Callable[[Format, Terminal], Exit]) -> Exit:
    """Run a command with its view and terminal; a fault of the user's is shown in that view."""
    view = Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TEXT
    view = Format(told["view"]) if told["view"] else view
    terminal = Terminal(colour=Choice(told["colour"]), environ=os.environ, quiet=told["quiet"], verbose=told["verbose"])
    try:
        ended = command(view, terminal)
    except Rejected as rejected:
        terminal.out(formatted(rejected.diagnostics, view, colour=terminal.colour_out))
        ended = Exit.REFUSED
    except Refused as refused:
        terminal.alarm(refusal(refused, terminal.colour_err))
        ended = Exit.REFUSED
    if terminal.lost:
        terminal.alarm(refusal(_lost(terminal.lost), terminal.colour_err))
        if ended is Exit.DONE and click.get_current_context().info_name in SHOWING:
            return Exit.REFUSED
    return ended


def _lost(reason: str) -> Refused:
    return Refused(f"standard output cannot be written: {reason}")


def _is_echo(fault: OSError) -> bool:
    """Whether it befell click as it wrote a help or a version, which is all that does not go through a terminal of ours."""
    *_, (frame, _) = walk_tb(fault.__traceback__)
    return frame.f_globals.get("__name__") == click.echo.__module__


def _named(bug: BaseException) -> str:
    """What kind of bug it is; of several at once, each kind."""
    if isinstance(bug, BaseExceptionGroup):
        return ", ".join(dict.fromkeys(_named(one) for one in bug.exceptions))
    return type(bug).__name__


def _usage(fault: click.ClickException) -> str:
    context = getattr(fault, "ctx", None)
    return f"`{context.command_path} --help` shows what it takes" if context else ""
