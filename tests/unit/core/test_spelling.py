from runner.core.spelling import nearest


def test_a_slip_is_led_back_to_its_word() -> None:
    assert nearest("promt", ["prompt", "params"]) == "prompt"
    assert nearest("negative-prompt", ["prompt", "negative_prompt"]) == "negative_prompt"
    assert nearest("Takes", ["takes"]) == "takes"


def test_a_word_like_none_of_them_suggests_nothing() -> None:
    assert nearest("lighting", ["prompt", "params", "takes"]) == ""
    assert nearest("x", []) == ""


def test_only_so_many_names_are_compared() -> None:
    assert nearest("last", (f"name{n}" for n in range(10**9))) == ""
