"""Addresses under /v1/ideogram-v4/async."""
