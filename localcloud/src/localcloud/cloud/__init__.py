"""All services together: their ports, secrets and settings, their processes, and what is deployed to them."""
