"""The account is asked before anything is bought, and the ledger is held to it when all is done."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from stage import KEY, Ended, PaidService, Stage, paid, until

from runner.emulator.refusals import Lack
from runner.emulator.script import Charge, Drop, Fail, Hold, Mishap, Reserve, Settle
from runner.emulator.switches import Switches

PRICE = Decimal("12.75")
FILM = "storyboard: 1\nshots:\n" + "".join(
    f"  - {{id: {name}, model: wan2.5-text-to-video, prompt: {name} at dawn, params: {{quality: 480p, duration: 5}}}}\n"
    for name in ("sea", "hill", "town")
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    folder = tmp_path / "project"
    folder.mkdir()
    stage = Stage(folder)
    stage.write("film.yaml", FILM)
    return stage


@contextmanager
def service(stage: Stage, *mishaps: Mishap, **options: Any) -> Iterator[PaidService]:
    with paid(stage.folder.parent / "service", *mishaps, **options) as found:
        yield found


def run(stage: Stage, api: PaidService, *more: str, budget: str = "500", command: str = "run") -> Ended:
    return stage.shotrunner(command, "film.yaml", *api.arguments(budget), *more, EVOLINK_API_KEY=KEY)


def billed(ended: Ended) -> str:
    return next((line.removeprefix("bill").strip() for line in ended.out.splitlines() if line.startswith("bill ")), "")


def bill_of(stage: Stage) -> Any:
    return stage.manifest(pipeline="clips")["totals"]["bill"]


def test_an_account_that_does_not_hold_the_price_is_not_drawn_on(stage: Stage) -> None:
    with service(stage, balance=Decimal(26)) as api:
        ended = run(stage, api)
        assert ended.code == 2, ended
        assert (
            f"3 takes to buy for 38.25 credits, but the account at evolink@{api.base_url[7:]} has 26 credits left"
            in ended.err
        )
        assert "these would fit: sea.1, hill.1" in ended.err
        assert api.bought() == 0
        assert not (stage.folder / "out").exists()
        assert run(stage, api, "--shots", "sea", "--shots", "hill").code == 0


def test_what_is_owed_is_named_when_the_account_refuses_more(stage: Stage) -> None:
    with service(stage, Hold(task=1, seconds=30), balance=Decimal(26)) as api:
        assert run(stage, api, "--shots", "sea", "--deadline", "0.2").code == 5
        ended = run(stage, api)
        assert ended.code == 2 and "1 paid and not fetched yet: `collect` instead of `run`" in ended.err, ended
        assert api.bought() == 1


def test_the_ledger_is_what_the_service_took(stage: Stage) -> None:
    with service(stage) as api:
        ended = run(stage, api)
        assert (ended.code, billed(ended)) == (0, "ledger 38.25 = service 38.25 credits"), ended
        assert api.credits()[1] == 38.25
        assert bill_of(stage) == {"ledger": "38.25", "service": "38.25", "apart": "0.00", "estimated": "38.25"}
        again = run(stage, api)
        assert (again.code, billed(again)) == (0, "")


def test_the_estimate_stands_beside_a_bill_that_differs(stage: Stage) -> None:
    with service(stage, Charge(task=1, amount=Decimal("14.5"))) as api:
        ended = run(stage, api, "--format", "json")
        assert ended.code == 0, ended
        assert json.loads(ended.out)["bill"] == {
            "ledger": "40.00",
            "service": "40",
            "apart": "0.00",
            "estimated": "38.25",
        }


def test_what_somebody_else_takes_meanwhile_is_told_apart(stage: Stage) -> None:
    with service(stage, Hold(task=3, seconds=300)) as api:
        process = stage.start("run", "film.yaml", *api.arguments(), "-j", "3", EVOLINK_API_KEY=KEY)
        until(lambda: api.bought() == 3)
        other = {"model": "wan2.5-text-to-video", "prompt": "another sea", "quality": "480p", "duration": 5}
        api.call("POST", "/v1/videos/generations", other)
        until(lambda: api.credits()[1] == 38.25)
        api.advance(300)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
        assert "bill      ledger 38.25, service 51 credits: 12.75 apart" in out


def test_what_is_not_charged_yet_is_not_apart(stage: Stage) -> None:
    with service(stage, Settle(task=2, seconds=None)) as api:
        ended = run(stage, api, "-j", "1")
        assert ended.code == 0, ended
        assert billed(ended) == "ledger 38.25, service 25.50 credits: 12.75 not charged yet"


def test_a_lost_answer_stays_in_the_ledger_until_somebody_knows(stage: Stage) -> None:
    with service(stage, Drop(create=1, accepted=False)) as api:
        ended = run(stage, api, "-j", "1")
        assert ended.code == 4, ended
        assert billed(ended) == "ledger 38.25, service 25.50 credits: 12.75 not charged yet"


def test_what_is_given_back_is_not_in_the_ledger(stage: Stage) -> None:
    with service(stage, Fail(task=2, code="content_policy_violation")) as api:
        ended = run(stage, api, "-j", "1")
        assert (ended.code, billed(ended)) == (1, "ledger 25.50 = service 25.50 credits, estimated 38.25"), ended


def test_collect_counts_what_it_settles(stage: Stage) -> None:
    with service(stage, Hold(task=1, seconds=300)) as api:
        assert run(stage, api, "--shots", "sea", "--deadline", "0.2").code == 5
        api.advance(300)
        until(lambda: api.credits()[1] == 12.75)
        # The service charged it while nobody ran.
        ended = stage.shotrunner(
            "collect", "film.yaml", *api.arguments()[:6], "--poll-interval", "0.05", EVOLINK_API_KEY=KEY
        )
        assert ended.code == 0, ended
        assert "bill      ledger 12.75, service 0 credits: 12.75 not charged in this run" in ended.out


def test_a_service_without_accounts_is_passed_over_and_only_v_says_so(stage: Stage) -> None:
    with service(stage, switches=Switches(lacks=frozenset({Lack.CREDITS}))) as api:
        ended = run(stage, api, "--shots", "sea")
        assert (ended.code, billed(ended)) == (0, ""), ended
        assert "balance" not in ended.out + ended.err
        assert bill_of(stage) == {"ledger": "12.75", "service": None, "apart": None, "estimated": "12.75"}
        ended = run(stage, api, "-v")
        assert ended.code == 0 and "was asked for the balance: it has no balance to tell" in ended.err, ended


def test_a_higher_reservation_counts_at_once_and_for_all_further_takes(stage: Stage) -> None:
    with service(stage, Reserve(task=1, amount=Decimal(30))) as api:
        ended = run(stage, api, "-j", "1", budget="38.25")
        assert ended.code == 1, ended
        # It was charged as estimated in the end, but the next one is expected to want 30 as well.
        assert api.bought() == 1
        assert stage.statuses() == {"sea.1": "done", "hill.1": "pending", "town.1": "pending"}
        assert "the rest of the budget does not cover" in ended.out


def test_a_higher_charge_counts_at_once(stage: Stage) -> None:
    with service(stage, Charge(task=1, amount=Decimal(20))) as api:
        ended = run(stage, api, "-j", "1", budget="38.25")
        assert ended.code == 1, ended
        assert api.bought() == 1
        assert billed(ended) == "ledger 20 = service 20 credits, estimated 12.75"


def test_with_room_left_a_higher_reservation_stops_nothing(stage: Stage) -> None:
    with service(stage, Reserve(task=1, amount=Decimal(20))) as api:
        ended = run(stage, api, "-j", "1", budget="60")
        assert ended.code == 0, ended
        assert api.bought() == 3


def test_the_storyboards_budget_stops_a_run_as_its_own_does(stage: Stage) -> None:
    stage.write("film.yaml", FILM.replace("storyboard: 1\n", "storyboard: 1\nbudget: 38.25\n"))
    with service(stage, Reserve(task=2, amount=Decimal(14))) as api:
        ended = run(stage, api, "-j", "1")
        assert ended.code == 1, ended
        assert api.bought() == 2
        assert stage.statuses() == {"sea.1": "done", "hill.1": "done", "town.1": "pending"}


def test_a_retry_keeps_the_failed_reservation_until_it_is_given_back(stage: Stage) -> None:
    # Settled an hour later: the credits of the first try are still reserved when the second would be bought.
    mishaps = (Fail(task=1, code="service_error"), Settle(task=1, seconds=3600))
    with service(stage, *mishaps) as api:
        ended = run(stage, api, "--shots", "sea", budget="25.4")
        assert (ended.code, api.bought()) == (1, 1), ended
    with service(stage, *mishaps) as api:
        stage.write("film.yaml", FILM.replace("sea at dawn", "sea at dusk"))
        ended = run(stage, api, "--shots", "sea", budget="25.5")
        assert (ended.code, api.bought()) == (0, 2), ended


def test_a_reservation_given_back_pays_for_the_retry(stage: Stage) -> None:
    with service(stage, Fail(task=1, code="service_error")) as api:
        ended = run(stage, api, "--shots", "sea", budget="12.75")
        assert (ended.code, api.bought()) == (0, 2), ended
        assert billed(ended) == "ledger 12.75 = service 12.75 credits, estimated 25.50"
