"""Faults as a YAML file or a header tells them. Pure; every fault of the file is found, with its place."""

import re
from decimal import Decimal
from typing import Any

from runner.core.diagnostics import Rejected, Source, in_file_order
from runner.emulator.faults import FAULTS, At, Parameter, Type
from runner.emulator.mishaps import Mishap
from runner.emulator.refusals import Refusal, Side
from runner.emulator.scenarios import Chosen, Facts, Scenario, Scenarios
from runner.language import fields
from runner.language.document import parse
from runner.language.faults import Faults, suggested
from runner.language.node import Mapping as MappingNode
from runner.language.node import Node, Scalar, Sequence

ON = ("model", "prompt", "label", "nth", "first", "every", "probability")
MOST = 1_000_000
HEADER_CHARACTERS = 4000


def read(source: Source) -> Scenarios:
    """Raises Rejected."""
    faults = Faults()
    tree = fields.shaped(parse(source), "a faults file", ("$schema", "seed", "faults"), faults)
    seed: int | None = 0
    scenarios: list[Scenario] = []
    if tree is not None:
        if (at := tree.get("seed")) is not None:
            seed = fields.whole(at, "`seed`", faults, least=0, most=2**63 - 1)
        at = tree.get("faults")
        if at is None:
            fields.missing(
                tree, "faults", faults, of="a faults file", help="`faults: [accept-then-drop]` lists what goes wrong"
            )
        listed = fields.listing(at, "`faults`", faults, of="faults") if at is not None else None
        scenarios = [one for node in (listed.items if listed else ()) if (one := _scenario(node, faults))]
    if faults:
        raise Rejected(in_file_order(faults.found))
    return Scenarios(scenarios=tuple(scenarios), seed=seed or 0)


def of_header(text: str, lawful: tuple[At, ...], facts: Facts) -> tuple[Mishap, ...]:
    """The mishaps that the header X-Emulate-Fault asks for, by name or as JSON, one or a list. Raises Refusal 400."""
    try:
        return _mishaps(text, lawful, facts) if text else ()
    except ValueError as fault:
        raise Refusal(400, Side.QUERY, code="invalid_parameters", message=str(fault), param="X-Emulate-Fault") from None


def _mishaps(text: str, lawful: tuple[At, ...], facts: Facts) -> tuple[Mishap, ...]:
    if len(text) > HEADER_CHARACTERS:
        raise ValueError("the header is too long")
    faults = Faults()
    try:
        tree = parse(Source(path="X-Emulate-Fault", name="X-Emulate-Fault", text=text))
    except Rejected as rejected:
        raise ValueError(rejected.diagnostics[0].headline) from None
    nodes = tree.items if isinstance(tree, Sequence) else (tree,)
    chosen = [one for node in nodes if (one := _chosen(node, faults, ()))]
    if faults:
        first = faults.found[0]
        raise ValueError(f"{first.headline}; {first.help}" if first.help else first.headline)
    for one in chosen:
        if one.fault.at not in lawful:
            raise ValueError(f"a fault of {one.fault.at}s strikes nothing here")
    return tuple(one.mishap() for one in chosen if facts.sound or not one.fault.sound)


def _scenario(node: Node, faults: Faults) -> Scenario | None:
    chosen = _chosen(node, faults, ("on",))
    found: dict[str, Any] = {}
    at = node.get("on") if isinstance(node, MappingNode) else None
    tree = fields.shaped(at, "`on`", ON, faults) if at is not None else None
    for name in ("model", "label"):
        if tree and (said := tree.get(name)) is not None:
            found[name] = fields.fixed_text(said, f"`{name}`", faults)
    if tree and (said := tree.get("prompt")) is not None:
        found["prompt"] = _pattern(said, faults)
    counted = [name for name in ("nth", "first", "every") if tree and tree.get(name) is not None]
    for name in counted:
        assert tree is not None
        said = tree.get(name)
        assert said is not None
        found[name] = fields.whole(said, f"`{name}`", faults, least=1, most=MOST)
        if name != counted[0]:
            faults.add("one-of", f"`{name}` and `{counted[0]}` do not go together", said.span)
    if tree and (said := tree.get("probability")) is not None:
        found["probability"] = _probability(said, faults)
    if chosen is not None and chosen.fault.at is At.UPLOAD and found.keys() & {"model", "prompt", "label"}:
        faults.add("misplaced-key", "an upload has no model, prompt or label", at.span if at else None)
    return None if faults or chosen is None else Scenario(chosen=chosen, **found)


def _chosen(node: Node, faults: Faults, beside: tuple[str, ...]) -> Chosen | None:
    """A name alone, or a mapping with `fault` and the fault's own parameters."""
    tree = node if isinstance(node, MappingNode) else None
    name_node = tree.get("fault") if tree else node
    if name_node is None:
        fields.missing(node, "fault", faults, of="a fault", help="`fault: accept-then-drop` names it")
        return None
    name = fields.fixed_text(name_node, "`fault`", faults, takes="the name of a fault")
    if name is None:
        return None
    fault = FAULTS.get(name)
    if fault is None:
        help_line = suggested(name, tuple(FAULTS), words="faults")
        faults.add("bad-value", f"there is no fault `{name}`", name_node.span, help=help_line)
        return None
    values = {word: parameter.default for word, parameter in fault.parameters.items()}
    if tree is not None:
        fields.known_keys(tree, ("fault", *fault.parameters, *beside), faults, of=f"fault `{name}`")
        for word, parameter in fault.parameters.items():
            if (at := tree.get(word)) is not None:
                values[word] = _value(at, word, parameter, faults)
    return None if faults else Chosen(fault=fault, values=values)


def _value(node: Node, word: str, parameter: Parameter, faults: Faults) -> Any:
    name = f"`{word}`"
    match parameter.type:
        case Type.TRUTH:
            return fields.flag(node, name, faults)
        case Type.COUNT | Type.STATUS:
            if isinstance(node, Scalar) and parameter.words and node.text not in parameter.words:
                faults.add("bad-value", f"{name} is {node.text}; it is one of {', '.join(parameter.words)}", node.span)
                return None
            return fields.whole(node, name, faults, least=parameter.least, most=parameter.most)
        case Type.TEXT:
            text = fields.fixed_text(node, name, faults)
            if text is not None and parameter.words and text not in parameter.words:
                help_line = suggested(text, parameter.words, words="words")
                faults.add("bad-value", f"{name} is `{text}`", node.span, help=help_line)
            return text
        case Type.SECONDS | Type.NUMBER:
            unit = "seconds" if parameter.type is Type.SECONDS else "its unit"
            amount = fields.amount(node, name, faults, unit=unit)
            if amount is not None and parameter.most is not None and amount > parameter.most:
                faults.add("bad-value", f"{name} is {amount}; it is at most {parameter.most}", node.span)
            return amount


def _pattern(node: Node, faults: Faults) -> re.Pattern[str] | None:
    text = fields.fixed_text(node, "`prompt`", faults, takes="a regular expression")
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as fault:
        faults.add("bad-value", f"`prompt` is no regular expression: {fault.msg}", node.span)
        return None


def _probability(node: Node, faults: Faults) -> float | None:
    amount = fields.amount(node, "`probability`", faults, unit="1")
    if amount is not None and amount > Decimal(1):
        faults.add("bad-value", f"`probability` is {amount}; it is 0 to 1", node.span)
    return None if amount is None else float(amount)
