"""Which pipelines' commands a person has allowed to run on this machine, kept in the state folder by the pipeline's digest."""

from pathlib import Path

from runner.adapters.files import write_whole

PERMITS = "allowed-commands"
MOST_BYTES = 1024 * 1024


def is_permitted(state: Path, digest: str) -> bool:
    return digest in _kept(state)


def permit(state: Path, digest: str) -> None:
    """Remember a yes. Raises OSError."""
    kept = [*_kept(state), digest]
    write_whole(state / PERMITS, "".join(f"{one}\n" for one in kept).encode())


def _kept(state: Path) -> list[str]:
    try:
        if (state / PERMITS).is_symlink() or (state / PERMITS).stat().st_size > MOST_BYTES:
            return []
        return (state / PERMITS).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []
