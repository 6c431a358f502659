"""Custom models: the registry. Who owns one, who may see it, which state it is in, and which uri leads to it."""
