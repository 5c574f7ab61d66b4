"""The providers this version knows, as one table, and what a codec reads out of an API's replies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

# By a probe's names. bmp is lawful for a model that is given its address, but cannot be uploaded.
UPLOADS = frozenset({"jpeg", "png", "webp", "gif", "mp4", "mov", "webm", "mp3", "wav", "flac", "m4a", "ogg"})
UPLOAD_LIFE_S = 72 * 3600.0  # an uploaded file is kept no longer, whatever is told of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One service's fixed facts. `base_url` None: the service is started by the program itself and has no address of its own.

    `ephemeral`: the service lives and dies with its process and owes nothing. `concurrency` 0: as many as there are
    cores. `rate_per_s` submissions at most, one behind the other; None: as they come. Poll limits in seconds; `batch` is how
    many tasks one query may ask about, 0 that each is asked about by itself. `deadline_s` from submission, `link_life_s` of
    a result's link from completion. `uploads` are the formats that its file host takes, files of `upload_bytes` at most.
    """

    name: str
    base_url: str | None
    files_url: str | None
    key_variable: str
    free: bool
    ephemeral: bool
    concurrency: int
    poll_floor_s: float
    poll_ceiling_s: float
    rate_per_s: float | None = None
    batch: int = 0
    deadline_s: float = 1800
    link_life_s: float = 86_400
    uploads: frozenset[str] = UPLOADS
    upload_bytes: int = 100_000_000


PROVIDERS: Mapping[str, Provider] = {
    "animatic": Provider(
        name="animatic",
        base_url=None,
        files_url=None,
        key_variable="",
        free=True,
        ephemeral=True,
        concurrency=0,
        poll_floor_s=0.05,
        poll_ceiling_s=1,
    ),
    "evolink": Provider(
        name="evolink",
        base_url="https://api.evolink.ai",
        files_url="https://files-api.evolink.ai",
        key_variable="EVOLINK_API_KEY",
        free=False,
        ephemeral=False,
        concurrency=3,
        poll_floor_s=5,
        poll_ceiling_s=15,
        rate_per_s=5,
        batch=50,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The service has taken the request. `eta_s` is its estimate of the whole time; `reserved` what it set aside."""

    task_id: str
    eta_s: float | None
    reserved: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The service took nothing. `for_key`: it is about the key or the account, so no further submission has a chance."""

    code: str
    message: str
    for_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """Certainly not taken, and worth sending again. `retry_after_s` as the service told it, None if it did not; `pressed`: it
    says that too much was asked at once."""

    reason: str
    retry_after_s: float | None
    pressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Nobody can say from this reply whether the request was taken. `contested`: the service says that somebody bought under this
    very key, so sending it again tells nothing."""

    reason: str
    contested: bool = False


Submitted = Receipt | Refusal | NotTaken | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Not finished. `status` is the service's own word, `percent` 0 to 100."""

    status: str
    percent: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """Finished. `links` may be empty: completed without results. `charged` None: the service has not said."""

    links: tuple[str, ...]
    charged: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Ended without a clip. `transient`: the service calls it its own passing fault. `released`: the reservation was given back."""

    code: str
    message: str
    transient: bool
    cancelled: bool
    released: bool
    charged: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The service does not know the task (any more)."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """This poll told nothing about the task. `for_key`: the key was refused."""

    reason: str
    retry_after_s: float | None
    for_key: bool


Polled = Progress | Completed | Failure | Gone | Missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row of the account's task list. `created_s` is unix time by the service's clock; `status` its own word."""

    task_id: str
    status: str
    created_s: float | None
    charged: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An uploaded file: where it lies, and since and until when by the service's clock, each None where it did not say."""

    url: str
    uploaded_at: datetime | None
    expires_at: datetime | None

    def life_s(self, now: datetime) -> float | None:
        """Seconds from `now`, when it was uploaded, until it is gone: by the service's own two times where it tells both, since
        its clock need not be ours. None where it tells no end."""
        if self.expires_at is None:
            return None
        told = (self.expires_at - (self.uploaded_at or now)).total_seconds()
        return min(max(told, 0.0), UPLOAD_LIFE_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An account as the service tells it, in credits; each None where it does not.

    `remaining` may still be spent by this key: what the account has, and no more than the key's own allowance unless that is
    `unlimited`. `used` is all that was ever charged, to this key where the service counts by key.
    """

    remaining: Decimal | None
    used: Decimal | None
    unlimited: bool
