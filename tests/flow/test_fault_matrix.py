"""Every fault of the service that a run must live with, and what comes of it: states, bill, exit code, of a run and of the same
command once more."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from crashes import Books, invoiced, nothing_bought_twice
from media import picture
from stage import KEY, Ended, PaidService, Stage, paid

from runner.adapters.root import IGNORED
from runner.emulator.mishaps import (
    AmendCreate,
    Cancel,
    Charge,
    Download,
    Drop,
    DropPoll,
    Fail,
    Hold,
    Length,
    NoResults,
    Poll,
    Reply,
    Reserve,
    Settle,
    Spoiled,
    Upload,
    Word,
)
from runner.emulator.script import Mishap
from runner.emulator.switches import Switches
from runner.emulator.tasks import Status

SEA = """\
storyboard: 1
defaults: {model: wan2.5-text-to-video, params: {quality: 480p, duration: 5}}
shots:
  - {id: sea, prompt: The sea at dawn}
"""
TWO = SEA + "  - {id: hill, prompt: A green hill}\n"
THREE = TWO + "  - {id: town, prompt: A town by the river}\n"
PORTRAIT = """\
storyboard: 1
shots:
  - {id: portrait, model: wan2.6-image-to-video-flash, prompt: He turns, image: face.png, params: {duration: 2}}
"""
HTML = {"raw": "<h1>Oh</h1>", "content_type": "text/html"}
NO_HINT = ("Retry-After", "fallback_suggestion")

# States of all takes, tasks on the invoice, its credits, exit code.
Outcome = tuple[str, int, str, int]
DONE: Outcome = ("done", 1, "12.75", 0)
BOUGHT_IN_DOUBT: Outcome = ("unknown", 1, "12.75", 4)
IN_DOUBT: Outcome = ("unknown", 0, "0", 4)
REFUSED: Outcome = ("refused", 0, "0", 1)
UNFETCHED: Outcome = ("unfetched", 1, "12.75", 5)
OVERDUE: Outcome = ("overdue", 1, "12.75", 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`mishaps` strike one by one as they say; `between` is done before the second run."""

    fault: str
    mishaps: tuple[Mishap, ...]
    first: Outcome
    second: Outcome
    film: str = SEA
    words: tuple[str, ...] = ()
    fresh_links: bool = False
    before: Callable[[Stage, PaidService], None] = lambda stage, api: None
    between: Callable[[Stage, PaidService], None] = lambda stage, api: None


def row(fault: str, mishap: Mishap | tuple[Mishap, ...], first: Outcome, second: Outcome, **more: object) -> Row:
    mishaps = mishap if isinstance(mishap, tuple) else (mishap,)
    return Row(fault=fault, mishaps=mishaps, first=first, second=second, **more)  # type: ignore[arg-type]


def block_the_store(stage: Stage, api: PaidService) -> None:
    (stage.folder / ".shotrunner").mkdir(mode=0o700)
    (stage.folder / ".shotrunner/.gitignore").write_text(IGNORED)
    (stage.folder / ".shotrunner/clips").write_text("a file where the store wants its folder")


def free_the_store(stage: Stage, api: PaidService) -> None:
    (stage.folder / ".shotrunner/clips").unlink()


def skip_a_day(stage: Stage, api: PaidService) -> None:
    api.advance(25 * 3600)


