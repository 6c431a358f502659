"""Prompts are judged by rules: words and patterns in files, not a classifier. They are easily evaded by somebody who
means to; what they do is keep an open server from being an open invitation. Nothing is logged: a prompt is the
client's own.
"""

from linocut.errors import Unsafe
from linocut.safety.rules import read_rules

COMPONENT = "prompt-rules"


def judge_prompt(text: str, rules: str = "") -> None:
    """Pass a prompt (plain, or a JSON caption), or raise ``Unsafe`` with the published sentence. ``rules``: the
    operator's folder of rules, as in ``safety/rules.py``."""
    if name := read_rules(rules).met_by(text):
        raise Unsafe(component=COMPONENT, reason=name)
