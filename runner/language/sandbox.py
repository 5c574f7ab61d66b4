"""Jinja behind a fence: what a template computes is bounded, and what it can reach is a mapping's keys.

Jinja's own sandbox stands behind ours: with no attribute to be had and no function to be called but `range`, there is
nothing for a template to find.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import islice
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.parser import Parser
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.language import bounds, operations
from runner.language.bounds import Meter, Refusal
from runner.language.fence import MOST_NODES, fenced, refuse_size
from runner.language.grammar import syntax_refusal
from runner.language.vocabulary import (
    BY_ATTRIBUTE,
    FENCED,
    FILTERS_HERE,
    KIND_TESTS,
    OF_MISSING,
    VALUE_TESTS,
    Missing,
    passed,
    present,
)

_LOOP = "index index0 revindex revindex0 first last length previtem nextitem cycle changed depth"
_MOST_FRAGMENTS = 8  # within each other
_VALUE = "__value"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template made into code; `steps` is what one pass over it costs."""

    template: Template
    steps: int


class Broken(Exception):
    """A rendering was refused. `trail`: template and line, from the one rendered (its name is empty) down to the place."""

    def __init__(self, refusal: Refusal, trail: tuple[tuple[str, int], ...]) -> None:
        self.refusal, self.trail = refusal, trail
        super().__init__(str(refusal))


