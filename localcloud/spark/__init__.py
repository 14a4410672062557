"""What Spark needs of the local cloud: a data source in place of the Cosmos DB Spark connector."""
