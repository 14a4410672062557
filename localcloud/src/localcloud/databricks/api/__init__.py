"""The workspace's HTTP API: runs, the workspace's files, and what it has."""
