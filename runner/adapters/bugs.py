"""A report of a bug, for whoever is to mend it: where it happened, and neither values nor environment."""

import os
import platform
import sys
import tempfile
import traceback

from runner import __version__


def report(bug: BaseException) -> str:
    """Write the report to a file of its own and return its path; `standard error only` words when that fails."""
    lines = [
        f"shotrunner {__version__}",
        f"python {platform.python_version()} on {sys.platform} {platform.machine()}",
        "",
        *(
            line.rstrip("\n")
            for line in traceback.TracebackException.from_exception(bug, capture_locals=False).format()
        ),
        "",
    ]
    try:
        handle, path = tempfile.mkstemp(prefix="shotrunner-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join(lines))
    except OSError as fault:
        return f"no file, since none could be written ({fault.strerror})"
    return path
