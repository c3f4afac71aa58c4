"""Plays against the real program: who sends what, and who receives it."""
