"""The prompt rule: a small, honest word list, not a classifier.

It refuses one thing, sexual content that involves minors, where a prompt names both in one breath. It is easily
evaded by somebody who means to; what it does is keep an open server from being an open invitation. Scores on the
drawn image are the second line and come with the vision models. Nothing is logged: a prompt is the client's own.
"""

import re
import unicodedata

from linocut.errors import Unsafe

_MINOR = re.compile(
    r"\b(?:child(?:ren)?|kids?|toddlers?|infants?|bab(?:y|ies)|minors?|underage[d]?|pre-?teens?|teen(?:age)?(?:r|rs|s)?"
    r"|school ?(?:girl|boy)s?|little (?:girl|boy)s?|loli(?:ta|con)?s?|shota(?:con)?"
    r"|(?:[1-9]|1[0-7])[ -]?(?:years?|yrs?)[ -]?old)\b"
)
_SEXUAL = re.compile(
    r"\b(?:nudes?|nudity|naked|undressed|topless|porn\w*|sex|sexual\w*|sexy|erotic\w*|hentai|nsfw|genitals?|lingerie"
    r"|orgasm\w*|masturbat\w*|fetish\w*|seductive\w*|lewd)\b"
)


def judge_prompt(text: str) -> None:
    """Pass a prompt (plain, or a JSON caption), or raise ``Unsafe`` with the published sentence."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if _MINOR.search(plain) and _SEXUAL.search(plain):
        raise Unsafe
