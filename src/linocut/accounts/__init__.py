"""Who is asking: users, organisations with members, and API keys."""
