"""Verification by emoji: the hub against the crypto of Element, with an administrator who compares."""
