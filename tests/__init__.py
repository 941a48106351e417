"""Whether it holds: what must be true of the whole, room by room and attack by attack."""
