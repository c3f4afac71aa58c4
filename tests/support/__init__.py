"""What tests share: the real program in its own process, and guests that talk to it."""
