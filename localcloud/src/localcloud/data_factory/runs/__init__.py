"""Pipeline runs: their activities, retries, copies and records."""
