"""The words of the template language: its filters and tests, and what a name means that nothing defines."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.filters import FILTERS
from jinja2.tests import TESTS
from jinja2.utils import missing

from runner.language import operations
from runner.language.bounds import Unknown


def passed(function: Callable[..., Any]) -> int:
    """How many arguments Jinja puts before the value: 1 for functions that ask for the environment or the context."""
    return 1 if hasattr(function, "jinja_pass_arg") else 0


def _on_text(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter applied to the value as it would be shown."""
    first = passed(function)

    @wraps(function)
    def on_text(*args: Any, **kwargs: Any) -> Any:
        return function(*args[:first], operations.shown(args[first]), *args[first + 1 :], **kwargs)

    return on_text


# Jinja's filters that give no more than they take; what the first ones get is made a text before.
_TEXT_FILTERS = "capitalize lower title trim truncate upper wordcount"
_OTHER_FILTERS = (
    "abs d default dictsort first items last length count list map max min reject rejectattr reverse select selectattr "
    "sort unique"
)
FILTERS_HERE: Mapping[str, Callable[..., Any]] = {
    **{name: FILTERS[name] for name in _OTHER_FILTERS.split()},
    **{name: _on_text(FILTERS[name]) for name in _TEXT_FILTERS.split()},
    "float": operations.fractional,
    "format": operations.formatted,
    "int": operations.whole,
    "join": operations.joined,
    "replace": operations.replaced,
    "round": operations.rounded,
    "string": operations.shown,
    "sum": operations.summed,
}
# Filters whose value may be missing, and those that look an attribute up for each member.
OF_MISSING = frozenset(("default", "d"))
BY_ATTRIBUTE = frozenset(("map", "max", "min", "reject", "rejectattr", "select", "selectattr", "sort", "unique"))


def _comparison(word: str) -> Callable[[object, object], bool]:
    return lambda left, right: operations.compared(word, left, right)


_KIND_TESTS = "boolean defined false float integer iterable mapping none number sequence string true undefined"
KIND_TESTS: Mapping[str, Any] = {name: TESTS[name] for name in _KIND_TESTS.split()}

# Jinja's own `even` and `divisibleby` calculate `value % 2`: a text there is a pattern that may ask for a billion zeros.
VALUE_TESTS: Mapping[str, Callable[..., Any]] = {
    "divisibleby": lambda value, by: operations.calculated("%", operations.integer(value), operations.integer(by)) == 0,
    "even": lambda value: operations.integer(value) % 2 == 0,
    "odd": lambda value: operations.integer(value) % 2 == 1,
    **{
        name: _comparison(word)
        for name, word in {
            "eq": "eq",
            "ne": "ne",
            "lt": "lt",
            "le": "lteq",
            "gt": "gt",
            "ge": "gteq",
            "in": "in",
        }.items()
    },
}


class Missing(StrictUndefined):
    """What a name gives that nothing defines: any use of it is refused, but the question whether it is defined."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = None) -> None:
        def refusal(message: str) -> Unknown:
            return Unknown(name, None if obj is missing else obj, hint="the list is empty" if hint else "")

        super().__init__(hint, obj, name, exc=refusal)  # type: ignore[arg-type]  # it is called with a message, and raised


def present(value: Any) -> Any:
    """The value, if it is one. An `if` without `else` that is false gives an empty text, as in Jinja. Raises Unknown."""
    if isinstance(value, Missing):
        value._fail_with_undefined_error()
    return "" if isinstance(value, Undefined) else value


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: present(member) for key, member in value.items()}
    return type(value)(present(member) for member in value)


def _compared(left: object, words: tuple[str, ...], *others: object) -> bool:
    """`left < a < b ...`: true where each neighbours' comparison is."""
    for word, right in zip(words, others, strict=True):
        if not operations.compared(word, left, right):
            return False
        left = right
    return True


# What the fence writes where a template has operators and literals, under names that no template can write.
FENCED: Mapping[str, Callable[..., Any]] = {
    "~": lambda values: operations.joined([present(value) for value in values]),
    "<>": _compared,
    "[]": _literal,
    "[:]": operations.cut,
}
