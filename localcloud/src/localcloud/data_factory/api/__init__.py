"""Data Factory's calls to Azure Resource Manager: about runs, and about definitions."""
