"""The rules of migrations, for triggers alone: start, lifecycle, operations, queries, existing exports, watchdog."""
