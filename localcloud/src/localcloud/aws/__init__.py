"""Local AWS: moto for DynamoDB tables, S3 and STS, with exports to S3 as the real service makes them."""
