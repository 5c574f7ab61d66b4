"""What may be typed after a verb: types of values, groups of options, and all of it as one value."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runner.core.money import Budget
from runner.screen.colour import Choice
from runner.screen.diagnostics import Format

if TYPE_CHECKING:
    from runner.commands.options import Options


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
        click.option("--buy-missing", is_flag=True, help="Buy clips again that were made before and are not here."),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The out folder; else out/STORYBOARD/PIPELINE at the root."),
        click.option("--budget", type=Budgeted(), envvar="SHOTRUNNER_BUDGET", metavar="N|Nusd", help="Credits this run may newly commit, or dollars: 10usd."),
        click.option("-j", "--concurrency", type=click.IntRange(1, 1000), metavar="N", help="Tasks under way at once."),
        click.option("--poll-interval", type=Seconds(), metavar="S", help="Seconds between polls."),
        click.option("--deadline", type=Seconds(), metavar="S", help="Seconds to wait for a task before leaving it to a later run."),
        click.option(
            "--unpicked",
            is_flag=True,
            help="Of a shot with several takes and no pick go on with the first: where others are made from it, or picked takes only are made.",
        ),
        click.option("--allow-unpriced", is_flag=True, help="Buy from models whose price is not known."),
    ]
)  # fmt: skip
WAIT = click.option(
    "--wait", "wait_s", type=Seconds(), default=0, metavar="S", help="Wait so long for another run to end."
)
STORYBOARD = click.argument("storyboard", type=click.Path(path_type=Path), metavar="STORYBOARD")


def typed(told: dict[str, Any]) -> "Options":
    """What was typed as one value; what a command does not take is not told."""
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
        buy_missing=told.get("buy_missing", False),
        unpicked=told.get("unpicked", False),
        allow_exec=told.get("allow_exec", False),
        stop_after_s=told.get("stop_after"),
        max_unknown=told.get("max_unknown"),
        min_free_bytes=told.get("min_free"),
    )
