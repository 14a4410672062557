"""The work of a load run as plain functions of bytes, Arrow batches and JSON; the notebook calls them with Spark."""
