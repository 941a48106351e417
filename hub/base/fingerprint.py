"""A public key as people compare it: in groups of four, or as a square for a telephone's camera."""

from __future__ import annotations

import io

import segno


def grouped(key: str) -> str:
    """`abcdefgh` → `abcd efgh`."""
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def square(key: str) -> str:
    """A QR code of exactly this text, for a terminal, in half blocks."""
    out = io.StringIO()
    segno.make(key, error="m", micro=False).terminal(out, compact=True)
    return out.getvalue()
