"""The HTTP gateway: the built page, its manifest, health and metrics."""
