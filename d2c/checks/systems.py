"""The systems that a check looks at side by side, beside the plan's tables."""

SYSTEMS = ("aws", "bucket", "lake", "data_factory", "cosmos_db", "databricks", "deployment", "surroundings")
