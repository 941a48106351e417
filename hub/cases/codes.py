"""Case and referral codes: short, sayable over the phone, and never somebody else's by a slip of the finger.

A code is `C-` (a case), `R-` (a referral) or `S-` (a coordination room), four random characters and a check character, from 31 characters without
`0 1 I L O`: `C-7QK4M`. The weighted sum of prefix and characters is 0 modulo 31. 31 is prime and all weights are
different and not 0, so one wrong character and two swapped characters always change the sum: such a slip is answered
with "revise el código", never with another person's case.

At least one of the four random characters is a digit, so that no ordinary word reads as a code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CASE, REFERRAL, ROOM = "C", "R", "S"

_MODULUS = 31
_WEIGHTS = (2, 3, 5, 7, 11)
_CHECK_WEIGHT = _WEIGHTS[-1]
_PREFIX_VALUE = {CASE: 0, REFERRAL: 13, ROOM: 22}
_INVERSE = pow(_CHECK_WEIGHT, -1, _MODULUS)
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212_"
_JOINED = re.compile(r"([CRS])([A-Z0-9]{5})")
_DASHED = re.compile(r"([CRS])-([A-Z0-9]{3,8})")


def new_code(prefix: str, rand: Callable[[int], int]) -> str:
    """A fresh code for `prefix` (`C`, `R` or `S`); `rand(n)` gives a random number below `n`, for example `secrets.randbelow`.

    923 521 bodies less those without a digit leave about 640 000; the caller asks again when a code is taken.
    """
    kind = prefix.upper()[:1]
    while True:
        body = "".join(ALPHABET[rand(_MODULUS)] for _ in range(4))
        if any(c.isdigit() for c in body):
            return f"{kind}-{body}{_check(kind, body)}"


def parse_code(text: str) -> str | None:
    """The code in its one written form, or `None` when it is none or when a character must be wrong."""
    found = _JOINED.fullmatch(_plain(text).replace("-", ""))
    if found is None or any(c not in ALPHABET for c in found[2]):
        return None
    kind, body = found[1], found[2]
    return f"{kind}-{body}" if _sum(kind, body) == 0 and any(c.isdigit() for c in body[:4]) else None


def looks_like_code(text: str) -> bool:
    """Whether somebody meant a code, right or mistyped. With `parse_code(…) is None`: ask to look at it again."""
    plain = _plain(text)
    body = _DASHED.fullmatch(plain)
    if body is not None:
        return len(body[2]) == 5 or any(c.isdigit() for c in body[2])
    joined = _JOINED.fullmatch(plain.replace("-", ""))
    return joined is not None and any(c.isdigit() for c in joined[2])


def is_case(code: str) -> bool:
    """Whether a parsed code names a case, rather than a referral."""
    return code.startswith(CASE)


def _plain(text: str) -> str:
    """Upper case, one kind of dash, no spaces nor wrapping punctuation."""
    upper = unicodedata.normalize("NFKC", text).upper().strip(" \t\n.,;:!?¡¿()[]{}\"'`*«»“”‘’#")
    dashed = "".join("-" if c in _DASHES else c for c in upper)
    if "-" not in dashed:  # `C 7QK4M` is a code, `casa 12` are words
        dashed = re.sub(r"^([CRS])\s+", r"\1-", dashed)
    return re.sub(r"-+", "-", re.sub(r"\s+", "", dashed) if "-" in dashed else dashed)


def _sum(kind: str, characters: str) -> int:
    weighted = sum(w * ALPHABET.index(c) for w, c in zip(_WEIGHTS, characters, strict=True))
    return (_PREFIX_VALUE[kind] + weighted) % _MODULUS


def _check(kind: str, body: str) -> str:
    rest = _sum(kind, body + ALPHABET[0])  # ALPHABET[0] has the value 0
    return ALPHABET[-rest * _INVERSE % _MODULUS]
