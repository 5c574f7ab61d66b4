"""API keys: from the environment or the project's `.env`, and only to the host they are for."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from runner.adapters.git_index import tracks
from runner.core.errors import Refused

KEY_NAME = re.compile(r"EVOLINK_API_KEY|SHOTRUNNER_KEY_[A-Z0-9_]+")


def derived_variable(base_url: str) -> str:
    """The only variable a base URL written in a file may draw on: named after its own host."""
    host = urlsplit(base_url).netloc.rpartition("@")[2]
    return "SHOTRUNNER_KEY_" + re.sub(r"[^A-Z0-9]", "_", host.upper())


def find(variable: str, *, root: Path, environment: Mapping[str, str], tracked: bool) -> str:
    """The key in `variable`. Raises `Refused` without ever showing a key.

    The environment wins over `.env`; from `.env` only key names are read. `tracked`: git's index holds `.env`.
    """
    value = environment.get(variable)
    if not value:
        value = _from_file(root / ".env", tracked).get(variable)
    if not value:
        raise Refused(f"no API key: {variable} is not set", help=f"export {variable}=..., or put it in {root / '.env'}")
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise Refused(
            f"the key in {variable} holds characters that no key has", help="copy it again, without spaces or quotes"
        )
    return value


def _from_file(path: Path, tracked: bool) -> dict[str, str]:
    if not path.is_file() or path.is_symlink():
        return {}
    if tracked:
        raise Refused(
            f"{path} is tracked by git", help="`git rm --cached .env`, add it to .gitignore, and change the key"
        )
    try:
        found = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8"
        raise Refused(f"{path} cannot be read: {reason}", help="mend it, or set the key in the environment") from None
    return {name: value for name, value in found.items() if value and KEY_NAME.fullmatch(name)}


def env_tracked(root: Path) -> bool:
    """Whether git's index names `.env` at the root."""
    return tracks(root, ".env")


def fingerprint(key: str) -> str:
    """16 hex digits that tell accounts apart and give no key away."""
    return hashlib.sha256(b"shotrunner.account.v1\n" + key.encode()).hexdigest()[:16]
