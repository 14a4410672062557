"""Cosmos DB: its documents, its management plane, and what Azure Monitor counts of it."""
