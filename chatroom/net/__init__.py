"""One TCP socket layer for every gateway: bytes in and out, bounds and deadlines; it knows no protocol."""
