"""A first plan for tables that were looked at: what it proposes, why, and what only the user can decide."""
