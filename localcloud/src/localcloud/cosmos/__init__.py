"""Local Cosmos DB for NoSQL: the REST data plane over SQLite, with the service's limits and errors."""
