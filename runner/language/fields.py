"""Typed readers over the located tree. Each gives the value, or None after reporting why there is none."""

import json
import re
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Words
from decimal import Decimal, InvalidOperation

from runner.core.diagnostics import Label
from runner.language.document import comment_after
from runner.language.faults import Faults, suggested
from runner.language.node import Mapping, Node, Scalar, Sequence, Style
from runner.language.template import is_template

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
ID_RULE = "letters, digits, `_` and `-`, at most 64, the first a letter or digit"
TEMPLATED = "prompt, negative_prompt, title, image, videos, audio, trim, transition and every value of `params`"


def has_template(node: Node) -> bool:
    if isinstance(node, Scalar):
        return isinstance(node.value, str) and is_template(node.value)
    return next(_templates(node), None) is not None


def no_template(node: Node, name: str, faults: Faults) -> bool:
    """Whether `node` is free of templates, which its field does not take; what they gave may hold any text."""
    found = () if faults.rendered else tuple(_templates(node))
    for scalar in found:
        faults.add(
            "misplaced-template",
            f"{name} takes no template",
            scalar.span,
            help=f"templates are rendered in a shot's {TEMPLATED}",
        )
    return not found


def _templates(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar(value=str(value)):
            if is_template(value):
                yield node
        case Sequence():
            for part in node.items:
                yield from _templates(part)
        case Mapping():
            for entry in node:
                yield from _templates(entry.value)


def text(node: Node, name: str, faults: Faults, *, takes: str = "text") -> str | None:
    """A text that is not blank; a rendered one may be."""
    match node:
        case Scalar(value=str(value)):
            if value.strip() or faults.rendered:
                return value
            faults.add("no-value", f"{name} is empty", node.span, help="write its text, or take the line out")
        case Scalar(value=bool() | int() | float()):
            faults.add(
                "bad-type",
                f"{name} is {shown(node)}; it takes {takes}",
                node.span,
                help=f'a text that reads like something else is quoted: `"{node.text}"`',
            )
        case _:
            _other_type(node, name, takes, faults)
    return None


def fixed_text(node: Node, name: str, faults: Faults, *, takes: str = "text") -> str | None:
    """A text of a field that takes no template."""
    return text(node, name, faults, takes=takes) if no_template(node, name, faults) else None


def identifier(node: Node, name: str, faults: Faults) -> str | None:
    value = node.text if isinstance(node, Scalar) and _is_whole(node) else fixed_text(node, name, faults)
    return value if value is not None and lawful_id(value, node, name, faults) else None


def lawful_id(value: str, node: Node, name: str, faults: Faults) -> bool:
    if ID.fullmatch(value):
        return True
    mended = re.sub(r"[^A-Za-z0-9_-]+", "-", value).strip("-_")[:64]
    faults.add(
        "bad-id",
        f"{name} is `{clipped(value)}`; it is made of {ID_RULE}",
        node.span,
        help=f"for example `{mended}`" if mended else "",
    )
    return False


def whole(node: Node, name: str, faults: Faults, *, least: int | None = None, most: int | None = None) -> int | None:
    """A whole number from `least` to `most`; 2.0 is none."""
    takes = "a whole number"
    match node:
        case Scalar(value=int(value)) if not isinstance(node.value, bool):
            return value if _within(value, node, name, least, most, faults) else None
        case Scalar(value=float(value)) if value.is_integer():
            faults.add("bad-type", f"{name} is {shown(node)}; it takes {takes}", node.span, help=f"write {int(value)}")
        case _:
            _other_type(node, name, takes, faults, cast="int")
    return None


def amount(node: Node, name: str, faults: Faults, *, least: int = 0, unit: str) -> Decimal | None:
    """A number from `least`, exactly as it was written; `unit` is said in messages, as in "seconds"."""
    match node:
        case Scalar(value=int() | float()) if not isinstance(node.value, bool):
            value = exact(node)
            return value if _within(value, node, name, least, None, faults, unit=unit) else None
        case _:
            _other_type(node, name, f"a number of {unit}", faults, cast="float")
    return None


def exact(node: Scalar) -> Decimal:
    """The number as its digits say it, free of binary rounding."""
    try:
        return Decimal(node.text)
    except InvalidOperation:
        return Decimal(str(node.value))


def flag(node: Node, name: str, faults: Faults) -> bool | None:
    match node:
        case Scalar(value=bool(value)):
            return value
        case Scalar(value=str(word)) if word.casefold() in _BOOLEAN_SLIPS:
            meant = _BOOLEAN_SLIPS[word.casefold()]
            faults.add(
                "bad-type",
                f"{name} is {shown(node)}; it takes true or false",
                node.span,
                help=f"write {meant}; words such as `yes` and `no` are texts here",
            )
        case _:
            _other_type(node, name, "true or false", faults)
    return None


_BOOLEAN_SLIPS = {
    **dict.fromkeys(("yes", "on", "y", "true"), "true"),
    **dict.fromkeys(("no", "off", "n", "false"), "false"),
}


def listing(
    node: Node, name: str, faults: Faults, *, of: str, parts: Callable[[str], list[str]] = lambda whole: [whole]
) -> Sequence | None:
    """A list that is not empty; one text alone is shown as the list it should be, of its `parts`."""
    match node:
        case Sequence(items=()):
            faults.add(
                "no-value", f"{name} is an empty list", node.span, help="write its members, or take the line out"
            )
        case Sequence():
            return node
        case Scalar(value=str(value)) if value.strip() and not (has_template(node) and not faults.rendered):
            members = [_flow(clipped(part)) for part in parts(value)]
            advice = (
                f"write `[{', '.join(members)}]`"
                if 0 < len(members) <= 20
                else f"write each of its {of} as a member of a list"
            )
            faults.add("bad-type", f"{name} is {shown(node)}; it takes a list of {of}", node.span, help=advice)
        case _:
            _other_type(node, name, f"a list of {of}", faults)
    return None


def _flow(member: str) -> str:
    """A text as it is written in a list on one line."""
    is_plain = member.strip(" -") and not re.search(r"[\[\]{},:#&*!|>'\"%@`\\]", member)
    return member if is_plain else json.dumps(member, ensure_ascii=False)


def mapping(node: Node, name: str, faults: Faults, *, takes: str = "a mapping") -> Mapping | None:
    match node:
        case Mapping():
            return node
        case _:
            _other_type(node, name, takes, faults)
    return None


def known_keys(node: Mapping, lawful: Words[str], faults: Faults, *, of: str) -> bool:
    """Whether every key is one of `lawful`; `of` is whose keys they are, as in "a shot"."""
    strange = [entry.key for entry in node if entry.key.text not in lawful]
    for key in strange:
        faults.add(
            "unknown-key",
            f"{of} has no key `{clipped(key.text)}`",
            key.span,
            help=suggested(key.text, lawful, words=f"keys of {of}"),
        )
    return not strange


def shaped(node: Node, name: str, lawful: Words[str], faults: Faults) -> Mapping | None:
    """A mapping with none but the `lawful` keys."""
    tree = mapping(node, name, faults, takes=f"a mapping, `{{{', '.join(f'{key}: ...' for key in lawful)}}}`")
    return tree if tree is not None and known_keys(tree, lawful, faults, of=name) else None


def missing(node: Node, key: str, faults: Faults, *, of: str, help: str) -> None:  # noqa: A002
    """`key` must stand in `node` and does not; shown at its first line."""
    span = node.entries[0].key.span if isinstance(node, Mapping) and node.entries else node.span
    faults.add("missing-key", f"{of} has no `{key}`", span, help=help)


def no_value(node: Node, name: str, faults: Faults) -> None:
    """Reports a null where a value is taken, and the comment that may have swallowed it."""
    swallowed = comment_after(node) if isinstance(node, Scalar) else None
    written = isinstance(node, Scalar) and node.text
    if faults.rendered:
        help_line = "its template gave null; a default written in the template mends it: `{{ name or 'text' }}`"
    elif swallowed:
        help_line = f'`{swallowed[0]}` begins {_SWALLOWED[swallowed[0]]}; a text that begins with it is quoted: `"{clipped(swallowed)}"`'
    elif written:
        help_line = f"`{written}` says that there is no value; take the line out"
    else:
        help_line = "write the value behind the `:`, or take the line out"
    faults.add("no-value", f"{name} has no value", node.span, help=help_line)


_SWALLOWED = {"#": "a comment", "&": "an anchor", "!": "a tag"}


def explicit_null(at: Scalar, name: str, faults: Faults) -> None:
    """Reports a null that is not written in so many words: by a `null` a shot takes a default away, by a slip it does not."""
    if not at.text and comment_after(at) is None:
        faults.add("no-value", f"{name} has no value", at.span, help="write its value; `null` takes a default away")
    elif not at.text:
        no_value(at, name, faults)


def shown(node: Node) -> str:
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar(value=str(value)):
            return f"the text `{clipped(value)}`"
        case Scalar():
            return f"`{clipped(node.text)}`"


def clipped(value: str) -> str:
    """A text of any length as part of a sentence."""
    line = " ".join(value.split())
    return line if len(line) <= 60 else f"{line[:57]}..."


def twice(faults: Faults, name: str, again: Node, first: Node) -> None:
    """Two ids that are equal but for case, both places shown."""
    faults.add(
        "duplicate-id",
        f"{name} is taken; ids are unique without regard to case",
        again.span,
        label="again here",
        others=(Label(span=first.span, text="first here"),),
        help="give one of them another id",
    )


def _is_whole(node: Scalar) -> bool:
    return isinstance(node.value, int) and not isinstance(node.value, bool)


def _within(
    value: int | Decimal, node: Node, name: str, least: int | None, most: int | None, faults: Faults, *, unit: str = ""
) -> bool:
    if (least is None or value >= least) and (most is None or value <= most):
        return True
    if most is None:
        lawful = f"at least {least}"
    elif least is None:
        lawful = f"at most {most:,}"
    else:
        lawful = f"from {least} to {most:,}"
    unit = f" {unit}" if unit else ""
    faults.add("bad-value", f"{name} is {shown(node)}; it is {lawful}{unit}", node.span)
    return False


def _other_type(node: Node, name: str, takes: str, faults: Faults, *, cast: str = "") -> None:
    if isinstance(node, Scalar) and node.value is None:
        no_value(node, name, faults)
        return
    if not no_template(node, name, faults):
        return
    faults.add("bad-type", f"{name} is {shown(node)}; it takes {takes}", node.span, help=_cast_help(node, cast, faults))


def _cast_help(node: Node, cast: str, faults: Faults) -> str:
    if not (cast and isinstance(node, Scalar) and isinstance(node.value, str)):
        return ""
    try:
        float(node.value)
    except ValueError:
        return ""
    if faults.rendered:
        return f"cells of a table and `--var` values are text: `{{{{ ... | {cast} }}}}` makes a number"
    if node.style is Style.PLAIN:
        return f"that is a text to YAML 1.2; the number is written {float(node.value):g}"
    return f"without quotes it is a number: {node.value.strip()}"
