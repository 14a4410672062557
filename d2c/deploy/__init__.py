"""Publish and compare the deployed parts of the product other than the app."""
