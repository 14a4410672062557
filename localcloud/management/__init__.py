"""Azure's management API on this machine: Data Factory's runs, Cosmos DB's databases, containers and throughput."""
