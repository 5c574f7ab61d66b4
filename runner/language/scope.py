"""Names a storyboard's templates and media words may use: `vars` and `references`, its own and those of its includes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.core.diagnostics import Label, Rejected, Source, Span
from runner.language import fields, node, paths
from runner.language.document import parse
from runner.language.faults import Faults
from runner.language.matrix import lawful_name
from runner.language.node import Node, Scalar, plain
from runner.language.references import Reference, read_references

_KEYS = ("vars", "references", "include", "$schema")
_MOST_FILES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A plain value (text, number, list, mapping) and where its name stands."""

    value: object
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Names of one file with those of its includes under them. `complete` is false where some could not be read."""

    variables: Mapping[str, Variable] = field(default_factory=dict)
    references: Mapping[str, Reference | None] = field(default_factory=dict)
    complete: bool = True


def read_variables(section: Node, faults: Faults) -> dict[str, Variable] | None:
    """One `vars` section; a name with a faulty value is kept, so that its uses are not reported as well."""
    entries = fields.mapping(section, "`vars`", faults, takes="a mapping of names to values")
    if entries is None:
        return None
    for entry in entries:
        named = f"the variable `{fields.clipped(entry.key.text)}`"
        lawful_name(entry.key, "a variable", faults)
        if isinstance(entry.value, Scalar) and entry.value.value is None:
            fields.no_value(entry.value, named, faults)
        fields.no_template(entry.value, named, faults)
    return {entry.key.text: Variable(value=plain(entry.value), span=entry.key.span) for entry in entries}


class Includes:
    """Follows `include` from file to file; each file is read once, however often it is named."""

    def __init__(self, read: paths.Read, faults: Faults) -> None:
        self._read, self._faults = read, faults
        self._scopes: dict[str, Scope] = {}

    def scope(self, tree: node.Mapping, source: Source) -> Scope:
        """The names of the storyboard `tree`: a later include wins over an earlier one, the file's own over both."""
        return self._scope(tree, {source.path: None})

    def _scope(self, tree: node.Mapping, chain: dict[str, Span | None]) -> Scope:
        """`chain` holds the files that led here and, but for the first, the places that name them."""
        variables: dict[str, Variable] = {}
        references: dict[str, Reference | None] = {}
        complete = True
        for below in self._included(tree.get("include"), chain):
            variables |= below.variables
            references |= below.references
            complete &= below.complete
        for name, found in (("vars", variables), ("references", references)):
            section = tree.get(name)
            if section is None:
                continue
            own = read_variables(section, self._faults) if name == "vars" else read_references(section, self._faults)
            complete &= own is not None
            found.update(own or {})  # type: ignore[arg-type]
        return Scope(variables=variables, references=references, complete=complete)

    def _included(self, section: Node | None, chain: dict[str, Span | None]) -> list[Scope]:
        if section is None:
            return []
        members = fields.listing(section, "`include`", self._faults, of="paths")
        return [_UNREADABLE] if members is None else [self._member(member, chain) for member in members.items]

    def _member(self, member: Node, chain: dict[str, Span | None]) -> Scope:
        written = fields.fixed_text(member, "`include`", self._faults, takes="paths")
        path = paths.resolved(written, member.span, self._faults) if written is not None else None
        if path is None:
            return _UNREADABLE
        if path in chain:
            first = chain[path]
            others = (Label(span=first, text="first included here"),) if first else ()
            self._faults.add(
                "include-cycle",
                f"`{path}` includes itself: {' -> '.join([*chain, path])}",
                member.span,
                others=others,
                help="take this include out",
            )
            return _UNREADABLE
        if path not in self._scopes:
            self._scopes[path] = self._file(path, member.span, {**chain, path: member.span})
        return self._scopes[path]

    def _file(self, path: str, span: Span, chain: dict[str, Span | None]) -> Scope:
        if len(chain) > _MOST_FILES or len(self._scopes) >= _MOST_FILES:
            self._faults.add("too-many", f"more than {_MOST_FILES} files are included", span)
            return _UNREADABLE
        source = paths.opened(path, span, self._read, self._faults)
        if source is None:
            return _UNREADABLE
        try:
            tree = parse(source)
        except Rejected as rejected:
            self._faults.extend(rejected.diagnostics)
            return _UNREADABLE
        if not isinstance(tree, node.Mapping):
            fields.mapping(
                tree, "an included file", self._faults, takes="a mapping of `vars`, `references` and `include`"
            )
            return _UNREADABLE
        fields.known_keys(tree, _KEYS, self._faults, of="an included file")
        return self._scope(tree, chain)


_UNREADABLE = Scope(complete=False)
