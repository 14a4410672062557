"""The calls of DynamoDB, S3 and STS: moto behind a gateway, with exports to S3."""
