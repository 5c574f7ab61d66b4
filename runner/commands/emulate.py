"""`shotrunner emulate`: the video API on this machine, for as long as it is wanted."""

import asyncio
import os
import secrets
import signal
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from runner.adapters import catalog
from runner.adapters.files import Checkout, Unreadable
from runner.adapters.root import project_of
from runner.core.diagnostics import Source
from runner.core.errors import Exit, Refused
from runner.emulator import accounts_file, faults_file
from runner.emulator.app import Emulator
from runner.emulator.holders import PLAY_MONEY, Limits
from runner.emulator.keep import opened
from runner.emulator.store import Store, Unusable
from runner.emulator.switches import read
from runner.screen.terminal import Terminal

MAX_DISK = 10 * 1024**3


def emulate(
    *,
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
    switches: Sequence[str],
    callback_ca: Path | None,
    faults: Path | None,
    terminal: Terminal,
) -> Exit:
    """Serve until Ctrl-C or SIGTERM; `rate` is in submits a second, `switches` are NAME=VALUE. Raises `Refused` when the address cannot be taken."""
    try:
        turned = read(switches)
    except ValueError as fault:
        raise Refused(f"--set: {fault}", help="docs/emulator.md lists the switches") from fault
    if accounts and (key or balance is not None or rate is not None):
        raise Refused(
            "--accounts and one of --key, --balance, --rate",
            help=f"write keys, credits and limits into {accounts}, or leave --accounts out",
        )
    holders = accounts_file.read(_source(accounts)) if accounts else ()
    planned = faults_file.read(_source(faults)) if faults else None
    here = Path.cwd()
    models = catalog.models(Checkout(root=project_of(here / "storyboard.yaml").root, shown_from=here))
    with _place(keep) as (folder, store):
        port = int(_told(store, "port", str(port) if port else None, "0"))
        given = _told(store, "credits", None if balance is None else str(balance), str(PLAY_MONEY))
        try:
            emulator = Emulator(
                models,
                folder,
                key=None if holders else _told(store, "key", key, f"sk-emulated-{secrets.token_hex(8)}"),
                accounts=holders,
                workers=workers or os.cpu_count() or 1,
                host=host,
                port=port,
                allow_private=allow_private,
                control=_told(store, "control token", None, secrets.token_urlsafe(24)),
                balance=Decimal(given),
                limits=Limits(submits_per_s=rate),
                switches=turned,
                callback_authority=_authority(callback_ca),
                scenarios=planned,
                page=True,
                store=store,
                max_disk=MAX_DISK if max_disk is None else max_disk,
                log=terminal.talk,
            )
            return asyncio.run(_serve(emulator, store, terminal))
        except (OSError, ValueError) as fault:
            reason = (fault.strerror if isinstance(fault, OSError) else None) or str(fault)
            raise Refused(
                f"cannot serve at {host}:{port}: {reason}", help="`--port` takes another" if port and store else ""
            ) from fault


def _told(store: Store | None, name: str, said: str | None, otherwise: str) -> str:
    """What was said now, else at an earlier start, else this; remembered for the next one."""
    if store is None:
        return said or otherwise
    word = said or store.word(name) or otherwise
    store.remember(name, word)
    return word


@contextmanager
def _place(keep: Path | None) -> Iterator[tuple[Path, Store | None]]:
    """Where files lie, and the books that outlive this start. Raises `Refused`."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="shotrunner-emulate-") as folder:
            yield Path(folder), None
        return
    try:
        with opened(keep) as store:
            yield keep, store
    except Unusable as fault:
        raise Refused(f"{keep} {fault.reason}") from fault


def _authority(path: Path | None) -> str | None:
    """A file of certificates that callbacks trust. Raises `Refused`."""
    if path is None:
        return None
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as fault:  # ssl.SSLError is one
        raise Refused(f"--callback-ca: {path} holds no certificates", help="a file in PEM is wanted") from fault
    return str(path)


def _source(path: Path) -> Source:
    """Raises `Refused`."""
    try:
        return Checkout(root=path.absolute().parent, shown_from=Path.cwd()).text(path.name)
    except Unreadable as fault:
        raise Refused(f"{path} {fault.reason}") from fault


async def _serve(emulator: Emulator, store: Store | None, terminal: Terminal) -> Exit:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with emulator:
        if store:
            store.remember("port", str(urlsplit(emulator.base_url).port))
        terminal.alarm(f"the video API is at {emulator.base_url}; Ctrl-C ends it")
        terminal.alarm(f"  export EVOLINK_API_KEY={emulator.key}")
        terminal.alarm(
            f"  shotrunner run FILE --pipeline clips --provider evolink --base-url {emulator.base_url} --budget 500"
        )
        terminal.alarm(f"control endpoints below /_emulate want the token {emulator.control}")
        terminal.alarm(f"watch it in a browser: {emulator.base_url}/#token={emulator.control}")
        await stopped.wait()
    terminal.talk("stopped")
    return Exit.DONE
