"""What is looked at before a migration: one module a system, pure over the clients, nothing changed."""
