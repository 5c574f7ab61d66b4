"""What a pipeline asks for beyond what Shotrunner is installed with: told before anything is bought."""

from pathlib import PurePosixPath

from runner.core.diagnostics import Diagnostic, Rejected
from runner.language.pipeline import Pipeline, Timeline
from runner.steps import interchange


def lacking(pipeline: Pipeline) -> tuple[Diagnostic, ...]:
    """A fault for each timeline in a format whose library is not here."""
    return tuple(
        Diagnostic(
            code="missing-extra",
            headline=f"`{step.output}` is written by OpenTimelineIO, and {missing} here",
            span=step.span,
            notes=("an `.otio` needs nothing more",),
            help=f"`{interchange.INSTALL}` installs it: the extra `timeline`",
        )
        for step in pipeline.steps
        if isinstance(step, Timeline) and (missing := interchange.missing(PurePosixPath(step.output).suffix))
    )


def demand(pipeline: Pipeline) -> None:
    """Raise `Rejected` unless every timeline can be written here."""
    if faults := lacking(pipeline):
        raise Rejected(faults)
