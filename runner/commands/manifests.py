"""Manifests that lie on disk, as a run, or somebody else, wrote them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.adapters import catalog
from runner.adapters.files import MISSING, Unreadable, decoded
from runner.contract import check
from runner.core.errors import Refused

MOST_BYTES = 256 * 1024 * 1024  # 100,000 takes are told in less


def read(file: Path) -> Mapping[str, Any]:
    """A document that fits schemas/manifest.schema.json. Raises `Refused`."""
    try:
        if not file.is_file():
            raise Unreadable(MISSING if not file.exists() else "is not a regular file")
        if file.stat().st_size > MOST_BYTES:
            raise Unreadable("is too large for a manifest")
        manifest = json.loads(decoded(file.read_bytes()))
    except Unreadable as fault:
        raise Refused(f"{file} {fault.reason}") from None
    except OSError as fault:
        raise Refused(f"{file} cannot be read: {fault.strerror}") from None
    except (ValueError, RecursionError):
        raise Refused(f"{file} is no JSON", help="a run writes `manifest.json` into its out folder") from None
    schema = catalog.schema("manifest")
    if faults := check.document(manifest, schema, "a manifest"):
        raise Refused(f"{file} is no manifest: {faults[0].headline}", help="a run writes it into its out folder")
    found: Mapping[str, Any] = manifest
    return found
