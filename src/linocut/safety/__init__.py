"""What this server refuses to draw."""
