"""Prompts into captions, in pure Python: `expand` turns a sentence into the form the base was trained on."""

from linocut.prompting.expand import expand

__all__ = ["expand"]
