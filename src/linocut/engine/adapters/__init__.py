"""Adapters: the file format, a cache of loaded ones, and their application inside a forward pass."""
