"""The journal's tables, and the values that go into their rows and come out of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from runner.core.lifecycle import Event
from runner.planning.history import Entry, Intent

# What each version added, in order; the journal's version is how many of them it has had. Never edited, only added to.
MIGRATIONS = (
    """
CREATE TABLE requests (key TEXT PRIMARY KEY, inputs TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE intents (
  key TEXT NOT NULL, purchase INTEGER NOT NULL, storyboard TEXT NOT NULL, take TEXT NOT NULL, model TEXT NOT NULL,
  service TEXT NOT NULL, account TEXT NOT NULL, idempotency_key TEXT NOT NULL, body BLOB NOT NULL,
  reserved TEXT NOT NULL, unit TEXT NOT NULL, UNIQUE (key, purchase));
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, event TEXT NOT NULL, key TEXT NOT NULL,
  purchase INTEGER NOT NULL, task_id TEXT, charged TEXT, detail TEXT NOT NULL,
  FOREIGN KEY (key, purchase) REFERENCES intents (key, purchase));
CREATE TABLE receipts (
  service TEXT NOT NULL, account TEXT NOT NULL, task_id TEXT NOT NULL, key TEXT NOT NULL, purchase INTEGER NOT NULL,
  UNIQUE (service, account, task_id));
CREATE TABLE takes (
  storyboard TEXT NOT NULL, service TEXT NOT NULL, take TEXT NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (storyboard, service, take)) WITHOUT ROWID;
CREATE TABLE outputs (
  path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, stamp TEXT NOT NULL, made_from TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE probes (sha256 TEXT NOT NULL, version INTEGER NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (sha256, version))
  WITHOUT ROWID;
CREATE TABLE durations (model TEXT NOT NULL, service TEXT NOT NULL, seconds REAL NOT NULL);
""",
    # What is written of money stays written, whoever opens the file.
    """
CREATE TRIGGER intents_stay BEFORE UPDATE ON intents BEGIN SELECT RAISE(ABORT, 'intents are only added'); END;
CREATE TRIGGER intents_remain BEFORE DELETE ON intents BEGIN SELECT RAISE(ABORT, 'intents are only added'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER receipts_stay BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are only added'); END;
CREATE TRIGGER receipts_remain BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are only added'); END;
""",
    # Media that lie at a service, so that no run uploads them again while they do.
    """
CREATE TABLE uploads (
  service TEXT NOT NULL, account TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL, expires_at TEXT NOT NULL,
  PRIMARY KEY (service, account, sha256)) WITHOUT ROWID;
""",
    # Saved plans: each as it was written (JSON, deflated), what became of it, and which purchases were made under it.
    """
CREATE TABLE plans (id TEXT PRIMARY KEY, at TEXT NOT NULL, document BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE plan_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, event TEXT NOT NULL CHECK (event IN ('begun', 'finished')),
  plan TEXT NOT NULL REFERENCES plans (id), UNIQUE (plan, event));
CREATE TABLE plan_intents (
  plan TEXT NOT NULL REFERENCES plans (id), key TEXT NOT NULL, purchase INTEGER NOT NULL,
  PRIMARY KEY (key, purchase), FOREIGN KEY (key, purchase) REFERENCES intents (key, purchase)) WITHOUT ROWID;
CREATE TRIGGER plans_stay BEFORE UPDATE ON plans BEGIN SELECT RAISE(ABORT, 'plans are only added'); END;
CREATE TRIGGER plans_remain BEFORE DELETE ON plans BEGIN SELECT RAISE(ABORT, 'plans are only added'); END;
CREATE TRIGGER plan_events_stay BEFORE UPDATE ON plan_events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER plan_events_remain BEFORE DELETE ON plan_events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER plan_intents_stay BEFORE UPDATE ON plan_intents BEGIN SELECT RAISE(ABORT, 'intents are only added'); END;
CREATE TRIGGER plan_intents_remain BEFORE DELETE ON plan_intents BEGIN SELECT RAISE(ABORT, 'intents are only added'); END;
""",
)
VERSION = len(MIGRATIONS)

ALL_INTENTS = """SELECT key, purchase, storyboard, take, model, service, account, idempotency_key, body, reserved, unit
FROM intents"""
ONE_INTENT = """INSERT INTO intents (key, purchase, storyboard, take, model, service, account, idempotency_key, body, reserved, unit)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


ALL_EVENTS = "SELECT at, event, key, purchase, task_id, charged, detail FROM events ORDER BY seq"
ONE_EVENT = "INSERT INTO events (at, event, key, purchase, task_id, charged, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"


def intent_row(i: Intent) -> tuple[object, ...]:
    named = (i.key, i.purchase, i.storyboard, i.take, i.model, i.service, i.account, i.idempotency_key)
    return (*named, i.body, str(i.reserved), i.unit)


def event_row(entry: Entry) -> tuple[object, ...]:
    charged = None if entry.charged is None else str(entry.charged)
    return (
        entry.at,
        entry.event.value,
        entry.key,
        entry.purchase,
        entry.task_id,
        charged,
        json.dumps(dict(entry.detail)),
    )


def intent_of(row: tuple[str, int, str, str, str, str, str, str, bytes, str, str]) -> Intent:
    key, purchase, storyboard, take, model, service, account, idempotency, body, reserved, unit = row
    return Intent(
        key=key,
        purchase=purchase,
        storyboard=storyboard,
        take=take,
        model=model,
        service=service,
        account=account,
        idempotency_key=idempotency,
        body=body,
        reserved=Decimal(reserved),
        unit=unit,
    )


def entries_of(
    rows: Iterable[tuple[str, str, str, int, str | None, str | None, str]], intents: Mapping[tuple[str, int], Intent]
) -> Iterator[Entry]:
    begun: set[tuple[str, int]] = set()
    for at, event, key, purchase, task_id, charged, detail in rows:
        place = (key, purchase)
        yield Entry(
            at=at,
            event=Event(event),
            key=key,
            purchase=purchase,
            intent=None if place in begun else intents[place],
            task_id=task_id,
            charged=None if charged is None else Decimal(charged),
            detail=mapping_of(detail),
        )
        begun.add(place)


def mapping_of(text: str) -> Mapping[str, object]:
    """Raises ValueError for what is no JSON mapping."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("a mapping was written there once")
    return value
