"""The life of one purchase as one literal table.

A purchase is one attempt to have a request made: it begins with an intent and ends in one of the ends below. The table is
pure and knows neither journal nor network; the journal folds its events through it, so a history that the table does not
allow is a damaged journal and never a guess.
"""

from enum import StrEnum


class State(StrEnum):
    INTENDED = "intended"  # durable intent; the POST may be on its way, its answer is not known
    HELD = "held"  # the POST was certainly not taken; the same bytes may be sent again
    WAITING = "waiting"  # receipt: the service has given a task id
    COMPLETED = "completed"  # the task is done, its links are known
    DONE = "done"  # the clip is checked, on disk and synced
    MISSING = "missing"  # done once, and its bytes are not on this machine
    REFUSED = "refused"  # the service said no before it took anything
    FAILED = "failed"  # the task ended without a clip
    CANCELLED = "cancelled"
    LOST = "lost"  # the service no longer knows a task it once knew
    EXPIRED = "expired"  # the link is dead and the task is gone
    OVERDUE = "overdue"  # our deadline, not a failure: the same command goes on waiting
    UNFETCHED = "unfetched"  # completed, but the clip is not safely on disk yet
    UNKNOWN = "unknown"  # the answer to the POST was lost: it may have been taken
    DISCLAIMED = "disclaimed"  # unknown, and a person declared that it was not taken
    WRITTEN_OFF = "written-off"  # unknown, and a person chose to buy again: its reservation stays counted
    VOID = "void"  # its service died with its process; it owed nothing


class Event(StrEnum):
    SEND = "send"  # written before the bytes leave
    NOT_TAKEN = "not-taken"
    REFUSED = "refused"
    RECEIPT = "receipt"  # written before the first poll
    REPLAYED = "replayed"  # written before the same bytes leave once more under the same idempotency key
    UNANSWERED = "unanswered"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    UNFETCHED = "unfetched"
    FETCHED = "fetched"
    MISPLACED = "misplaced"  # a clip once fetched is no longer where it was, or has other bytes
    ADOPTED = "adopted"  # a clip's very bytes were found in the out folder
    UNAVAILABLE = "unavailable"  # the service gives out no more what is missing here
    RESUMED = "resumed"
    TAKEN_OVER = "taken-over"  # bought by another account, and answers to this one
    ATTACHED = "attached"  # a person has found the task of an unknown purchase
    DISCLAIMED = "disclaimed"  # a person knows that it was not taken
    WRITTEN_OFF = "written-off"
    VOIDED = "voided"


class Unlawful(ValueError):
    """An event that its state does not allow."""

    def __init__(self, state: State | None, event: Event) -> None:
        super().__init__(f"a purchase that is {state or 'new'} cannot take the event {event}")


