"""The collector every reader of this floor reports to: reading goes on, and one file's ten faults are ten."""

from collections.abc import Iterable, Sequence

from runner.core.diagnostics import Diagnostic, Label, Span
from runner.core.spelling import nearest


class Faults:
    """Errors in the order they were found. `rendered`: the nodes being read are what templates gave, not what was written."""

    def __init__(self, *, rendered: bool = False) -> None:
        self.found: list[Diagnostic] = []
        self.rendered = rendered

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(
        self,
        code: str,
        headline: str,
        span: Span | None,
        *,
        label: str = "",
        others: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str = "",  # noqa: A002
    ) -> None:
        self.found.append(
            Diagnostic(code=code, headline=headline, span=span, label=label, others=others, notes=notes, help=help)
        )

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.found.extend(diagnostics)


def suggested(word: str, lawful: Sequence[str], *, words: str) -> str:
    """The help of an unlawful word: the one it was meant to be, then the first of the lawful ones.

    `words` names them, as in "keys of a shot".
    """
    meant = nearest(word, lawful)
    listed = ", ".join(lawful[:20]) + (", ..." if len(lawful) > 20 else "")
    known = f"{words}: {listed}" if lawful else f"{words}: none"
    return f"did you mean `{meant}`? {known}" if meant else known
