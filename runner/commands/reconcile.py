"""`shotrunner reconcile`: what nobody can know but a person, settled: attach a task, declare not taken, or buy again."""

import asyncio
import getpass
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runner.adapters import lock
from runner.adapters.client import Client
from runner.adapters.journal import Journal
from runner.adapters.keys import fingerprint
from runner.adapters.root import Project, project_of
from runner.commands.deciding import ephemeral
from runner.commands.options import Options
from runner.commands.peek import JOURNAL
from runner.commands.provider import address_of, key_for
from runner.core.errors import Exit, Refused
from runner.core.lifecycle import Event
from runner.core.wire import NoReply
from runner.execution.desk import stamp
from runner.planning import recovery, settlement
from runner.planning.history import Entry, History, Purchase
from runner.planning.settlement import Decision, Unsettled
from runner.providers import evolink
from runner.providers.provider import Gone, Listed
from runner.screen import reconcile as view_of
from runner.screen.clean import words
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal

PAGES = 4  # of 50 tasks each, newest first, that candidates are looked for in


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a service was asked about its tasks: by model, None where it could not be asked, and then why."""

    tasks: Mapping[str, tuple[Listed, ...]]
    silent: str = ""


def reconcile(
    storyboard: Path | None, decisions: Sequence[Decision], options: Options, view: Format, terminal: Terminal
) -> Exit:
    """List what is unknown, with candidates; settle what was decided by flag or, at a terminal, by prompt. Raises `Refused`."""
    place = project_of(storyboard or Path.cwd() / "storyboard.yaml", options.state)
    if not (place.state / JOURNAL).is_file():
        terminal.talk("nothing has been bought here: there is nothing to settle")
        return Exit.DONE
    with lock.held(place.state, wait_s=options.wait_s):
        journal = Journal(place.state / JOURNAL)
        try:
            return asyncio.run(_reconcile(place, journal, decisions, options, view, terminal))
        finally:
            journal.close()


async def _reconcile(
    place: Project,
    journal: Journal,
    decisions: Sequence[Decision],
    options: Options,
    view: Format,
    terminal: Terminal,
) -> Exit:
    now = stamp(datetime.now(UTC))
    history: History = journal.history()
    recovered = recovery.entries(history, at=now, ephemeral=ephemeral, here=lambda _: True)
    await journal.record(*recovered)
    history = journal.current()
    by = f"{getpass.getuser()}@{socket.gethostname()}"
    if decisions:
        entries = _settled(history, decisions, journal, now, by)
        unasked = await _exists(place, history, decisions, entries, options)
        await journal.record(*entries)
        terminal.talk("\n".join([*(view_of.decided(d, by) for d in decisions), *unasked]))
        return _left(journal)
    open_ones = settlement.unsettled(history)
    asked = {
        service: await _ask(place, service, open_ones, options) for service in {p.intent.service for p in open_ones}
    }
    rows = [
        view_of.Row(
            purchase=p,
            candidates=settlement.candidates(
                p, asked[p.intent.service].tasks.get(p.intent.model, ()), journal.tasks(p.intent.service)
            ),
            silent=asked[p.intent.service].silent,
        )
        for p in open_ones
    ]
    terminal.out(view_of.as_json(rows) if view is Format.JSON else view_of.text(rows, colour=terminal.colour_out))
    if terminal.attended and view is Format.TEXT:
        for row in rows:
            decision = _answer(row, terminal)
            if decision is not None:
                await journal.record(*_settled(journal.current(), [decision], journal, now, by))
                terminal.talk(view_of.decided(decision, by))
    return _left(journal)


def _settled(history: History, decisions: Sequence[Decision], journal: Journal, at: str, by: str) -> tuple[Entry, ...]:
    services = {p.intent.service for made in history.values() for p in made}
    held = {task for service in services for task in journal.tasks(service)}
    try:
        return settlement.settle(history, decisions, at=at, by=by, held=held)
    except Unsettled as fault:
        raise Refused(str(fault), help="`shotrunner reconcile` lists what is open") from fault


def _answer(row: view_of.Row, terminal: Terminal) -> Decision | None:
    name = row.purchase.key
    choice = terminal.choose(view_of.question(row))
    match choice.split():
        case ["a", number] if number.isdigit() and 1 <= int(number) <= len(row.candidates):
            return Decision(name=name, event=Event.ATTACHED, task_id=row.candidates[int(number) - 1].task_id)
        case ["a", task_id]:
            return Decision(name=name, event=Event.ATTACHED, task_id=task_id)
        case ["n"]:
            return Decision(name=name, event=Event.DISCLAIMED)
        case ["b"]:
            return Decision(name=name, event=Event.WRITTEN_OFF)
        case _:
            return None


def _left(journal: Journal) -> Exit:
    return Exit.UNKNOWN if settlement.unsettled(journal.current()) else Exit.DONE


async def _ask(place: Project, service: str, purchases: Sequence[Purchase], options: Options) -> Asked:
    """The service's own list of tasks of the models in question; silence is told, never an error."""
    try:
        base_url, files_url = address_of(service, options, os.environ)
        key = key_for(service, place.root, os.environ)
    except Refused as fault:
        return Asked(tasks={}, silent=f"{fault.message}; {fault.help}" if fault.help else fault.message)
    accounts = {p.intent.account for p in purchases if p.intent.service == service}
    note = "" if fingerprint(key) in accounts else "this key is another account's than the one that bought"
    found: dict[str, tuple[Listed, ...]] = {}
    async with Client(base_url=base_url, files_url=files_url, key=key).opened() as client:
        for model in {p.intent.model for p in purchases if p.intent.service == service}:
            listed: list[Listed] = []
            for page in range(1, PAGES + 1):
                try:
                    rows = evolink.read_list(await client.ask(evolink.list_tasks(model, page)))
                except NoReply as fault:
                    return Asked(tasks=found, silent=f"the service did not answer: {fault.reason}")
                if rows is None:
                    return Asked(tasks=found, silent="the service has no list of tasks")
                listed += rows
                if len(rows) < 50:
                    break
            found[model] = tuple(listed)
    return Asked(tasks=found, silent=note)


async def _exists(
    place: Project, history: History, decisions: Sequence[Decision], entries: Sequence[Entry], options: Options
) -> list[str]:
    """Where the service can be asked, a task to be attached must be one that it knows; lines on those it could not be asked about."""
    unasked = []
    for decision, entry in zip(decisions, entries, strict=True):
        if decision.task_id is None:
            continue
        purchase = next(p for p in history[entry.key] if p.number == entry.purchase)
        try:
            base_url, files_url = address_of(purchase.intent.service, options, os.environ)
            key = key_for(purchase.intent.service, place.root, os.environ)
            async with Client(base_url=base_url, files_url=files_url, key=key).opened() as client:
                told = evolink.read_poll(await client.ask(evolink.poll(decision.task_id)))
        except (Refused, NoReply) as fault:
            reason = fault.reason if isinstance(fault, NoReply) else fault.message
            unasked.append(
                f"note: {purchase.intent.service} was not asked whether it knows task {decision.task_id} ({words(reason)}); "
                f"a wrong one is replaced by --attach with the right one"
            )
            continue
        if isinstance(told, Gone):
            raise Refused(
                f"the service does not know task {decision.task_id}", help="`shotrunner reconcile` lists candidates"
            )
    return unasked
