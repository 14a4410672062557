"""The demo: real data sets, moved from DynamoDB tables on the local cloud to verified Cosmos DB containers."""
