"""A factory's definitions: read, checked as a whole, stored, and their expressions resolved."""
