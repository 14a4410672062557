"""Clients of the operator, who may do what the app may not; with `d2c.clients` the only importers of SDKs."""
