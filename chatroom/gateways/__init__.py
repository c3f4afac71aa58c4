"""Gateways: each turns its clients' bytes into use cases and what comes of them into its clients' bytes."""
