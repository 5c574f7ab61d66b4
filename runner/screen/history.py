"""Every clip ever made for a shot: as text or JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from runner.core.lifecycle import Event, State
from runner.planning.history import Purchase
from runner.screen import clean
from runner.screen.amounts import priced
from runner.screen.colour import Style
from runner.screen.table import Cell, Column, table

SCHEMA = "shotrunner.history.v1"
DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One purchase of a take, what it asked for, and whether its clip is on this machine and is the picked one."""

    take: str
    purchase: Purchase
    prompt: str
    here: bool
    picked: bool

    @property
    def shared_with(self) -> str:
        """The take that it was made for, where that is another one with the same request."""
        made_for = self.purchase.intent.take
        return made_for if made_for != self.take else ""

    @property
    def at(self) -> str:
        return self.purchase.at(Event.SEND) or ""

    @property
    def sha256(self) -> str:
        return str((self.purchase.result or {}).get("sha256") or "")


def text(made: Sequence[Made], shot: str, *, colour: bool) -> str:
    """For people: a row a purchase, oldest first."""
    if not made:
        return f"nothing was made for {clean.words(shot)} yet\n"
    columns = (
        Column(title="TAKE"),
        Column(title="MADE"),
        Column(title="SERVICE"),
        Column(title="STATE"),
        Column(title="CLIP"),
        Column(title="COST"),
        Column(title="PROMPT", gives=True),
    )
    return table([_row(one) for one in made], columns, colour=colour)


def _row(one: Made) -> tuple[Cell | str, ...]:
    purchase = one.purchase
    state = purchase.state.value if purchase.state is not State.DONE or one.here else "done, not here"
    cost = priced(purchase.committed, purchase.intent.unit) if purchase.committed else ""
    return (
        one.take,
        f"{one.at[:10]} {one.at[11:16]}".strip(),
        purchase.intent.service,
        Cell("picked", Style.GOOD) if one.picked else state,
        one.sha256[:DIGITS],
        f"of {one.shared_with}" if one.shared_with else cost,
        clean.words(one.prompt)[:60],
    )


def as_json(made: Sequence[Made]) -> str:
    """For programs: `schema` "shotrunner.history.v1", `clips` (take, shared_with (the take that it was made for, else null), made_at,
    service, state, key, clip, here, picked, committed, prompt)."""
    rows = [
        {
            "take": one.take,
            "shared_with": one.shared_with or None,
            "made_at": one.at,
            "service": one.purchase.intent.service,
            "state": one.purchase.state.value,
            "key": one.purchase.key,
            "clip": one.sha256 or None,
            "here": one.here,
            "picked": one.picked,
            "committed": f"{one.purchase.committed:f}",
            "prompt": one.prompt,
        }
        for one in made
    ]
    return json.dumps({"schema": SCHEMA, "clips": rows}, indent=2, ensure_ascii=False) + "\n"
