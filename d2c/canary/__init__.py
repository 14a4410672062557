"""The canary: moves two tiny tables through a real deployment, and goes through the assumptions about the services."""
