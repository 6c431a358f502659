"""No prompt takes long: every pattern, and the whole way of a text to its caption, on 10,000 characters."""

import importlib
import pkgutil
import re
import re._constants as constants
import re._parser as parser
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from tests.pace import paced_seconds

from linocut import captions, generation, prompting, safety
from linocut.api.translate.versions import V3
from linocut.captions import caption_text
from linocut.errors import Unsafe
from linocut.generation.checking import LONGEST_PROMPT
from linocut.generation.sizes import ratio_of_text
from linocut.prompting import expand, fitted, notes_of, restate, reword
from linocut.prompting.instructions import read_instruction
from linocut.safety.service import judge_prompt

MOST_SECONDS = 0.05
"""Of a pattern, or of an instruction."""
MOST_OF_A_PROMPT = 0.1
"""Of the whole way of a text to its caption: 35 to 65 ms on a processor that is busy with other tests. What grows with
the square of a text takes seconds here."""
MOST_PIECES = 7


def modules() -> Iterator[ModuleType]:
    yield captions
    for room in (prompting, safety, generation):
        for found in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            yield importlib.import_module(found.name)


def patterns_in(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from patterns_in(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from patterns_in(item)


PATTERNS = {found.pattern: found for module in modules() for found in patterns_in(list(vars(module).values()))}


def pieces_of(pattern: re.Pattern[str]) -> list[str]:
    """Characters and words of the pattern itself."""
    found: dict[str, None] = {}

    def walk(items: Any) -> None:
        word = ""
        for code, value in items:
            if code is constants.LITERAL:
                word += chr(value)
                continue
            if word:
                found[word] = None
                word = ""
            if code is constants.IN:
                found[next((c for c in " a1A\t'\u3042,!\n" if re.match(_class(value), c)), "x")] = None
            elif code in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
                walk(value[2])
            elif code is constants.SUBPATTERN:
                walk(value[3])
            elif code is constants.BRANCH:
                for branch in value[1]:
                    walk(branch)
            elif code in (constants.ASSERT, constants.ASSERT_NOT):
                walk(value[1])
        if word:
            found[word] = None

    walk(parser.parse(pattern.pattern, pattern.flags))
    longest = sorted(found, key=len)
    return list(dict.fromkeys([*longest[:MOST_PIECES], *longest[-2:], " "]))


def _class(items: Any) -> str:
    """A set of characters as a pattern again."""
    names = {constants.CATEGORY_DIGIT: r"\d", constants.CATEGORY_SPACE: r"\s", constants.CATEGORY_WORD: r"\w",
             constants.CATEGORY_NOT_WORD: r"\W", constants.CATEGORY_NOT_SPACE: r"\S"}  # fmt: skip
    text = ""
    for code, value in items:
        if code is constants.NEGATE:
            text += "^"
        elif code is constants.LITERAL:
            text += re.escape(chr(value))
        elif code is constants.RANGE:
            text += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            text += names[value]
    return f"[{text}]"


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call, in seconds of the machine where MOST_SECONDS was set."""
    return paced_seconds(work, MOST_SECONDS)


def test_there_are_patterns_to_try() -> None:
    assert len(PATTERNS) >= 15


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=range(len(PATTERNS)))
def test_no_pattern_takes_long(pattern: re.Pattern[str]) -> None:
    for one, two in product(pieces_of(pattern), repeat=2):
        for text in ((one + two) * LONGEST_PROMPT, one + two * LONGEST_PROMPT):
            text = text[: LONGEST_PROMPT - 1] + "!"
            assert seconds(lambda text=text: sum(1 for _ in pattern.finditer(text))) < MOST_SECONDS, (one, two)  # type: ignore[misc]


@pytest.mark.long
def test_a_pattern_that_takes_long_is_found() -> None:
    with pytest.raises(AssertionError):
        test_no_pattern_takes_long(re.compile(" *,| *;| *:| *-| *_| *#| *=| *%"))


NASTY = [
    "says" + " " * 9990 + "!", "reads " * 1600, ("reads " * 100 + "\t" * 100) * 12, "says\u00a0" * 2000,
    "\u2003" * 9999 + "x", "\n\r\t\x0b\x0c\x1c\x85\u2028" * 1200, '"' * 9999, "'" * 9999, "\u201c" * 9999,
    "\u201d\u201c" * 4999, "\u00ab" * 9999, "'a " * 3333, '"a' * 4999, "six cats and " * 769, "99 stars " * 1111,
    "word A" * 1600, "A1" * 5000, "A " * 5000, "1" * 9999, "1a" * 5000, "1 " * 5000, "#" * 9999,
    "#123456 border " * 660, "red on blue with " * 580, "a" * 9999, "a-" * 5000, "x'" * 5000, "1x" * 5000,
    "panoram" * 1400, "school " * 1400, "little girl " * 830, "17 years " * 1100, "\ufdfa" * 9999, "nude child" * 999,
    "{" * 9999, "[" * 9999, '{"a":' * 1999, "\x00" * 9999, "\x000 " * 3333, "ing " * 2500, "\U0001f98a" * 9999,
    "red stripes background, " * 416, "in red, " * 1250, "a 16:9 " * 1400, "\u0301" * 9999, "e\u0301" * 4999,
    '"e\u0301" ' * 2000, "'a'a" * 2500, "\u2018a\u2019a" * 2500, "\U0001f431\u200d" * 4999,
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_prompt_takes_long(text: str) -> None:
    text = text[:LONGEST_PROMPT]

    def judge() -> None:
        with suppress(Unsafe):
            judge_prompt(text)

    def write() -> None:
        notes_of(
            text, caption_text(fitted(expand(text, (4, 3), 0), 280, is_small=True)), knows="x", has_own_model=False
        )

    def restated() -> None:
        fitted(restate(text), 280, is_small=True)

    for work in (judge, write, restated, lambda: ratio_of_text(text, V3.ratios)):
        assert paced_seconds(work, MOST_OF_A_PROMPT) < MOST_OF_A_PROMPT, work


INSTRUCTIONS = [
    "make the fish blue and the star red, " * 270, "change the a to b and " * 450, "the cup and " * 830,
    "make " + "a and " * 1600,
    "remove " + "the star, " * 990, "the star should be red and " * 370, "please " * 1400, "make a with " * 830,
    "move the star left, " * 490, "add a star and " * 660, "change the colour of the " * 400, '"A" and ' * 1240,
    "red and " * 1240, "then " * 1990, "turn red, " * 990, "make x " + "blue with " * 990, "and but then also " * 550,
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY + INSTRUCTIONS, ids=range(len(NASTY + INSTRUCTIONS)))
def test_no_instruction_takes_long(text: str) -> None:
    assert seconds(lambda: read_instruction(text[:LONGEST_PROMPT])) < MOST_SECONDS


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_no_structured_caption_takes_long(text: str) -> None:
    part = text[: LONGEST_PROMPT // 4]
    elements = [{"type": "text", "text": part, "bbox": [0, 0, 9, 9], "desc": part}, {"type": "obj", "desc": part}]
    whole = {"high_level_description": part, "compositional_deconstruction": {"background": "", "elements": elements}}
    work = lambda: reword(whole, (1, 1), max_text_tokens=280, knows="x", make_up=True)  # noqa: E731
    assert seconds(work) < MOST_SECONDS
