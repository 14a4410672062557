"""What a migration takes, and what it came to."""
