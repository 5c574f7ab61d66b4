"""`shotrunner audit`: a manifest's files hashed again and its keys reckoned again, offline. Writes nothing."""

from pathlib import Path

from runner.adapters import catalog
from runner.adapters.files import MISSING, Checkout, Unreadable, resolve, sha256_of
from runner.adapters.root import git_top
from runner.commands import manifests
from runner.core.errors import Exit, Refused
from runner.planning import audit as judge
from runner.planning.audit import Claim, Finding
from runner.screen import audit as view_of
from runner.screen.diagnostics import Format
from runner.screen.terminal import Terminal


def audit(file: Path, root: Path | None, view: Format, terminal: Terminal) -> Exit:
    """Print what differs. INCOMPLETE when anything does. Raises `Refused` for what is no manifest, `Rejected` for a broken model."""
    folder = file.resolve().parent
    manifest = manifests.read(file)
    root = root.resolve() if root else _root(folder, str(manifest["storyboard"]["path"]))
    models = catalog.models(Checkout(root=root, shown_from=Path.cwd()))
    findings = [_checked(claim, folder if claim.beside else root) for claim in judge.claims(manifest)]
    findings += judge.reckoned(manifest, models)
    report = view_of.Audited(
        manifest=str(file),
        storyboard=str(manifest["storyboard"]["path"]),
        pipeline=str(manifest["pipeline"]["name"]),
        written_at=str(manifest["written_at"]),
        root=str(root),
        findings=tuple(findings),
    )
    terminal.out(view_of.as_json(report) if view is Format.JSON else view_of.text(report, colour=terminal.colour_out))
    return Exit.INCOMPLETE if report.faults else Exit.DONE


def _root(folder: Path, storyboard: str) -> Path:
    """The project the manifest was written in: the nearest folder above it that holds the storyboard, else its git checkout."""
    holds = (place for place in (folder, *folder.parents) if (place / storyboard).is_file())
    found = next(holds, None) or git_top(folder)
    if found is None:
        raise Refused(
            f"no folder above {folder} holds the storyboard {storyboard}",
            help="name the project's root by --root: references are looked for below it",
        )
    return found


def _checked(claim: Claim, below: Path) -> Finding:
    try:
        real = resolve(below, claim.path)
        return judge.judged(claim, sha256_of(real), real.stat().st_size)
    except Unreadable as fault:
        return judge.absent(claim, fault.reason, gone=fault.reason == MISSING)
    except OSError as fault:
        return judge.absent(claim, f"cannot be read ({fault.strerror})", gone=False)
