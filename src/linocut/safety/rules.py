"""The rules for prompts: files of words that an operator can read and edit, and what they refuse. Pure but for files.

``rules/rules.toml`` says what is refused in terms of lists; a file a language has their words. A folder of the
operator's takes the place of shipped files of the same name, and adds others.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from linocut.errors import InvalidRequest
from linocut.safety.reading import cleaned, has_no_spaces, readings, words_of

Phrase = tuple[str, ...]
SHIPPED = Path(__file__).with_name("rules")
RULES = "rules.toml"


@dataclass(frozen=True)
class Rule:
    """Met by a text with a word of each list of ``all_of``, or with a word of any list of ``any_of``."""

    name: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]


@dataclass
class Words:
    """Words of one list, by how they are looked for: whole, by their beginning, as phrases (whose first word is a whole
    one), anywhere, as patterns."""

    whole: set[str] = field(default_factory=set)
    beginnings: set[str] = field(default_factory=set)
    phrases: dict[str, list[Phrase]] = field(default_factory=dict)
    """By their first word."""
    anywhere: set[str] = field(default_factory=set)
    patterns: list[re.Pattern[str]] = field(default_factory=list)

    def add(self, entry: str) -> None:
        """One entry of a file."""
        text, is_beginning = cleaned(entry).removesuffix("*").strip(), entry.rstrip().endswith("*")
        parts = tuple(re.findall(r"[^\W_]+\*?", cleaned(entry)))
        if has_no_spaces(text):
            self.anywhere.add(text)
        elif len(parts) > 1:
            self.phrases.setdefault(parts[0], []).append(parts)
        elif text:
            (self.beginnings if is_beginning else self.whole).add(text)

    def has(self, word: str) -> bool:
        """Whether a word is one of them, whole or by its beginning."""
        return word in self.whole or any(word[:length] in self.beginnings for length in self._lengths)

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(one) for one in self.beginnings})

    def is_said_in(self, words: list[str], text: str) -> bool:
        """Whether more than a single word is there: a phrase, what is looked for anywhere, a pattern."""
        if any(part in text for part in self.anywhere) or next(self.places(words), None) is not None:
            return True
        return any(pattern.search(text) for pattern in self.patterns)

    def places(self, words: list[str]) -> Iterator[range]:
        """Where its phrases stand among words."""
        if self.phrases.keys().isdisjoint(words):
            return
        for place, word in enumerate(words):
            for phrase in self.phrases.get(word, ()):
                end = place + len(phrase)
                if end <= len(words) and all(map(_is, phrase, words[place:end])):
                    yield range(place, end)


@dataclass(frozen=True)
class RuleBook:
    """All rules with their words; ``innocent`` phrases are taken out of a text before it is looked at."""

    rules: tuple[Rule, ...]
    lists: dict[str, Words]
    innocent: Words

    def met_by(self, text: str) -> str:
        """The name of the first rule that the text meets; "" for none."""
        bare = cleaned(text)
        for phrase in self.innocent.anywhere:
            bare = bare.replace(phrase, " ")
        look = _Look(self)
        seen: set[Phrase] = set()
        for reading in readings(words_of(bare)):
            if (words := tuple(reading)) in seen:
                continue
            seen.add(words)
            found = look.lists_in(reading)
            for rule in self.rules:
                if (rule.all_of and found.issuperset(rule.all_of)) or not found.isdisjoint(rule.any_of):
                    return rule.name
        return ""


class _Look:
    """One text's readings, which share most of their words: what is known of a word is looked up once."""

    def __init__(self, book: RuleBook) -> None:
        self._book = book
        self._known: dict[str, frozenset[str] | None] = {}
        """The lists that a word is on; None for an innocent one."""

    def lists_in(self, reading: list[str]) -> set[str]:
        """The names of the lists with a word in this reading, innocent stretches and words left out."""
        innocent, lists = self._book.innocent, self._book.lists
        gone = {index for stretch in innocent.places(reading) for index in stretch}
        words = [word for index, word in enumerate(reading) if index not in gone] if gone else reading
        about = {word: self._about(word) for word in set(words)}
        words = [word for word in words if about[word] is not None]
        found = set().union(*(names for names in about.values() if names))
        text = " ".join(words)
        return found | {name for name, some in lists.items() if name not in found and some.is_said_in(words, text)}

    def _about(self, word: str) -> frozenset[str] | None:
        if word not in self._known:
            innocent = self._book.innocent.has(word)
            names = frozenset(name for name, some in self._book.lists.items() if some.has(word))
            self._known[word] = None if innocent else names
        return self._known[word]


def read_rules(folder: str = "") -> RuleBook:
    """The shipped rules, and those of the operator's folder. ``InvalidRequest`` with a sentence for what is wrong."""
    return _read(folder)


@lru_cache(maxsize=8)
def _read(folder: str) -> RuleBook:
    files = {file.name: file for file in SHIPPED.glob("*.toml")}
    if folder:
        if not Path(folder).is_dir():
            raise InvalidRequest("LINOCUT_SAFETY_RULES names a folder that is not there; mend it, or leave it empty.")
        files |= {file.name: file for file in Path(folder).glob("*.toml")}
    said = {name: _toml(file) for name, file in files.items()}
    lists: dict[str, Words] = {}
    innocent = Words()
    for name, language in sorted(said.items()):
        for entry in _strings(name, "innocent", language.get("innocent", [])):
            innocent.add(entry)
        for kind, entries in language.get("lists", {}).items():
            for entry in _strings(name, kind, entries):
                lists.setdefault(kind, Words()).add(entry)
        for kind, entries in language.get("patterns", {}).items():
            lists.setdefault(kind, Words()).patterns += [_pattern(name, one) for one in _strings(name, kind, entries)]
    return RuleBook(tuple(_rules(said.get(RULES, {}), set(lists))), lists, innocent)


def _rules(said: dict[str, Any], known: set[str]) -> Iterator[Rule]:
    for rule in said.get("rules", []):
        all_of, any_of = tuple(rule.get("all_of", ())), tuple(rule.get("any_of", ()))
        if strangers := [name for name in (*all_of, *any_of) if name not in known]:
            raise InvalidRequest(f"LINOCUT_SAFETY_RULES: {RULES} names the list {strangers[0]!r}, which no file has.")
        if not (all_of or any_of):
            raise InvalidRequest(f"LINOCUT_SAFETY_RULES: a rule of {RULES} has neither all_of nor any_of.")
        yield Rule(str(rule.get("name", "a rule without a name")), all_of, any_of)


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise InvalidRequest(f"LINOCUT_SAFETY_RULES: {file.name} is no TOML: {wrong}.") from wrong


def _strings(file: str, name: str, entries: Any) -> list[str]:
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise InvalidRequest(f"LINOCUT_SAFETY_RULES: {name} in {file} must be a list of texts.")
    return entries


def _pattern(file: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as wrong:
        raise InvalidRequest(f"LINOCUT_SAFETY_RULES: the pattern {text!r} in {file} is wrong: {wrong}.") from wrong


def _is(part: str, word: str) -> bool:
    return word.startswith(part[:-1]) if part.endswith("*") else word == part
