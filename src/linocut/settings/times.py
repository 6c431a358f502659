"""The longest time that settings take."""

MOST_SECONDS = 1_000_000_000
"""About 31 years: what is added to today's date, and what a thread can be told to wait for."""
