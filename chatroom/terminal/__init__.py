"""The terminal client: lines in and out (`--plain`), or a full screen. It runs without eventlet."""
