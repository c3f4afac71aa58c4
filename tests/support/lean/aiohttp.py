"""Hides aiohttp, which only the tests' own clients need: a server starts here as it does where `make run` set it up.

python-engineio imports aiohttp wherever it is installed, and that is a quarter of a start's CPU time.
"""

raise ImportError("a server needs no aiohttp")
