"""Cosmos DB's calls to Azure Resource Manager: the account, databases, containers and their throughput."""
