"""What a table holds, counted while its items are assessed."""
