"""The command line: argv to exit code. The only error boundary, and the only place that prints and exits."""

import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from runner import __version__
from runner.core.diagnostics import Rejected
from runner.core.errors import Exit, Refused
from runner.core.money import Budget
from runner.screen.colour import Choice
from runner.screen.diagnostics import Format, formatted, refusal
from runner.screen.terminal import Terminal


class Amount(click.ParamType[Decimal]):
    """Credits: `1500` or `25.5`, never negative."""

    name = "credits"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        if isinstance(value, Decimal):
            return value
        if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", str(value), re.ASCII):
            self.fail(f"`{value}` is no number of credits", param, ctx)
        return Decimal(str(value))


class Budgeted(click.ParamType[Budget]):
    """Credits, `1500` or `25.5`, or US dollars, `10usd`; never negative."""

    name = "budget"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Budget:
        if isinstance(value, Budget):
            return value
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)(usd)?", str(value), re.IGNORECASE | re.ASCII)
        if match is None:
            self.fail(f"`{value}` is no budget: write 1500 for credits, 10usd for dollars", param, ctx)
        return Budget(amount=Decimal(match[1]), usd=match[2] is not None)


class Seconds(click.ParamType[float]):
    """Seconds, or with a unit: `90`, `90s`, `30m`, `5h`."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float | int):
            return float(value)
        match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)(s|m|h)?", str(value))
        if match is None:
            self.fail(f"`{value}` is no time: write 90, 90s, 30m or 5h", param, ctx)
        return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]


class Size(click.ParamType[int]):
    """Bytes, or with a unit: `0`, `500MB`, `1GiB`, `1.5G`; K, M, G, T alone are of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?) ?(?:([kKMGT])(i?B)?|B)?", str(value))
        if match is None:
            self.fail(f"`{value}` is no size: write 0, 500MB, 1GiB or 1.5G", param, ctx)
        power = " KMGT".index((match[2] or " ").upper())
        return int(Decimal(match[1]) * (1000 if match[3] == "B" else 1024) ** power)


class Pair(click.ParamType[tuple[str, str]]):
    """`name=value`."""

    name = "k=v"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, text = str(value).partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
            self.fail(f"`{value}` is not name=value", param, ctx)
        return key, text


def _decorated(options: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _screen(*more: str) -> Callable[[Any], Any]:
    views = [*(f.value for f in Format), *more]
    return _decorated(
        [
            click.option(
                "--format",
                "view",
                type=click.Choice(views),
                help=f"{', '.join(views[:-1])} or {views[-1]}; github by itself in GitHub's CI.",
            ),
            click.option(
                "--color",
                "colour",
                type=click.Choice([c.value for c in Choice]),
                default="auto",
                help="Colour: auto, always or never.",
            ),
            click.option("-q", "--quiet", count=True, help="Say less."),
            click.option("-v", "--verbose", count=True, help="Say more."),
        ]
    )


MARKDOWN = "markdown"  # a view of `diff` alone
SCREEN, DIFF_SCREEN = _screen(), _screen(MARKDOWN)
_CHOICE = [
    click.option("--pipeline", metavar="NAME|PATH", help="The pipeline; else the storyboard's, else draft."),
    click.option("--provider", metavar="NAME", help="animatic (free, on this machine) or evolink."),
    click.option("--base-url", metavar="URL", help="The provider's API at another address."),
    click.option(
        "--var", "variables", type=Pair(), multiple=True, metavar="K=V", help="Set a variable; may be repeated."
    ),
]
_STATE = click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="The state folder; else .shotrunner, found upwards."
)
CHOOSING, LOADING = _decorated(_CHOICE), _decorated([*_CHOICE, _STATE])
PLANNING = _decorated(
    [
        click.option("--shots", multiple=True, metavar="GLOB", help="Only shots, variants or takes that match; may be repeated."),
        click.option("--retry", multiple=True, metavar="GLOB", help="Buy ended takes that match once more; may be repeated."),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The out folder; else out/STORYBOARD/PIPELINE at the root."),
        click.option("--budget", type=Budgeted(), envvar="SHOTRUNNER_BUDGET", metavar="N|Nusd", help="Credits this run may newly commit, or dollars: 10usd."),
        click.option("-j", "--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Tasks under way at once."),
        click.option("--poll-interval", type=Seconds(), metavar="S", help="Seconds between polls."),
        click.option("--deadline", type=Seconds(), metavar="S", help="Seconds to wait for a task before leaving it to a later run."),
        click.option("--allow-unpriced", is_flag=True, help="Buy from models whose price is not known."),
    ]
)  # fmt: skip
STORYBOARD = click.argument("storyboard", type=click.Path(path_type=Path), metavar="STORYBOARD")


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

    return _within(told, lambda view, terminal: command(storyboards, _options(told), view, terminal))


