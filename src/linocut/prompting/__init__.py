"""Prompts into captions, in pure Python: `expand` makes up what a prompt leaves out, `restate` makes nothing up."""

from linocut.prompting.expand import expand
from linocut.prompting.restate import restate

__all__ = ["expand", "restate"]
