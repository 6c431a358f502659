"""Mails that carry a link: what they say, and how one is handed to the mail server."""
