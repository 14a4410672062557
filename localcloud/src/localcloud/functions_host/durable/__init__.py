"""Durable orchestrations: an engine over SQLite that replays them through the real SDK."""
