"""Prompts into captions, in pure Python: `expand` makes up what a prompt leaves out, `restate` makes nothing up.

`reword` brings anybody's caption into the embedded base's language, `fitted` shortens a description to a base's room,
`dressed` puts a caption into a look, `colours_in` says what words of colour mean, `notes_of` what of a prompt was not
taken as it was said, `tell` what was seen on a picture.
"""

from linocut.prompting.colours import colours_in
from linocut.prompting.difference import difference
from linocut.prompting.dressing import dressed
from linocut.prompting.expand import expand
from linocut.prompting.notes import notes_of
from linocut.prompting.restate import restate
from linocut.prompting.revising import Revised, revise
from linocut.prompting.reword import reword
from linocut.prompting.room import fitted
from linocut.prompting.telling import sentences, tell

__all__ = [
    "Revised", "colours_in", "difference", "dressed", "expand", "fitted", "notes_of", "restate", "revise", "reword",
    "sentences", "tell",
]  # fmt: skip
