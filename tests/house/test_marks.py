"""No test is lost between the runs: each mark of another run has its target, and CI runs the long tests too."""

from pathlib import Path

import pytest
from tests.marks import OTHER_RUNS, is_asked, long_but

ROOT = Path(__file__).parents[2]
SUITE = ["tests/mini", "tests"]


@pytest.mark.parametrize(
    ("marks", "expression", "arguments", "asked"),
    [
        (set(), "", SUITE, True),
        ({"postgresql"}, "", SUITE, True),
        ({"long"}, "", SUITE, False),
        ({"long"}, "long", SUITE, True),
        ({"long"}, "soak", SUITE, False),
        ({"soak"}, "long", SUITE, False),
        ({"soak"}, "soak", SUITE, True),
        ({"cluster"}, "soak", SUITE, False),
        ({"cluster"}, "cluster", SUITE, True),
        ({"long", "soak"}, "long", SUITE, False),
        ({"long", "soak"}, "soak", SUITE, True),
        ({"long"}, "", ["tests/house/test_ids.py::test_it"], True),
        ({"soak"}, "", ["tests/house/test_ids.py::test_it"], False),
        ({"long"}, "", ["tests/house/test_ids.py"], False),
    ],
)
def test_each_test_is_of_one_run(marks: set[str], expression: str, arguments: list[str], asked: bool) -> None:
    assert is_asked(marks, expression, arguments) is asked


def test_what_is_no_quick_case_is_long() -> None:
    one, two = long_but(["a"], ["a", "b"])
    assert one == "a"
    assert (two.values, [mark.name for mark in two.marks]) == (("b",), ["long"])
    three, four = long_but([("a", 1)], [("a", 1), ("a", 2)])
    assert three == ("a", 1)
    assert (four.values, [mark.name for mark in four.marks]) == (("a", 2), ["long"])
    with pytest.raises(AssertionError, match="not all among"):
        long_but(["c"], ["a", "b"])


def test_every_run_has_its_target_and_ci_runs_all_but_the_campaigns() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {"cluster": "cluster-test", "soak": "soak", "long": "test-long"}
    assert set(targets) == set(OTHER_RUNS)
    for mark, target in targets.items():
        recipe = makefile.partition(f"\n{target}:")[2].partition("\n\n")[0]
        assert f" -m {mark} " in recipe, target
    run = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in run if line.startswith("make ") and len(line.split()) == 2] == [
        "make test",
        "make test-long",
        "make cluster-test",
        "make console-test",
    ]
