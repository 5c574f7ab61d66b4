"""The lawful word a misspelt one was meant to be."""

import difflib
from collections.abc import Iterable
from itertools import islice

# A file of many faults times a list of many names must not take minutes: beyond this many names the rest is not compared.
COMPARED = 200
NAMED = 8


def nearest(word: str, names: Iterable[str]) -> str:
    """The one of `names` that `word` most likely stands for, else an empty text; case and `-` for `_` do not matter."""
    lawful = {_folded(name): name for name in islice(names, COMPARED)}
    found = difflib.get_close_matches(_folded(word)[:100], lawful, n=1, cutoff=0.7)
    return lawful[found[0]] if found else ""


def instead(word: str, names: Iterable[str]) -> str:
    """A help line for a word that is none of `names`: the nearest, else the first few there are; empty where there are none."""
    lawful = list(dict.fromkeys(names))
    if meant := nearest(word, lawful):
        return f"did you mean `{meant}`?"
    more = f" and {len(lawful) - NAMED} more" if len(lawful) > NAMED else ""
    return f"there is {', '.join(lawful[:NAMED])}{more}" if lawful else ""


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")
