"""One HTTP exchange with an API as values, so that codecs are pure and tests need no network."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to the API's own origin; `path` is appended to the base URL and holds no origin of its own.

    `body` are the exact bytes of a JSON body, None for a call without one.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back, read whole. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Silence(StrEnum):
    """Why a call has no reply, as far as it matters for money."""

    NOT_SENT = "not-sent"  # the connection was never made: the service cannot have seen it
    NO_ANSWER = "no-answer"  # it may have been seen


class NoReply(Exception):
    """The call had no readable reply. `reason` is one line for people."""

    def __init__(self, silence: Silence, reason: str) -> None:
        self.silence, self.reason = silence, reason
        super().__init__(reason)
