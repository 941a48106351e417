"""Attacks on whole hubs in memory: everything is real but the road between them, which can be told to lie."""
