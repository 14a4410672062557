"""Clients of the operator, who may do what the app may not; beside `d2c.clients` the only importers of SDKs."""
