"""A Databricks workspace on this machine: the Jobs API over notebooks that run in processes of their own.

As on Databricks: one-time runs with their states, outputs, errors and idempotency tokens; notebooks in source format
with ``spark`` and ``dbutils``; libraries that are there only if they were asked for; access modes; ``abfss://`` paths;
secrets that stay out of output; new clusters, and one existing cluster whose JVM runs share.

Not as on Databricks: "clusters" are this machine's two cores, whatever was asked for; a run that was under way when the
service ended has lost its cluster; who may read which lake path, and Unity Catalog beyond the access mode, are not
simulated; what a wheel depends on must be installed here already; folders of the lake are moved file by file.
"""
