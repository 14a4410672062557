"""Runs of notebooks from submission to end: their records, clusters and processes."""
