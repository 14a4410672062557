"""What a user asks for: the plan, validated, and what follows from it alone."""
