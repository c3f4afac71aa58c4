"""What tests share: the real program in its own process, and clients that connect to it."""
