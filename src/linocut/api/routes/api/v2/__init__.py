"""Addresses under /api/v2: the status page's JSON, where its monitors look for it."""
