"""The HTTP gateway: the built page, its manifest and health."""
