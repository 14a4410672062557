"""What runs in a process with Spark: a notebook's cells with ``spark`` and ``dbutils``, or a cluster's driver."""
