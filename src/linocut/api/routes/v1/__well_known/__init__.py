"""Addresses under /v1/.well-known."""
