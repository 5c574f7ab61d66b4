"""The child process of `adapters.media`: reads a path, answers with facts, under limits on all it may use.

    python -m runner.adapters.probe_worker PROCESSOR_SECONDS MEMORY_BYTES

One line of JSON in, `{"what": "media" | "clip", "path": ...}` or `{"what": "cutting", "path": ..., "selector": ..., "form": ...}`;
one line out, `{"facts": ...}` or `{"unreadable": ...}`. Of a cutting the facts are its `content` in base64: files are the parent's.
The first line out says that it is ready, or what keeps it from being so.
"""

import base64
import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import BinaryIO


def main(processor_s: int, memory_bytes: int) -> None:
    # What a library prints goes nowhere: this pipe carries answers only.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    try:
        # Not before: a library that is missing is said, not guessed at from an exit code.
        from runner.adapters.inspection import look, look_at_clip
    except Exception:  # noqa: BLE001  # a library that does not load has many ways to say so
        _say(answers, {"broken": traceback.format_exc(limit=-1).strip()})
        return
    from runner.adapters.media import facts_to_json
    from runner.adapters.signature import Unreadable

    _limit(memory_bytes)
    _say(answers, {"ready": True})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _allow(processor_s)
        path = Path(request["path"])
        try:
            if request["what"] == "cutting":
                from runner.adapters.cutting import take

                content = base64.b64encode(take(path, request["selector"], request["form"])).decode()
                _say(answers, {"facts": {"content": content}})
            else:
                facts = look_at_clip(path) if request["what"] == "clip" else look(path)
                _say(answers, {"facts": facts_to_json(facts)})
        except Unreadable as error:
            _say(answers, {"unreadable": error.reason})
        except MemoryError:
            _say(answers, {"unreadable": "the file needs more memory to decode than it is given"})
        except Exception:  # noqa: BLE001  # one strange file must not end a run over many
            _say(answers, {"unreadable": "the file breaks its decoder in a way not foreseen"})


def _limit(memory_bytes: int) -> None:
    """Memory, and no file written: not even through a hole in a decoder, as long as it keeps to the kernel's rules."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # macOS refuses some; the wall clock of the parent holds everywhere
            continue


def _allow(processor_s: int) -> None:
    """Seconds of processor time for the next file, counted from now; the kernel ends the process at the last."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(used.ru_utime + used.ru_stime) + 1 + processor_s
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _say(answers: BinaryIO, reply: dict[str, object]) -> None:
    left = memoryview(json.dumps(reply).encode() + b"\n")
    while left:
        left = left[answers.write(left) :]  # a pipe takes as much at a time as it has room for


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
