"""What may be done to a migration, for triggers alone: start, lifecycle, operations, queries, arrivals, watchdog."""
