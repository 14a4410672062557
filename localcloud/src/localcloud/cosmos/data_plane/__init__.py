"""The REST calls of the data plane."""
