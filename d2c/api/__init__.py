"""The HTTP contract: models of requests and answers, routes, and the OpenAPI document."""
