"""This server beside its peers and the floor, measured in one run: `make bench`, `make bench-quick`; README.md says how to read it."""
