"""Addresses under /api/images/ephemeral."""
