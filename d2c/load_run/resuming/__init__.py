"""Data files in groups, and those that earlier runs have done."""
