"""Every guard is seen to fail with the guard removed: ``make guards``. In the suite, only that the list still fits.

The lists beside this file say, rule by rule, which text of the source holds it and which tests notice its absence.
"""

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.guards.everything import LISTS
from tests.guards.guard import OWN_WORDS, ROOT, SOURCE, Ending, Guard, not_passed, not_seen
from tests.guards.proof import TEST_SECONDS, WAIT_SECONDS, copy_of_the_source, run

EACH = [
    pytest.param(guard, id=f"{name}: {guard.rule}", marks=[pytest.mark.postgresql] if guard.needs_postgresql else [])
    for name, guards in LISTS.items()
    for guard in guards
]
GUARDS = [guard for guards in LISTS.values() for guard in guards]


# ---- in the suite: the list fits the source and the tests


@cache
def functions_of(path: Path) -> dict[str, str]:
    """The decorators of every function in a file of tests, as text, by the function's name."""
    functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
    return {one.name: " ".join(ast.unparse(decorator) for decorator in one.decorator_list) for one in functions}


def misfits(guard: Guard) -> Iterator[str]:
    """What does not fit any more between a guard and the source, and between it and the tests."""
    source, removed = (SOURCE / guard.file).read_text(), guard.removed()
    if (count := source.count(guard.text)) != 1:
        yield f"its text stands {count} times in {guard.file}"
    elif removed == source:
        yield "to remove it changes nothing"
    compile(removed, guard.file, "exec", dont_inherit=True)
    if not 1 <= len(guard.tests) <= 3:
        yield f"{len(guard.tests)} tests"
    for test in guard.tests:
        file, _, function = test.partition("::")
        decorators = functions_of(ROOT / "tests" / file).get(function.partition("[")[0])
        if decorators is None:
            yield f"there is no {test}"
        elif "mark.soak" in decorators:
            yield f"{test} is not in the suite"


@pytest.mark.parametrize("guards", LISTS.values(), ids=LISTS)
def test_the_list_fits_the_source_and_the_tests(guards: tuple[Guard, ...]) -> None:
    assert {guard.rule: found for guard in guards if (found := list(misfits(guard)))} == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"text": "no such text"}, "its text stands 0 times in ids.py"),
        ({"text": "def new_", "without": "def old_"}, "its text stands 2 times in ids.py"),
        ({"without": "def new_id"}, "to remove it changes nothing"),
        ({"tests": ("house/test_ids.py::test_gone",)}, "there is no house/test_ids.py::test_gone"),
        ({"tests": ()}, "0 tests"),
        ({"tests": ("jobs/test_simulation.py::test_ten_thousand_seeds",)}, "is not in the suite"),
    ],
)
def test_what_does_not_fit_is_told(change: dict[str, Any], complaint: str) -> None:
    test = "house/test_ids.py::test_an_id_is_22_url_safe_characters_and_never_the_same"
    sound = Guard("a rule", "ids.py", "def new_id", "def another_id", (test,))
    assert list(misfits(sound)) == []
    (told,) = misfits(replace(sound, **change))
    assert complaint in told


def test_no_rule_stands_twice() -> None:
    rules = [guard.rule for guard in GUARDS]
    assert sorted(set(rules)) == sorted(rules)


EXAMPLE = Guard("a rule", "files.py", "a", "b", ("room/test_a.py::test_x", "room/test_a.py::test_y"))


def ended(test: str, error: str = "", message: str = "", phase: str = "call") -> Ending:
    return Ending(f"tests/room/test_a.py::{test}", phase, error, message)


def test_what_counts_as_seeing_it() -> None:
    one, two = (ended("test_x[1]", word) for word in ("", OWN_WORDS[0])), ended("test_y", OWN_WORDS[1], "DID NOT RAISE")
    assert not_seen(EXAMPLE, [*one, two]) == []


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        ([], "did not run"),
        ([ended("test_y")], "passes without the guard"),
        ([ended("test_yes", OWN_WORDS[0])], "did not run"),
        ([ended("test_y", "NameError", "name 'x'")], "failed in call with NameError"),
        ([ended("test_y", "AssertionError", "no server", "setup")], "failed in setup"),
        ([ended("test_y", "Failed", "Timeout (>60.0s) from pytest-timeout.")], "Timeout"),
    ],
)
def test_what_does_not(last: list[Ending], complaint: str) -> None:
    (told,) = not_seen(EXAMPLE, [ended("test_x", OWN_WORDS[0]), *last])
    assert complaint in told


def test_what_counts_as_passing() -> None:
    assert not_passed(EXAMPLE, [ended("test_x"), ended("test_y[a]"), ended("test_y[b]")]) == []
    assert len(not_passed(EXAMPLE, [ended("test_x"), ended("test_x", "ValueError")])) == 2


# ---- under make guards and make soak: the guards are taken away, one at a time


@pytest.fixture(scope="module")
def as_it_is(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Ending]:
    """How the tests of all the guards that are asked for end on the source as it is."""
    asked: list[Guard] = [
        item.callspec.params["guard"]  # type: ignore[attr-defined]
        for item in request.session.items
        if item.name.startswith("test_without_the_guard")
    ]
    tests = dict.fromkeys(test for guard in asked for test in guard.tests)
    folder = tmp_path_factory.mktemp("as_it_is")
    return run(list(tests), copy_of_the_source(folder / "source"), folder)


@pytest.mark.soak
@pytest.mark.parametrize("guard", EACH)
def test_without_the_guard_its_tests_fail(guard: Guard, as_it_is: list[Ending], tmp_path: Path) -> None:
    before = not_passed(guard, as_it_is)
    assert not before, "with the guard in its place:\n" + "\n".join(before)
    source, seconds = copy_of_the_source(tmp_path / "source", guard), WAIT_SECONDS if guard.waits else TEST_SECONDS
    unseen = not_seen(guard, run(guard.tests, source, tmp_path, seconds))
    assert not unseen, "\n".join(unseen)


@pytest.mark.soak
def test_a_change_that_removes_nothing_is_noticed(tmp_path: Path) -> None:
    test = "house/test_ids.py::test_an_id_is_22_url_safe_characters_and_never_the_same"
    idle = Guard("nothing", "ids.py", '"""', '"""', (test,))
    assert len(not_seen(idle, run(idle.tests, copy_of_the_source(tmp_path / "source", idle), tmp_path))) == 1
