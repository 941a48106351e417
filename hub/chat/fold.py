"""Reading what people type: accents, case, curly quotes and stray punctuation do not matter; the original is never lost.

Words keep their place in the original text, so that a tail (a message, an account) is cut out exactly as it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\u20e3]")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_EDGE = "".join(chr(c) for c in range(33, 127) if not chr(c).isalnum()) + "¡¿«»“”‘’„…–—·•´"


def clean(text: str) -> str:
    """`text` without terminal sequences, control, bidirectional and invisible characters or lone surrogates (I01, I06).

    Newline and tab stay. Nothing else is changed.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n")
    return "".join(c for c in _INVISIBLE.sub("", _CONTROL.sub("", plain)) if not 0xD800 <= ord(c) <= 0xDFFF)


def fold(text: str) -> str:
    """Lower case, no accents (ñ → n), plain quotes and dashes, single spaces, no punctuation at either end."""
    decomposed = unicodedata.normalize("NFKD", clean(text))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    bare = re.sub(r"[‘’´`]", "'", re.sub(r"[“”«»]", '"', re.sub(r"[\u2010-\u2015\u2212]", "-", bare)))
    return re.sub(r"\s+", " ", bare).strip(_EDGE + " ")


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word as it is matched (`folded`) and where it stands in the original."""

    folded: str
    start: int
    end: int


def words(text: str) -> tuple[Word, ...]:
    """The words of `text` between white space; those that are punctuation only are left out."""
    found = (Word(folded=fold(m[0]), start=m.start(), end=m.end()) for m in re.finditer(r"\S+", text))
    return tuple(w for w in found if w.folded)
