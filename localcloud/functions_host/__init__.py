"""A Functions host for one machine: drives the real azure-functions-durable SDK from an event history in SQLite."""
