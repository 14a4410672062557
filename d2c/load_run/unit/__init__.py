"""The tables of a load run: who has ended or is let go, their turns, and the hand-over from assess to load."""
