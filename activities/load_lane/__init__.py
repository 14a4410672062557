"""What a load lane does for one table: its container is looked at, and scaled once it is assessed; it is let go."""
