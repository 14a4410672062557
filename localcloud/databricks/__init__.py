"""A Databricks workspace on this machine: the Jobs API over notebooks that run in processes of their own."""
