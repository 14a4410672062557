"""The systems that a check examines in parallel with the plan's tables."""

SYSTEMS = ("aws", "bucket", "lake", "data_factory", "cosmos_db", "databricks", "deployment", "surroundings")
