"""Addresses under /api/images."""
