"""The base's own language model writes: its words are held to a grammar, one token a unit."""
