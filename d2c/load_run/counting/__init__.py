"""How far a running stage is: the reports of its tasks, and what they come to."""
