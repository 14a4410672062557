"""The checks of the canary: each tries one assumption on what its migration left, or by one call more."""
