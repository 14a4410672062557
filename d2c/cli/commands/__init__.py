"""The verbs of the `d2c` command."""
