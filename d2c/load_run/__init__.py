"""What a load run does, as plain functions over bytes, Arrow batches and JSON; the notebook joins them with Spark."""
