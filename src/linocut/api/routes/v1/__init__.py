"""Addresses under /v1."""
