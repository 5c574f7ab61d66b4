"""What a template may write: its parsed tree is held to a list, and whatever can grow or go on becomes a bounded call.

The calls are filters under names that no template can write; `sandbox` gives them their meaning:
`~` joins texts, `<>` compares, `[]` weighs a literal, `[:]` cuts, `for` counts the rounds of a loop.
"""

import math
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from runner.core.spelling import nearest
from runner.language.bounds import Refusal, bits
from runner.language.grammar import STATEMENTS

MOST_NODES = 5_000
_MOST_LEVELS = 60
_MOST_LOOPS = 8  # within each other

_LAWFUL = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign, nodes.Include, nodes.Name,
    nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call,
    nodes.Keyword, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.BinExpr,
    nodes.UnaryExpr,
)  # fmt: skip

_STATEMENTS: dict[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.Block: "block",
    nodes.Extends: "extends",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "set",
    nodes.With: "with",
    nodes.NSRef: "set",
}

# Filters whose first argument names a filter or test, and the argument's position.
_FILTER_NAMED = {"map": 0}
_TEST_NAMED = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}


def fenced(tree: nodes.Template, filters: frozenset[str], tests: frozenset[str]) -> tuple[nodes.Template, int]:
    """The tree with its bounded calls, and its size in nodes. Raises Refusal for what is not on the list."""
    size = _measured(tree)
    _Fence(filters, tests).visit(tree)
    return tree, size


def _measured(tree: nodes.Node) -> int:
    """Its nodes, level by level and not by recursion: what follows may recurse on a tree of so many levels."""
    size, level = 0, [tree]
    for _ in range(_MOST_LEVELS):
        size += len(level)
        if size > MOST_NODES:
            refuse_size()
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return size
    raise Refusal("template-limit", "the template is nested too deeply")


def refuse_size() -> NoReturn:
    raise Refusal("template-limit", f"the template has more than {MOST_NODES:,} parts", help="make it several")


class _Fence(NodeTransformer):
    def __init__(self, filters: frozenset[str], tests: frozenset[str]) -> None:
        self._filters, self._tests = filters, tests
        self._loops = 0

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(node, _LAWFUL):
            word = _STATEMENTS.get(type(node), "")
            what = f"`{{% {word} %}}` is not used here" if word else "this is not used here"
            raise Refusal("template-syntax", what, help=f"templates know {STATEMENTS}", word=word, line=node.lineno)
        return super().visit(node, *args, **kwargs)

    # --- statements ---

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            _refuse(node, "a loop cannot be `recursive` here", "recursive")
        self._loops += 1
        if self._loops > _MOST_LOOPS:
            raise Refusal("template-limit", f"more than {_MOST_LOOPS} loops stand within each other", line=node.lineno)
        cost = 1 + sum(_measured(part) for part in node.body) + (_measured(node.test) if node.test else 0)
        self.generic_visit(node)
        self._loops -= 1
        node.iter = _call("for", node.iter, nodes.Const(cost, lineno=node.lineno))
        return node

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        if node.ignore_missing or not node.with_context:
            _refuse(node, "an include is its path and nothing more: `{% include 'path' %}`", "include")
        return self.generic_visit(node)

    # --- expressions ---

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.name == "self" or (node.name == "loop" and node.ctx == "store"):
            _refuse(node, f"`{node.name}` is a word of the template language", node.name)
        return node

    def visit_Const(self, node: nodes.Const) -> nodes.Node:  # noqa: N802
        if isinstance(node.value, int):
            bits(node.value)
        elif isinstance(node.value, float) and not math.isfinite(node.value):
            _refuse(node, "this number is larger than any a request can hold", "")
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        target = node.node
        match target:
            case nodes.Name(name="range") | nodes.Getattr(node=nodes.Name(name="loop"), attr="cycle" | "changed"):
                return self.generic_visit(node)
            case nodes.Getattr(attr=name) if name in self._filters:
                _refuse(node, f"values have no methods here: `.{name}(...)`", name, f"there is a filter: `x | {name}`")
            case nodes.Getattr(attr=name):
                _refuse(node, f"values have no methods here: `.{name}(...)`", name, self._known_filters())
            case nodes.Name(name=name) if name in self._filters:
                _refuse(node, f"`{name}` is a filter and not a function", name, f"write `x | {name}`")
            case nodes.Name(name=name):
                _refuse(node, f"there is no function `{name}`", name, "the one function is `range`")
        return _refuse(node, "this is no function", "", "the one function is `range`")

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        if node.name not in self._filters:
            self._unknown(node, "filter", node.name, self._filters)
        for positions, known, what in ((_FILTER_NAMED, self._filters, "filter"), (_TEST_NAMED, self._tests, "test")):
            position = positions.get(node.name, len(node.args))
            if position < len(node.args):
                named = node.args[position]
                if not isinstance(named, nodes.Const) or not isinstance(named.value, str):
                    _refuse(node, f"`{node.name}` takes the {what}'s name as a text", node.name)
                if named.value not in known:
                    self._unknown(node, what, named.value, known)
        return self.generic_visit(node)

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        if node.name not in self._tests:
            self._unknown(node, "test", node.name, self._tests)
        return self.generic_visit(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.arg, nodes.Slice):
            return node
        parts = (node.arg.start, node.arg.stop, node.arg.step)
        return _call("[:]", node.node, *(part or nodes.Const(None, lineno=node.lineno) for part in parts))

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("~", nodes.List(node.nodes, lineno=node.lineno))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        words = nodes.Const(tuple(operand.op for operand in node.ops), lineno=node.lineno)
        return _call("<>", node.expr, words, *(operand.expr for operand in node.ops))

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("[]", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("[]", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("[]", node) if node.ctx == "load" else node

    def _unknown(self, node: nodes.Node, what: str, name: str, known: frozenset[str]) -> NoReturn:
        meant = nearest(name, sorted(known))
        listed = f"{what}s: {', '.join(sorted(known))}"
        raise Refusal(
            "unknown-filter",
            f"there is no {what} `{name}`",
            help=f"did you mean `{meant}`? {listed}" if meant else listed,
            word=name,
            line=node.lineno,
        )

    def _known_filters(self) -> str:
        return f"filters: {', '.join(sorted(self._filters))}"


def _call(name: str, value: Any, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=value.lineno)


def _refuse(node: nodes.Node, headline: str, word: str, advice: str = "") -> NoReturn:
    raise Refusal("template-syntax", headline, help=advice, word=word, line=node.lineno)