class Sandbox(ImmutableSandboxedEnvironment):
    """`fragment(written, parent)` finds what `{% include written %}` means in the template `parent` (empty: the one
    rendered): the fragment's path, which becomes its name, and its text. It raises Refusal.
    """

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    intercepted_unops = frozenset("+-")

    def __init__(self, fragment: Callable[[object, str], tuple[str, str]]) -> None:
        super().__init__(undefined=Missing, finalize=_finalized, keep_trailing_newline=True, optimized=False)
        self._fragment = fragment
        self._fragments: dict[str, Compiled] = {}
        self.open: list[str] = []
        self.meter = Meter()
        self.globals = {"range": operations.counted}
        self.filters = {name: self._metered(name, function) for name, function in FILTERS_HERE.items()}
        self.tests = {**KIND_TESTS, **{name: self._metered(name, function) for name, function in VALUE_TESTS.items()}}
        self._words = frozenset(self.filters), frozenset(self.tests)
        self.filters |= {name: self._metered(name, function) for name, function in FENCED.items()}
        self.filters["for"] = self._looped

    # --- compiling ---

    def compiled(self, source: str, *, native: bool = False, name: str = "") -> Compiled:
        """`native`: of a template that is one expression, so that `value` can give what it is. Raises Refusal."""
        bounds.characters(len(source))
        if source.count("{{") + source.count("{%") > MOST_NODES // 2:  # each is two nodes at least
            refuse_size()
        tree, steps = fenced(self._parsed(source), *self._words)
        if native:
            tree = _assigned(tree)
            tree.set_environment(self)
        try:
            code = self.compile(tree, name or None, name or None)
        except TemplateSyntaxError as error:
            raise syntax_refusal(source, error.message or "", line=error.lineno, word="") from None
        except (SyntaxError, RecursionError, MemoryError):
            raise Refusal("template-limit", "the template is nested too deeply") from None
        return Compiled(Template.from_code(self, code, self.globals), steps)

    def _parsed(self, source: str) -> nodes.Template:
        parser = None
        try:
            parser = Parser(self, source)
            return parser.parse()
        except TemplateSyntaxError as error:
            current = parser.stream.current if parser else None
            word = str(current.value) if current and current.lineno == error.lineno else ""
            raise syntax_refusal(source, error.message or "", line=error.lineno, word=word) from None
        except RecursionError:
            raise Refusal("template-limit", "the template is nested too deeply") from None
        except ValueError:  # a number of thousands of digits
            raise Refusal("template-limit", "a number in the template grows too large") from None

    # --- rendering ---

    def text(self, compiled: Compiled, names: Mapping[str, object]) -> str:
        """Raises Broken."""
        pieces: list[str] = []
        length = 0
        try:
            context = self._begin(compiled, names)
            for piece in compiled.template.root_render_func(context):
                length = bounds.characters(length + len(piece))
                pieces.append(piece)
        except _FAILURES as error:
            _break(error)
        return "".join(pieces)

    def value(self, compiled: Compiled, names: Mapping[str, object]) -> object:
        """What the one expression of a `native` template gives, as JSON that nobody else holds. Raises Broken."""
        try:
            context = self._begin(compiled, names)
            for _ in compiled.template.root_render_func(context):
                pass
            found = context.vars[_VALUE]
            if type(found) is Undefined:
                raise Refusal("template-value", "the `if` is false and has no `else`", word="if")
            return bounds.copied(present(found))
        except _FAILURES as error:
            _break(error)

    def _begin(self, compiled: Compiled, names: Mapping[str, object]) -> Context:
        self.open = []
        self.meter.begin()
        self.meter.charge(compiled.steps)
        return compiled.template.new_context(dict(names))

    # --- what code made of a template calls ---

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002
        path, text = self._fragment(present(name), parent or "")
        if path in self.open:
            raise Refusal(
                "template-include", f"`{path}` includes itself: {' -> '.join([*self.open, path])}", word=str(name)
            )
        if len(self.open) >= _MOST_FRAGMENTS:
            raise Refusal("template-limit", f"more than {_MOST_FRAGMENTS} fragments include each other", word=str(name))
        if path not in self._fragments:
            try:
                self._fragments[path] = self.compiled(text, name=path)
            except Refusal as refusal:
                raise _InFragment(refusal, path) from None
        return _Fragment(self, path, self._fragments[path])

    def get_or_select_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002
        return self.get_template(name, parent)

    def select_template(self, names: Any, parent: str | None = None, globals: Any = None) -> Any:  # noqa: A002
        raise Refusal("template-include", "an include takes one path")

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext) and attribute in _LOOP.split():
            return getattr(obj, attribute)
        return self.undefined(obj=present(obj), name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            if isinstance(obj, Mapping) or (isinstance(obj, list | tuple | str) and isinstance(argument, int)):
                return obj[argument]
        except LookupError:
            pass
        return self.undefined(obj=present(obj), name=present(argument))

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        owner = getattr(function, "__self__", None)
        if function is not operations.counted and not isinstance(owner, LoopContext):
            raise Refusal("template-value", f"{bounds.kind_of(function)} cannot be called", word="range")
        self.meter.charge(bounds.weight([present(argument) for argument in args]))
        with _naming("range"):
            return function(*args)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        self.meter.charge(bounds.weight(present(left)) + bounds.weight(present(right)))
        with _naming(operator):
            return operations.calculated(operator, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        if not isinstance(present(arg), int | float):
            raise Refusal("template-value", f"`{operator}` takes a number, not {bounds.kind_of(arg)}", word=operator)
        return -arg if operator == "-" else arg

    def _metered(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with its arguments and its result weighed."""
        first = passed(function)

        @wraps(function)
        def metered(*args: Any, **kwargs: Any) -> Any:
            unchecked = first + 1 if name in OF_MISSING else first
            given = (*args[:unchecked], *map(present, args[unchecked:]))
            named = {key: present(value) for key, value in kwargs.items()}
            steps = [bounds.weight(value) for value in (*given[first:], *named.values())]
            if name in BY_ATTRIBUTE:  # `attribute='a.b,c.d'` is looked up for each member
                lookups = sum(len(value) for value in (*given[first + 1 :], *named.values()) if isinstance(value, str))
                steps[0] *= 1 + lookups
            self.meter.charge(sum(steps))
            with _naming(name):
                result = function(*given, **named)
                if isinstance(result, Iterator):
                    result = list(islice(result, bounds.MOST_CHARACTERS))
                self.meter.charge(bounds.weight(result))
            return result

        return metered

    def _looped(self, value: Any, cost: int) -> Any:
        found = operations.members(present(value))
        self.meter.charge(len(found) * cost)
        return found


class _Fragment:
    """An included template as code made of a template uses it; it is open while it is rendered."""

    def __init__(self, sandbox: Sandbox, path: str, compiled: Compiled) -> None:
        self._sandbox, self._path, self._compiled = sandbox, path, compiled
        self.new_context = compiled.template.new_context

    def root_render_func(self, context: Context) -> Iterator[str]:
        self._sandbox.meter.charge(self._compiled.steps)
        self._sandbox.open.append(self._path)
        yield from self._compiled.template.root_render_func(context)
        self._sandbox.open.pop()


def _assigned(tree: nodes.Template) -> nodes.Template:
    """The template that keeps the value of the one expression that `tree` prints."""
    parts = [part for output in tree.find_all(nodes.Output) for part in output.nodes]
    printed = [part for part in parts if not isinstance(part, nodes.TemplateData)]
    literal = "".join(part.data for part in parts if isinstance(part, nodes.TemplateData))
    if len(printed) != 1 or literal.strip() or any(not isinstance(part, nodes.Output) for part in tree.body):
        raise Refusal(
            "template-syntax", "this is more than one expression", line=tree.body[0].lineno if tree.body else 1
        )
    line = printed[0].lineno
    return nodes.Template([nodes.Assign(nodes.Name(_VALUE, "store", lineno=line), printed[0], lineno=line)], lineno=1)


class _InFragment(Exception):
    """The refusal of a fragment that cannot be compiled, on its way up."""

    def __init__(self, refusal: Refusal, path: str) -> None:
        self.refusal, self.path = refusal, path


_FAILURES = (
    Refusal, _InFragment, TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    RecursionError, MemoryError,
)  # fmt: skip


def _break(error: Exception) -> NoReturn:
    """Raises Broken for whatever a rendering ended with, with the lines of the templates it ran through."""
    trail = []
    frame = error.__traceback__
    while frame is not None:
        template = frame.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            trail.append((template.name or "", template.get_corresponding_lineno(frame.tb_lineno)))
        frame = frame.tb_next
    match error:
        case _InFragment():
            trail.append((error.path, error.refusal.line))
            raise Broken(error.refusal, tuple(trail)) from None
        case Refusal():
            raise Broken(error, tuple(trail)) from None
    raise Broken(Refusal("template-value", _reason(error, "the template")), tuple(trail)) from None


# Python's words for what a template can still do wrong, and ours; `{}` is who did it, `{0}` what the pattern caught.
_REASONS = (
    ("unhashable", "a key is a text or a number, not a list or a mapping"),
    ("to unpack", "the names on the left are not as many as the members of the value"),
    ("recursion", "the template is nested too deeply"),
    ("unexpected keyword argument '(.*)'", "{who} takes no `{0}`"),
    ("positional arguments? but", "{who} is given too many arguments"),
    ("missing .* positional argument", "{who} is given too few arguments"),
)


def _reason(error: Exception, who: str) -> str:
    for pattern, words in _REASONS:
        found = re.search(pattern, str(error))
        if found:
            return words.format(*found.groups(), who=who)
    return f"{who} cannot work on such a value"


@contextmanager
def _naming(word: str) -> Iterator[None]:
    """A refusal within names the operator or filter that refused, in the message and under the caret."""
    try:
        yield
    except Refusal as refusal:
        refusal.word = refusal.word or word
        raise
    except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as error:
        raise Refusal("template-value", _reason(error, f"`{word}`"), word=word) from None


@pass_context
def _finalized(context: Context, value: Any) -> str:
    """What `{{ value }}` puts into the text. That it takes the context keeps Jinja from calling it at compile time."""
    text = operations.shown(present(value))
    environment = context.environment
    assert isinstance(environment, Sandbox)
    environment.meter.charge(1 + bounds.characters(len(text)) // 16)
    return text
