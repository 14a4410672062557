"""What all services of the local cloud share: names, folders, and how a service is served."""
