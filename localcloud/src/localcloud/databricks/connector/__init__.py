"""A data source in place of the Cosmos DB Spark connector."""
