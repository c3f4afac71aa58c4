"""This server beside its peers and the floor, measured in one run; README.md says how to read it."""
