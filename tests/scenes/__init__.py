"""Plays against the real program: who says what, and who hears it."""
