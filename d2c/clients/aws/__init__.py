"""Clients of DynamoDB, S3 and STS."""
