"""Whether a prompt names the media that its model knows by number: who is not named is anybody."""

import re
from collections.abc import Iterator

from runner.contract.model import Model
from runner.core.diagnostics import Diagnostic, Label, Severity
from runner.language.take import Take


def uncalled(take: Take, model: Model) -> Iterator[Diagnostic]:
    """A warning for each medium that the model's prompts call by a name of its own and this one does not."""
    prompt = take.texts.get("prompt")
    for word, pattern in model.calls.items():
        uses = take.media[word].uses if word in take.media else ()
        if prompt is None:
            continue
        for number, use in enumerate(uses, start=1):
            called = pattern.replace("{n}", str(number))
            if re.search(rf"(?<!\w){re.escape(called)}(?!\w)", str(prompt.value), re.IGNORECASE):
                continue
            known = f" as `{{{{ ref.{use.name} }}}}` or" if use.name else ""
            yield Diagnostic(
                severity=Severity.WARNING,
                code="uncalled-reference",
                headline=f"`{word}` gives the model `{called}`, and the prompt does not name it",
                span=prompt.span,
                others=(Label(span=take.media[word].span, text=f"number {number} here"),),
                help=f"name it in the prompt{known} as `{called}`, or take it out of `{word}`",
                group=f"uncalled {called} {prompt.span}",
                member=take.id,
            )
