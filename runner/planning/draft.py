"""A request's body in the making: values, the places they came from, and what is wrong with them."""

from dataclasses import dataclass, field

from runner.contract.fault import Path as BodyPath
from runner.core.diagnostics import Diagnostic
from runner.core.request import MediaPart
from runner.language.take import MediaUse, Setting


@dataclass(slots=True)
class Draft:
    """A body in the making."""

    body: dict[str, object] = field(default_factory=dict)
    places: dict[BodyPath, Setting] = field(default_factory=dict)
    parts: list[MediaPart] = field(default_factory=list)
    uses: list[MediaUse] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    overridden: list[tuple[str, object, object]] = field(default_factory=list)
    faults: list[Diagnostic] = field(default_factory=list)
    remarks: list[Diagnostic] = field(default_factory=list)

    def with_urls(self) -> dict[str, object]:
        """The body as the schema judges it: an address of the right form in place of each identity."""
        body = dict(self.body)
        for part in self.parts:
            url = part.url or "https://upload.invalid/" + (part.sha256 or part.identity.replace(":", "/"))
            if part.index is None:
                body[part.parameter] = url
            else:
                listed = body[part.parameter]
                assert isinstance(listed, list)
                body[part.parameter] = [url if i == part.index else v for i, v in enumerate(listed)]
        return body
