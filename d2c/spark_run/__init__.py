"""What a load run does with Spark: imported in the notebook's driver on the cluster only."""