@cli.command()
@STORYBOARD
@LOADING
@PLANNING
@click.option("--detailed-exitcode", is_flag=True, help="Exit 5 when there is something to buy.")
@SCREEN
def plan(storyboard: Path, detailed_exitcode: bool, **told: Any) -> Exit:
    """Say what a run would do: action, reason and price of every take. No network, no key, nothing written.

    \b
    shotrunner plan film.yaml
    shotrunner plan film.yaml --pipeline final --format json
    """
    from runner.commands.plan import plan as command

    return _within(
        told, lambda view, terminal: command(storyboard, _options(told), view, terminal, detailed=detailed_exitcode)
    )


@cli.command()
@STORYBOARD
@LOADING
@PLANNING
@click.option("--wait", "wait_s", type=Seconds(), default=0, metavar="S", help="Wait so long for another run to end.")
@click.option(
    "--stop-after",
    type=Seconds(),
    metavar="T",
    help="Submit nothing new after so long (90, 30m, 5h), see what is under way to its end, and exit 5 if work remains.",
)
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
def run(storyboard: Path, **told: Any) -> Exit:
    """Fetch what is paid, buy what the plan says, cut the film, write the manifest. Running again buys nothing twice.

    \b
    shotrunner run film.yaml
    shotrunner run film.yaml --shots 'arrival*'
    shotrunner run film.yaml --pipeline final --budget 1500
    """
    from runner.commands.run import run as command

    return _within(told, lambda view, terminal: command(storyboard, _options(told), view, terminal))


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
@click.option("--wait", "wait_s", type=Seconds(), default=0, metavar="S", help="Wait so long for another run to end.")
@SCREEN
def collect(storyboard: Path, **told: Any) -> Exit:
    """Fetch what is paid and buy nothing; needs no budget. Fit for cron: exit 0 when nothing is owed, 5 while something is.

    \b
    shotrunner collect film.yaml --pipeline final
    """
    from runner.commands.run import run as command

    options = replace(_options(told), collecting=True)
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
@click.option("--wait", "wait_s", type=Seconds(), default=0, metavar="S", help="Wait so long for another run to end.")
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

    return _within(told, lambda view, terminal: command(storyboard, take, _options(told), view, terminal))


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
    options = _options(told)
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
@SCREEN
def emulate(
    host: str,
    port: int,
    key: str | None,
    workers: int | None,
    allow_private: bool,
    balance: Decimal | None,
    rate: float | None,
    **told: Any,
) -> Exit:
    """Serve the video API on this machine, free: real HTTP, real MP4s.

    \b
    shotrunner emulate --port 8642
    shotrunner emulate --balance 40 --rate 0.5
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
            terminal=terminal,
        ),
    )


@cli.command()
@click.argument("name", required=False)
@SCREEN
def schema(name: str | None, **told: Any) -> Exit:
    """Print a JSON schema: storyboard, pipeline, manifest, model, or one model's request.

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
        from runner.adapters.bugs import report

        plain.alarm(f"a bug in shotrunner: {_named(bug)}; what is needed to mend it stands in {report(bug)}")
        return Exit.BUG


def _within(told: dict[str, Any], command: Callable[[Format, Terminal], Exit]) -> Exit:
    """Run a command with its view and terminal; a fault of the user's is shown in that view."""
    view = Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TEXT
    view = Format(told["view"]) if told["view"] else view
    terminal = Terminal(colour=Choice(told["colour"]), environ=os.environ, quiet=told["quiet"], verbose=told["verbose"])
    try:
        return command(view, terminal)
    except Rejected as rejected:
        terminal.out(formatted(rejected.diagnostics, view, colour=terminal.colour_out))
        return Exit.REFUSED
    except Refused as refused:
        terminal.alarm(refusal(refused, terminal.colour_err))
        return Exit.REFUSED


def _named(bug: BaseException) -> str:
    """What kind of bug it is; of several at once, each kind."""
    if isinstance(bug, BaseExceptionGroup):
        return ", ".join(dict.fromkeys(_named(one) for one in bug.exceptions))
    return type(bug).__name__


def _usage(fault: click.ClickException) -> str:
    context = getattr(fault, "ctx", None)
    return f"`{context.command_path} --help` shows what it takes" if context else ""


def _options(told: dict[str, Any]) -> Any:
    from runner.commands.options import Options

    return Options(
        pipeline=told["pipeline"],
        provider=told["provider"],
        base_url=told["base_url"],
        shots=told.get("shots", ()),
        retry=told.get("retry", ()),
        out=told.get("out"),
        state=told.get("state"),
        budget=told.get("budget"),
        concurrency=told.get("concurrency"),
        poll_interval_s=told.get("poll_interval"),
        deadline_s=told.get("deadline"),
        wait_s=told.get("wait_s", 0),
        variables=dict(told["variables"]),
        allow_unpriced=told.get("allow_unpriced", False),
        stop_after_s=told.get("stop_after"),
        max_unknown=told.get("max_unknown"),
        min_free_bytes=told.get("min_free"),
    )
