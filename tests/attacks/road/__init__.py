"""Attacks on the whole road: two homeservers, three hub processes, real encrypted clients (`attacks.md` B.0)."""