S, E = State, Event
TABLE: dict[tuple[State | None, Event], State] = {
    (None, E.SEND): S.INTENDED,
    (S.INTENDED, E.NOT_TAKEN): S.HELD,
    (S.INTENDED, E.REFUSED): S.REFUSED,
    (S.INTENDED, E.RECEIPT): S.WAITING,
    (S.INTENDED, E.REPLAYED): S.INTENDED,
    (S.INTENDED, E.UNANSWERED): S.UNKNOWN,
    (S.INTENDED, E.VOIDED): S.VOID,
    (S.HELD, E.SEND): S.INTENDED,
    (S.HELD, E.VOIDED): S.VOID,
    (S.WAITING, E.COMPLETED): S.COMPLETED,
    (S.WAITING, E.FAILED): S.FAILED,
    (S.WAITING, E.CANCELLED): S.CANCELLED,
    (S.WAITING, E.LOST): S.LOST,
    (S.WAITING, E.OVERDUE): S.OVERDUE,
    (S.WAITING, E.RESUMED): S.WAITING,
    (S.WAITING, E.TAKEN_OVER): S.WAITING,
    (S.WAITING, E.ATTACHED): S.WAITING,  # the task a person named before was another's
    (S.WAITING, E.VOIDED): S.VOID,
    (S.OVERDUE, E.RESUMED): S.WAITING,
    (S.OVERDUE, E.ATTACHED): S.WAITING,
    (S.OVERDUE, E.VOIDED): S.VOID,
    (S.COMPLETED, E.COMPLETED): S.COMPLETED,  # a fresh link
    (S.COMPLETED, E.FETCHED): S.DONE,
    (S.COMPLETED, E.UNFETCHED): S.UNFETCHED,
    (S.COMPLETED, E.EXPIRED): S.EXPIRED,
    (S.COMPLETED, E.TAKEN_OVER): S.COMPLETED,
    (S.COMPLETED, E.VOIDED): S.VOID,
    (S.UNFETCHED, E.COMPLETED): S.COMPLETED,
    (S.UNFETCHED, E.UNFETCHED): S.UNFETCHED,
    (S.UNFETCHED, E.TAKEN_OVER): S.UNFETCHED,
    (S.UNFETCHED, E.EXPIRED): S.EXPIRED,
    (S.UNFETCHED, E.VOIDED): S.VOID,
    (S.DONE, E.MISPLACED): S.MISSING,
    (S.DONE, E.ADOPTED): S.DONE,  # known by digest alone until now
    (S.MISSING, E.ADOPTED): S.DONE,
    (S.MISSING, E.COMPLETED): S.COMPLETED,  # its task still answers: fetched again for nothing
    (S.MISSING, E.UNAVAILABLE): S.MISSING,
    (S.MISSING, E.EXPIRED): S.EXPIRED,  # as it was told before there was a word for it
    (S.MISSING, E.TAKEN_OVER): S.MISSING,
    (S.MISSING, E.VOIDED): S.VOID,
    (S.UNKNOWN, E.ATTACHED): S.WAITING,
    (S.UNKNOWN, E.DISCLAIMED): S.DISCLAIMED,
    (S.UNKNOWN, E.WRITTEN_OFF): S.WRITTEN_OFF,
    (S.UNKNOWN, E.VOIDED): S.VOID,
    (S.WRITTEN_OFF, E.ATTACHED): S.WAITING,  # found after all
    (S.WRITTEN_OFF, E.VOIDED): S.VOID,
    (S.DISCLAIMED, E.ATTACHED): S.WAITING,
    (S.DISCLAIMED, E.VOIDED): S.VOID,
    # Ends whose reservation is kept are asked about once more by every run: the service may know better by now.
    (S.FAILED, E.COMPLETED): S.COMPLETED,  # completed without results then, with them now
    (S.FAILED, E.FAILED): S.FAILED,  # the reservation was given back since
    (S.FAILED, E.VOIDED): S.VOID,
    (S.CANCELLED, E.COMPLETED): S.COMPLETED,
    (S.CANCELLED, E.CANCELLED): S.CANCELLED,
    (S.CANCELLED, E.VOIDED): S.VOID,
    (S.LOST, E.COMPLETED): S.COMPLETED,
    (S.LOST, E.FAILED): S.FAILED,
    (S.LOST, E.CANCELLED): S.CANCELLED,
    (S.LOST, E.RESUMED): S.WAITING,
    (S.LOST, E.VOIDED): S.VOID,
    (S.EXPIRED, E.COMPLETED): S.COMPLETED,
    (S.EXPIRED, E.ADOPTED): S.DONE,  # fetched once before
    (S.EXPIRED, E.VOIDED): S.VOID,
}

# What a later run does with a purchase in each state: exactly one of these sets holds every state.
IN_DOUBT = frozenset({S.INTENDED})  # found at start: becomes unknown before anything else happens
OPEN = frozenset({S.WAITING, S.COMPLETED, S.OVERDUE, S.UNFETCHED})  # resumed, never bought again
ENDED = frozenset({S.FAILED, S.CANCELLED, S.LOST, S.EXPIRED})  # kept; bought again only by --retry
UNTAKEN = frozenset({S.HELD, S.REFUSED, S.VOID, S.DISCLAIMED})  # certainly nothing was taken: free to buy
GIVEN_UP = frozenset({S.WRITTEN_OFF})  # may have been taken, and is bought again all the same
# and DONE is reused, UNKNOWN is settled by a person; MISSING is looked for here and at its service, else bought on demand.

# States in which what was reserved still counts as committed when no charge is known.
COMMITS = frozenset(
    {
        S.INTENDED,
        S.WAITING,
        S.COMPLETED,
        S.DONE,
        S.MISSING,
        S.UNKNOWN,
        S.WRITTEN_OFF,
        S.LOST,
        S.EXPIRED,
        S.OVERDUE,
        S.UNFETCHED,
        S.FAILED,
        S.CANCELLED,
    }
)


def step(state: State | None, event: Event) -> State:
    """The state after `event`; `None` is a purchase of which nothing is known. Raises `Unlawful`."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise Unlawful(state, event) from None
