"""Gateways: each turns its clients' bytes into use cases, and their results into its clients' bytes."""
