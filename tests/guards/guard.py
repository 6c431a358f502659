"""What a guard is, and what counts as seeing it: a line of the source, and the tests that fail once it is gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "linocut"

OWN_WORDS = ("AssertionError", "Failed")
"""How a test fails by what it says itself: an assertion, or pytest's word that nothing was raised."""


@dataclass(frozen=True)
class Guard:
    """One rule, the text in the source that holds it, and what that text becomes when the rule is taken away.

    ``file`` is named from ``src/linocut``, ``tests`` (node ids) from ``tests``. Without the guard each must fail by its
    own assertion, or with one of ``errors``. ``waits``: without it the test waits for ever, and its time-out tells.
    """

    rule: str
    file: str
    text: str
    without: str
    tests: tuple[str, ...]
    errors: tuple[str, ...] = ()
    waits: bool = False

    @property
    def needs_postgresql(self) -> bool:
        """Whether a test of it exists only where there is a PostgreSQL."""
        return any("postgresql" in test for test in self.tests)

    def removed(self) -> str:
        """The source file without the guard."""
        return (SOURCE / self.file).read_text().replace(self.text, self.without)


@dataclass(frozen=True)
class Ending:
    """How one test ended: ``test`` is its node id; ``error`` the kind of what it raised in ``phase``, "" for none."""

    test: str
    phase: str
    error: str
    message: str


def endings_of(test: str, endings: Iterable[Ending]) -> list[Ending]:
    """The endings of one node id, which stands for all its parameters where it names none."""
    wanted = f"tests/{test}"
    return [one for one in endings if one.test == wanted or ("[" not in test and one.test.startswith(f"{wanted}["))]


def not_passed(guard: Guard, endings: Sequence[Ending]) -> list[str]:
    """What keeps the guard's tests from having passed; nothing when all of them did."""
    complaints = [f"{test} did not run" for test in guard.tests if not endings_of(test, endings)]
    for test in guard.tests:
        complaints += [f"{one.test}: {one.error}: {one.message}" for one in endings_of(test, endings) if one.error]
    return complaints


def not_seen(guard: Guard, endings: Sequence[Ending]) -> list[str]:
    """What keeps the endings from showing that the guard's tests noticed; nothing when every one of them did."""
    complaints = []
    for test in guard.tests:
        ended = endings_of(test, endings)
        failed = [one for one in ended if one.error]
        if not ended:
            complaints.append(f"{test} did not run")
        elif not failed:
            complaints.append(f"{test} passes without the guard")
        complaints += [
            f"{one.test} failed in {one.phase} with {one.error}: {one.message}"
            for one in failed
            if not _tells(guard, one)
        ]
    return complaints


def _tells(guard: Guard, ending: Ending) -> bool:
    late = ending.error == "Failed" and ending.message.startswith("Timeout")
    if late:
        return guard.waits
    return ending.phase == "call" and ending.error in (*OWN_WORDS, *guard.errors)
