"""Which institution, field or reason did she mean? Exact beats synonym; anything less is asked back, never guessed.

Tables are plain: id → every name it goes by. The id itself counts as a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from hub.chat.fold import fold

Names = Mapping[str, Sequence[str]]

_ARTICLES = re.compile(r"^(?:(?:el|la|los|las|lo|un|una|su|sus|al|del|de|the|a|an|her|their) )+")
_SUGGEST_FROM = 62
_ALIKE_FROM = 0.7


@dataclass(frozen=True, kw_only=True)
class Found:
    """`id` when there is exactly one answer; else what to offer (ids, nearest first)."""

    id: str | None = None
    suggestions: tuple[str, ...] = ()


Unknown = tuple[str, Found]
"""A part of a list that was not understood, and what to offer for it."""


def find(given: str, names: Names, *, forgive: bool = False) -> Found:
    """The id that `given` names. With `forgive`, one slip of the finger in a long name is still understood.

    Two ids that share the name are both offered. Digits are never forgiven: `sede 1` is not `sede 2`.
    """
    wanted = _plain(given)
    if not wanted:
        return Found()
    table = _table(names)
    exact = tuple(dict.fromkeys(i for name, i in table if name == wanted)) or tuple(
        dict.fromkeys(i for name, i in table if _ARTICLES.sub("", name) == _ARTICLES.sub("", wanted))
    )
    if len(exact) == 1:
        return Found(id=exact[0])
    near = exact or _slips(_ARTICLES.sub("", wanted), table)
    if forgive and not exact and len(near) == 1:
        return Found(id=near[0])
    return Found(suggestions=near or suggest(wanted, names))


def suggest(given: str, names: Names, limit: int = 3) -> tuple[str, ...]:
    """The ids whose names are nearest to `given`, at most `limit`, best first."""
    table = _table(names)
    hits = process.extract(_plain(given), [name for name, _ in table], scorer=fuzz.WRatio, limit=12, score_cutoff=_SUGGEST_FROM)
    return tuple(dict.fromkeys(table[index][1] for _, _, index in hits))[:limit]


def alike(given: str, wanted: str, names: Names) -> bool:
    """Whether `given` is plainly a slip in a name of `wanted`, or whole words of one; what is only the nearest of all (`suggest`) is neither."""
    plain = _ARTICLES.sub("", _plain(given))
    known = [_ARTICLES.sub("", name) for name, i in _table(names) if i == wanted]
    part = len(plain) >= 4 and any(f" {plain} " in f" {name} " for name in known)
    return part or any(OSA.normalized_similarity(plain, name) >= _ALIKE_FROM for name in known)


def split_list(given: str) -> tuple[str, ...]:
    """`a, b y c` → its parts. Commas, semicolons, `y`, `e` and `and` separate."""
    parts = re.split(r"[,;+\n]|\s+(?:y|e|and|&)\s+", given, flags=re.IGNORECASE)
    return tuple(p.strip() for p in parts if fold(p))


def numbers_in(given: str) -> tuple[int, ...]:
    """The numbers of `2`, `opción dos` or `1, 3`, when every part is one; else none: they are words."""
    found = [re.fullmatch(r"(?:opcion |option )?([0-9]{1,6}|[a-z]+)", fold(part)) for part in split_list(given)]
    numbers = [_spoken(one[1]) for one in found if one]
    return tuple(n for n in numbers if n is not None) if all(found) and None not in numbers else ()


def _spoken(word: str) -> int | None:
    return int(word) if word.isdecimal() else NUMBER_WORDS.get(word)


_COUNTED = (
    "uno dos tres cuatro cinco seis siete ocho nueve diez once doce", "one two three four five six seven eight nine ten eleven twelve",
)  # fmt: skip
_PLACES = (
    "primera segunda tercera cuarta quinta sexta", "primero segundo tercero cuarto quinto sexto", "first second third fourth fifth sixth",
)  # fmt: skip
NUMBER_WORDS = {word: n for line in _COUNTED for n, word in enumerate(line.split(), 1)}
PLACE_WORDS = {word: n for line in _PLACES for n, word in enumerate(line.split(), 1)}
"""`la segunda`: the second of what was offered, whatever its number."""


def find_all(given: str, names: Names) -> tuple[tuple[str, ...], Unknown | None]:
    """Every id of a list, and the first part that was not understood (with what to offer).

    A name may itself contain a comma or an `y` (`Mujer y Familia`), so the whole is tried before its parts.
    """
    whole = find(given, names)
    if whole.id is not None:
        return (whole.id,), None
    ids: list[str] = []
    parts = re.split(r"(?<=[,;+\n])|(?=\s+(?:y|e|and|&)\s+)", given, flags=re.IGNORECASE)
    while parts:
        for size in range(len(parts), 0, -1):
            candidate = re.sub(r"^\s*(?:y|e|and|&)\s+", "", "".join(parts[:size]), flags=re.IGNORECASE).strip(" ,;+\n")
            found = find(candidate, names) if fold(candidate) else Found(id="")
            if found.id is not None:
                ids += [found.id] if found.id else []
                parts = parts[size:]
                break
        else:
            return tuple(ids), (candidate, found)
    return tuple(dict.fromkeys(ids)), None


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[-_/.,;:\"'()]", " ", fold(text))).strip()


def _table(names: Names) -> list[tuple[str, str]]:
    return [(plain, i) for i, synonyms in names.items() for plain in dict.fromkeys(map(_plain, (i, *synonyms))) if plain]


def _slips(wanted: str, table: list[tuple[str, str]]) -> tuple[str, ...]:
    """Ids within one edit (two in names of ten characters or more), digits equal."""
    allowed = 0 if len(wanted) < 5 else 1 if len(wanted) < 10 else 2
    digits = re.sub(r"\D", "", wanted)
    near = (
        i
        for name, i in table
        if allowed and re.sub(r"\D", "", name) == digits and OSA.distance(wanted, name, score_cutoff=allowed) <= allowed
    )
    return tuple(dict.fromkeys(near))
