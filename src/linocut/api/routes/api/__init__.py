"""Addresses under /api."""
