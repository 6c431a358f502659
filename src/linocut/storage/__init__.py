"""Blobs: content-addressed, durable before they are acknowledged, verified when read; and links to them."""