# fmt: off
SUBMITTING = [
    row("taken, then the connection closed", Drop(create=1, accepted=True), BOUGHT_IN_DOUBT, BOUGHT_IN_DOUBT),
    row("the connection closed, not taken", Drop(create=1, accepted=False), IN_DOUBT, IN_DOUBT),
    row("taken, then 504", Reply(create=1, status=504, accepted=True, **HTML), BOUGHT_IN_DOUBT, BOUGHT_IN_DOUBT),
    row("taken, then a 200 that says nothing", Reply(create=1, status=200, accepted=True, raw="{}"), BOUGHT_IN_DOUBT, BOUGHT_IN_DOUBT),
    row("taken, then a 200 of HTML", Reply(create=1, status=200, accepted=True, **HTML), BOUGHT_IN_DOUBT, BOUGHT_IN_DOUBT),
    row("taken, then an unlawful task id", AmendCreate(create=1, members={"id": ".."}), BOUGHT_IN_DOUBT, BOUGHT_IN_DOUBT),
    row("taken, then another's task id", AmendCreate(create=2, id_of=1), ("done unknown", 2, "25.5", 4), ("done unknown", 2, "25.5", 4), film=TWO, words=("-j", "1")),
    row("500, not taken", Reply(create=1, status=500), IN_DOUBT, IN_DOUBT),
    row("502, not taken", Reply(create=1, status=502), IN_DOUBT, IN_DOUBT),
    row("503 without an envelope", Reply(create=1, status=503, **HTML), IN_DOUBT, IN_DOUBT),
    row("a redirect", Reply(create=1, status=307, raw="", headers=(("Location", "/v1/videos/generations"),)), IN_DOUBT, IN_DOUBT),
    row("409, somebody bought under this key", Reply(create=1, status=409), IN_DOUBT, IN_DOUBT),
    row("400 that says the outcome is unknown", Reply(create=1, status=400, code="paid_outcome_unknown"), IN_DOUBT, IN_DOUBT),
    row("429 with Retry-After", Reply(create=1, status=429, retry_after_s=1), DONE, DONE),
    row("429 without any hint", Reply(create=1, status=429, without=NO_HINT), DONE, DONE),
    row("503 with an envelope", Reply(create=1, status=503, retry_after_s=0, times=2), DONE, DONE),
    row("401", Reply(create=1, status=401), REFUSED, DONE),
    row("402 in the middle", Reply(create=2, status=402), ("done refused pending", 1, "12.75", 1), ("done done done", 3, "38.25", 0), film=THREE, words=("-j", "1")),
    row("403 for the model", Reply(create=2, status=403), ("done refused done", 2, "25.5", 1), ("done done done", 3, "38.25", 0), film=THREE, words=("-j", "1")),
    row("403 for the key", Reply(create=2, status=403, code="permission_denied", param="", message="Access denied"), ("done refused pending", 1, "12.75", 1), ("done done done", 3, "38.25", 0), film=THREE, words=("-j", "1")),
    row("moderation at submit", Reply(create=1, status=400, code="content_policy_violation"), REFUSED, DONE),
    row("413 for a reference", Upload(upload=1, status=413), ("pending", 0, "0", 1), ("done", 1, "6", 0), film=PORTRAIT),
    row("413 for the request", Reply(create=1, status=413), REFUSED, DONE),
    row("more reserved than the price", Reserve(task=1, amount=Decimal(20)), ("done pending", 1, "12.75", 1), ("done done", 2, "25.5", 0), film=TWO, words=("-j", "1", "--budget", "25.5")),
]
WAITING = [
    *(row(f"completed is spelt {word}", Word(task=1, status=word, of=Status.COMPLETED), DONE, DONE) for word in ("succeed", "success", "SUCCEEDED", "Complete")),
    row("a status nobody knows, then completed", Word(task=1, status="dreaming", times=2), DONE, DONE),
    row("expired once, then completed", Word(task=1, status="expired", times=1), DONE, DONE),
    row("queued for ever", Hold(task=1, seconds=None, queued=True), OVERDUE, OVERDUE, words=("--deadline", "0.5")),
    row("late, and finished by the next day", Hold(task=1, seconds=3600), OVERDUE, DONE, words=("--deadline", "0.5"), between=skip_a_day),
    row("polls answered 500, then completed", Poll(task=1, status=500, times=3), DONE, DONE),
    row("polls dropped, then completed", DropPoll(task=1, times=2), DONE, DONE),
    row("polls answered 429, then completed", Poll(task=1, status=429, retry_after_s=0, times=2), DONE, DONE),
    row("polls answered 401", Poll(task=1, status=401, times=3), ("waiting", 1, "12.75", 5), DONE),
    row("the task not found once", Poll(task=1, status=404, times=1), DONE, DONE),
    row("the task not found at all", Poll(task=1, status=404), OVERDUE, OVERDUE, words=("--deadline", "0.5")),
    row("completed without a link", NoResults(task=1), ("failed", 1, "12.75", 1), ("failed", 1, "12.75", 1)),
    row("moderation at poll", Fail(task=1, code="content_policy_violation"), ("failed", 1, "0", 1), ("failed", 1, "0", 1)),
    row("moderation of one of three", Fail(task=2, code="content_policy_violation"), ("done failed done", 3, "25.5", 1), ("done failed done", 3, "25.5", 1), film=THREE, words=("-j", "1")),
    row("failed and charged all the same", Fail(task=1, code="content_policy_violation", refunded=False), ("failed", 1, "12.75", 1), ("failed", 1, "12.75", 1)),
    row("failed in passing", Fail(task=1, code="service_error"), ("done", 2, "12.75", 0), ("done", 2, "12.75", 0)),
    row("cancelled by the service", Cancel(task=1), ("cancelled", 1, "0", 1), ("cancelled", 1, "0", 1)),
    row("cancelled and charged", Cancel(task=1, refunded=False), ("cancelled", 1, "12.75", 1), ("cancelled", 1, "12.75", 1)),
    row("charged more than the price", Charge(task=1, amount=Decimal(20)), ("done pending", 1, "20", 1), ("done done", 2, "32.75", 0), film=TWO, words=("-j", "1", "--budget", "25.5")),
    row("one unknown and one failed", (Drop(create=1, accepted=True), Fail(task=2, code="content_policy_violation")), ("unknown failed", 2, "12.75", 4), ("unknown failed", 2, "12.75", 4), film=TWO, words=("-j", "1")),
    row("one late and one failed", (Hold(task=1), Fail(task=2, code="content_policy_violation")), ("overdue failed", 2, "12.75", 5), ("overdue failed", 2, "12.75", 5), film=TWO, words=("-j", "1", "--deadline", "0.5")),
    row("never settled", Settle(task=1, seconds=None), DONE, DONE),
    row("twice as long as asked for", Length(task=1, seconds=10), ("done", 1, "25.5", 0), ("done", 1, "25.5", 0)),
]
FETCHING = [
    *(row(f"a download that is {how}, once", Download(task=1, how=how, seconds=0.2), DONE, DONE) for how in Spoiled),
    *(row(f"downloads that are {how}", Download(task=1, how=how, times=3), UNFETCHED, DONE) for how in (Spoiled.GONE, Spoiled.TIMEOUT, Spoiled.SHORT, Spoiled.HTML)),
    row("a link that died meanwhile, a fresh one to be had", Download(task=1, how=Spoiled.HTML, times=3), UNFETCHED, DONE, between=skip_a_day, fresh_links=True),
    row("a link that died meanwhile, no other to be had", Download(task=1, how=Spoiled.HTML, times=3), UNFETCHED, UNFETCHED, between=skip_a_day),
    row("a disk that does not take the clip", (), UNFETCHED, DONE, before=block_the_store, between=free_the_store),
]
# fmt: on


@pytest.mark.parametrize("row", [*SUBMITTING, *WAITING, *FETCHING], ids=lambda row: row.fault)
def test_each_fault_has_its_state_its_bill_and_its_exit_code(row: Row, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", row.film)
    picture(folder / "face.png", (640, 360))
    with paid(tmp_path / "service", *row.mishaps, switches=Switches(fresh_links=row.fresh_links)) as api:
        row.before(stage, api)
        for outcome, prepare in ((row.first, None), (row.second, row.between)):
            if prepare:
                prepare(stage, api)
            ended = stage.shotrunner("run", "film.yaml", *api.arguments(), *row.words, EVOLINK_API_KEY=KEY)
            assert seen(stage, api, ended) == outcome, ended
            nothing_bought_twice(stage, api)
        assert Books.of(stage).ledger >= invoiced(api)


def seen(stage: Stage, api: PaidService, ended: Ended) -> Outcome:
    return " ".join(stage.statuses().values()), api.bought(), f"{invoiced(api).normalize():f}", ended.code
