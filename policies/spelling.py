"""How a received value is written before it is kept: what a peer could hide in it has no place (P05).

Free text is put into one form (NFC) without invisible characters: no Unicode tags, zero-width or bidirectional marks, controls or
private-use letters. Where the vocabulary has a list of codes there is no free text at all.
"""

from __future__ import annotations

import unicodedata

from policies.vocabulary import Vocabulary

_KEPT = {"\n", "\t"}


def plain(text: str) -> str:
    """`text` in NFC, without characters that nobody sees."""
    return "".join(c for c in unicodedata.normalize("NFC", text) if c in _KEPT or unicodedata.category(c)[0] != "C")


def as_agreed(vocabulary: Vocabulary, field: str, value: str) -> str | None:
    """A released value as it may be kept; None when nothing of it may: an unknown field, an unknown code, nothing that can be seen."""
    known = vocabulary.fields.get(field)
    if known is None:
        return None
    if known.codes:
        parts = [part.strip() for part in value.split(",")]
        return ",".join(parts) if all(part in vocabulary.lists[known.codes] for part in parts) else None
    return plain(value).strip() or None
