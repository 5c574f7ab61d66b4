"""Switches are read as they are written, and what is no switch is refused with what is lawful."""

from dataclasses import fields

import pytest

from runner.emulator.refusals import Lack, Profile
from runner.emulator.switches import Switches, read


def test_none_given_is_all_at_their_defaults() -> None:
    assert read(()) == Switches()


def test_each_is_read_as_its_own_kind_and_the_last_of_each_counts() -> None:
    told = (
        "profile=documented",
        "object=true",
        "object=false",
        "wan25_prompt=1000",
        "task_hours=0.5",
        "long_prompt=cut",
    )
    assert read((*told, "lacks=idempotency, batch query", " head = false ")) == Switches(
        profile=Profile.DOCUMENTED,
        object=False,
        wan25_prompt=1000,
        task_hours=0.5,
        long_prompt="cut",
        lacks=frozenset({Lack.IDEMPOTENCY, Lack.BATCH}),
        head=False,
    )


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("objct=true", "did you mean `object`"),
        ("object", "NAME=VALUE"),
        ("object=yes", "true or false"),
        ("profile=old", "current or documented"),
        ("lacks=everything", "idempotency, "),
        ("wan25_prompt=many", "a number"),
        ("wan25_prompt=0", "1 to 2000"),
        ("task_hours=0", "more than 0"),
        ("task_hours=nan", "more than 0"),
        ("file_hours=-1", "more than 0"),
        ("", "there is no switch"),
    ],
)
def test_what_is_no_switch_says_what_is_lawful(pair: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read([pair])


def test_every_switch_can_be_said_as_its_default() -> None:
    for one in fields(Switches):
        default = getattr(Switches(), one.name)
        text = ",".join(default) if isinstance(default, frozenset) else str(default)
        assert read([f"{one.name}={text.lower() if isinstance(default, bool) else text}"]) == Switches()
