"""Accounts as a YAML file tells them. Pure; every fault of the file is found, with its place."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from runner.core.diagnostics import Rejected, Source, in_file_order
from runner.emulator.holders import DEFAULT, Holder, Key, Limits
from runner.language import fields
from runner.language.document import parse
from runner.language.faults import Faults
from runner.language.node import Mapping, Node, Scalar

_LIMITS = ("rate_per_s", "burst", "in_flight")
_ACCOUNT = ("name", "keys", "credits", "user_group", "files", "models", *_LIMITS)
_KEY = ("key", "name", "credits", "credits_per_day", "models", *_LIMITS, "disabled", "expires_at")
MOST = 1_000_000


def read(source: Source) -> tuple[Holder, ...]:
    """The accounts in their order, at least one. Raises Rejected."""
    faults = Faults()
    tree = fields.shaped(parse(source), "an accounts file", ("accounts",), faults)
    listed = tree.get("accounts") if tree else None
    if tree and listed is None:
        fields.missing(
            tree, "accounts", faults, of="an accounts file", help="`accounts: [{name: studio, keys: [sk-1]}]`"
        )
    nodes = fields.listing(listed, "`accounts`", faults, of="accounts") if listed else None
    holders = tuple(h for n, node in enumerate(nodes.items if nodes else (), 1) if (h := _holder(node, n, faults)))
    if not faults and nodes:
        _unlike(nodes.items, holders, faults)
    if faults:
        raise Rejected(in_file_order(faults.found))
    return holders


def _holder(node: Node, number: int, faults: Faults) -> Holder | None:
    tree = fields.shaped(node, "an account", _ACCOUNT, faults)
    if tree is None:
        return None
    if "keys" not in {entry.key.text for entry in tree}:
        fields.missing(tree, "keys", faults, of="an account", help="`keys: [sk-1]` lists what clients may show")
    found: dict[str, Any] = {"name": f"account {number}", **dict(_common(tree, faults))}
    for name in ("name", "user_group"):
        if (at := tree.get(name)) is not None:
            found[name] = fields.fixed_text(at, f"`{name}`", faults)
    if (at := tree.get("files")) is not None:
        found["files"] = fields.whole(at, "`files`", faults, least=0, most=MOST)
    at = tree.get("keys")
    listed = fields.listing(at, "`keys`", faults, of="keys") if at else None
    found["keys"] = tuple(k for n, one in enumerate(listed.items if listed else (), 1) if (k := _key(one, n, faults)))
    return None if faults else Holder(**found)


def _key(node: Node, number: int, faults: Faults) -> Key | None:
    """A key as a text alone, or with what it may do."""
    name = DEFAULT if number == 1 else f"key {number}"
    if isinstance(node, Scalar):
        secret = fields.fixed_text(node, "a key", faults)
        return Key(secret=secret, name=name) if secret else None
    tree = fields.shaped(node, "a key", _KEY, faults)
    if tree is None:
        return None
    if tree.get("key") is None:
        fields.missing(tree, "key", faults, of="a key", help="`key: sk-1` is what clients show")
    found: dict[str, Any] = {"name": name, **dict(_common(tree, faults))}
    for word, member in (("key", "secret"), ("name", "name")):
        if (at := tree.get(word)) is not None:
            found[member] = fields.fixed_text(at, f"`{word}`", faults)
    if (at := tree.get("credits_per_day")) is not None:
        found["credits_per_day"] = fields.amount(at, "`credits_per_day`", faults, unit="credits")
    if (at := tree.get("disabled")) is not None:
        found["disabled"] = fields.flag(at, "`disabled`", faults)
    if (at := tree.get("expires_at")) is not None:
        found["expires_at"] = _moment(at, faults)
    return None if faults else Key(**found)


def _common(tree: Mapping, faults: Faults) -> Iterator[tuple[str, Any]]:
    """What accounts and keys both have."""
    if (at := tree.get("credits")) is not None:
        yield "credits", fields.amount(at, "`credits`", faults, unit="credits")
    if (at := tree.get("models")) is not None:
        listed = fields.listing(at, "`models`", faults, of="models")
        names = [fields.fixed_text(one, "a model", faults) for one in (listed.items if listed else ())]
        yield "models", frozenset(name for name in names if name)
    rate, burst, in_flight = (tree.get(name) for name in _LIMITS)
    limits: dict[str, Any] = {}
    if (
        rate is not None
        and (amount := fields.amount(rate, "`rate_per_s`", faults, unit="submits a second")) is not None
    ):
        if amount == 0:
            faults.add("bad-value", "`rate_per_s` is 0; it is more than 0 submits a second", rate.span)
        limits["submits_per_s"] = float(amount)
    if burst is not None:
        limits["burst"] = fields.whole(burst, "`burst`", faults, least=1, most=MOST)
    if in_flight is not None:
        limits["in_flight"] = fields.whole(in_flight, "`in_flight`", faults, least=1, most=MOST)
    if not faults:
        yield "limits", Limits(**limits)


def _moment(node: Node, faults: Faults) -> float | None:
    """Unix seconds of a day or a moment; without a zone it is in UTC."""
    text = fields.fixed_text(node, "`expires_at`", faults, takes="a day or a moment, `2026-12-31T18:00:00Z`")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        faults.add(
            "bad-value",
            f"`expires_at` is {fields.shown(node)}; it is a day or a moment",
            node.span,
            help="for example `2026-12-31T18:00:00Z`",
        )
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _unlike(nodes: tuple[Node, ...], holders: tuple[Holder, ...], faults: Faults) -> None:
    """Names of accounts, names of an account's keys, and all keys, are each their own."""
    accounts: dict[str, Node] = {}
    secrets: dict[str, Node] = {}
    for node, holder in zip(nodes, holders, strict=True):
        _first(accounts, holder.name, node, "the name of an account", faults)
        names: dict[str, Node] = {}
        listed = node.get("keys") if isinstance(node, Mapping) else None
        for key in holder.keys:
            at = listed or node
            _first(names, key.name, at, "the name of a key", faults)
            _first(secrets, key.secret, at, "a key", faults)


def _first(seen: dict[str, Node], word: str, at: Node, named: str, faults: Faults) -> None:
    if word in seen:
        fields.twice(faults, named, at, seen[word])
    seen.setdefault(word, at)
