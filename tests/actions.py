"""Actions, purchases and what they are made of, with what a test does not care about filled in."""

from decimal import Decimal

from runner.core.diagnostics import Source, Span
from runner.core.lifecycle import State
from runner.core.request import Request
from runner.language.take import Layer, Setting, Take
from runner.planning.history import Intent, Purchase
from runner.planning.plan import Act, Action

FILM = Source(path="films/film.yaml", name="film.yaml", text="")
MODEL = "wan2.7-text-to-video"
SEEDLESS = "wan2.6-reference-video-flash"
FREE = Decimal(0)


def span(line: int = 12, column: int = 9, source: Source = FILM) -> Span:
    return Span(source=source, line=line, column=column, end_line=line, end_column=column + 3)


def take(name: str, model: str = MODEL, where: Span | None = None) -> Take:
    variant, _, number = name.rpartition(".")
    where = where or span()
    return Take(
        id=name,
        shot=variant.partition("@")[0],
        variant=variant,
        number=int(number),
        span=where,
        title="",
        model=Setting(value=model, span=where, layer=Layer.DEFAULT),
        texts={},
        params={},
        media={},
        seed=1,
        seed_span=None,
        seed_on_shot=False,
        distinct=False,
        skip=False,
        trim=None,
        transition=None,
    )


def request(
    name: str, model: str = MODEL, *, key: str = "", price: Decimal | None = FREE, unit: str = "credit"
) -> Request:
    return Request(
        take=name,
        label=name,
        path="/v1/videos/generations",
        key=key or f"key of {name}",
        inputs={},
        service="evolink",
        model=model,
        body={},
        media=(),
        seed=20261,
        seed_contract="absent" if model == SEEDLESS else "honoured",
        reserve=price,
        unit=unit,
        seconds=5,
        width_px=1280,
        height_px=720,
        sound=True,
    )


def action(
    name: str,
    act: Act = Act.BUY,
    reason: str = "new",
    *,
    price: str | None = "0",
    model: str = MODEL,
    unit: str = "credit",
    same_as: str = "",
    where: Span | None = None,
) -> Action:
    """An action with a request; `same_as` the take whose request it shares."""
    cost = None if price is None else Decimal(price)
    return Action(
        take=take(name, model, where),
        request=request(name, model, key=f"key of {same_as or name}", price=cost, unit=unit),
        act=act,
        reason=reason,
        price=cost,
        shared_with=same_as,
    )


def purchase(
    name: str, state: State = State.WAITING, *, storyboard: str = "films/other", task_id: str = "task-1"
) -> Purchase:
    intent = Intent(
        key=f"key of {name}",
        purchase=1,
        storyboard=storyboard,
        take=name,
        model=MODEL,
        service="evolink",
        account="a",
        idempotency_key="i",
        body=b"{}",
        reserved=Decimal("25.5"),
        unit="credit",
    )
    timeline = (("2026-11-20T08:00:00.000Z", "send"), ("2026-11-20T08:00:01.000Z", "receipt"))
    return Purchase(intent=intent, state=state, reserved=intent.reserved, task_id=task_id, timeline=timeline)
