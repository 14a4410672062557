"""What the lake remembers of migrations: paths, ids, queues, locks and records."""
