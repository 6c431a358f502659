"""Addresses under /v1/generations."""
