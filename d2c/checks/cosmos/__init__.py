"""Checks of the Cosmos DB account, its databases and containers."""
