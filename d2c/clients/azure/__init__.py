"""Clients of the lake, Cosmos DB, Data Factory and Entra ID."""
