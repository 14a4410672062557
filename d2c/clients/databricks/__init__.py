"""Clients of Databricks: jobs, files and sign-in."""
