"""Webhooks: which addresses they may lead to, the keys that sign them, and one delivery over HTTPS."""
