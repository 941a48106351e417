"""Reading past spelling: case, accents, full-width and keycap digits, invisible characters and look-alike letters; every place leads back."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

MOST = 20_000
"""Characters that are looked at, invisible ones not counted: two and a half times what may be said at once (a Matrix event holds little more)."""
STEM = 3
"""Letters by which a stem is found: none is shorter."""
_LOOKALIKES = str.maketrans("аеорсухіѕԁαορνυικτηεγχјһүкмтнвıᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ", "aeopcyxisdaopvuiktneyxjhykmthbiabcdeghijklmnoprtuvwyz")
_CAPITALS = str.maketrans("ΥΗΝΡΒΧΜΤΚΖ", "YHNPBXMTKZ")
"""Greek capitals that look like another letter than their small ones."""
_WORD = re.compile(r"[^\W\d_]+|\d+")
_MIXED = re.compile(r"(?<![^\W_])(?=\d[0-9oli]{2})\d[0-9]*[oli][0-9oli]*(?![^\W_])")
"""«9OO123456»: letters that a finger takes for the digits beside them."""
_MIXED_ON = re.compile(r"(?<=\d[ .-])[oli]\d{2,3}(?![^\W_])")
"""«9OO I23 456»: the same at the beginning of a later group."""
_ZERO_ONE = str.maketrans("oli", "011")
_UNSEEN = frozenset("\u115f\u1160\u3164\uffa0\u034f")
"""Letters that show nothing."""
_SENTENCE = re.compile(r"[.!?;\n…]+(?=\s|$)")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A word or a run of digits, by its place in the folded text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Folded:
    """A text in lower case without marks. `at[i]` is the place in the typed text of its character `i`."""

    text: str = field(repr=False)
    typed: str = field(repr=False)
    at: Sequence[int] = field(repr=False)
    tokens: tuple[Token, ...] = field(repr=False)

    @property
    def unread(self) -> int | None:
        """The place in the typed text where reading ends, for there is more of it than is looked at."""
        return self.at[MOST] if len(self.at) > MOST else None

    @cached_property
    def words(self) -> Mapping[str, Sequence[int]]:
        """Each word → the places among the tokens where it stands."""
        return _places(token.text for token in self.tokens)

    @cached_property
    def stems(self) -> Mapping[str, Sequence[int]]:
        """Each first `STEM` letters → the places of the words that begin so."""
        return _places(token.text[:STEM] for token in self.tokens)

    def between(self, start: int, end: int) -> tuple[Token, ...]:
        """The words that begin at `start` or later, and before `end`."""
        return self.tokens[self.place(start) : self.place(end)]

    def place(self, start: int) -> int:
        """The place of the first token that begins at `start` or later."""
        return bisect_left(self.tokens, start, key=lambda token: token.start)

    def stopped(self, first: int, end: int, stops: re.Pattern[str]) -> bool:
        """Whether one of these signs stands between the token `first` and the last before `end`."""
        return stops.search(self.text, self.tokens[first].start, self.tokens[end - 1].end) is not None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the typed text of `start` to `end` here."""
        return self.at[start], self.at[end - 1] + 1

    def capital(self, start: int) -> bool:
        """Whether the character stood as a capital."""
        return self.typed[self.at[start]].isupper()

    def opens_sentence(self, start: int) -> bool:
        """Whether nothing but signs stands before it in its sentence: there a capital says nothing."""
        before = self.text[max(0, start - 12) : start].rstrip(" \t\"'«“(¿¡-*>_")
        return before == "" if start <= 12 else before[-1:] in ".!?;\n…:" or before == ""


def fold(typed: str) -> Folded:
    """The folded text of `typed`."""
    letters = list(map(_plain, typed))
    one_each = set(map(len, letters)) <= {1}
    places = range(len(letters)) if one_each else [place for place, plain in enumerate(letters) for _ in plain]
    text, places = "".join(letters)[:MOST], places[: MOST + 1]
    for mixed in (_MIXED, _MIXED_ON):
        text = mixed.sub(lambda m: m[0].translate(_ZERO_ONE) if _typed_letters(typed, places, m) else m[0], text)
    tokens = tuple(Token(text=m[0], start=m.start(), end=m.end()) for m in _WORD.finditer(text))
    return Folded(text=text, typed=typed, at=places, tokens=tokens)


def _typed_letters(typed: str, places: Sequence[int], found: re.Match[str]) -> bool:
    """Not «1º», which folds to the same."""
    return all(typed[places[at]] in "0123456789oOlLiI" for at in range(found.start(), found.end()))


def _places(said: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, word in enumerate(said):
        found.setdefault(word, []).append(place)
    return found


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if char in "\n\t":
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if unicodedata.category(char)[0] == "C" or char in _UNSEEN or 0xFE00 <= ord(char) <= 0xFE0F or char == "\u20e3":
        return ""
    if char in "\u00a0\u2007\u202f\u2800":
        return " "
    if char in "‐‑‒–—―−":
        return "-"
    parts = unicodedata.normalize("NFKD", char)
    bare = "".join(one for one in parts if not unicodedata.combining(one)) if len(parts) <= 4 else char
    bare = bare.translate(_CAPITALS)
    return bare.casefold().translate(_LOOKALIKES)


def plain(text: str) -> str:
    """A word or value folded the same way, without places."""
    return "".join(map(_plain, text))


def listed(said: str) -> tuple[str, ...]:
    """The words of a list that is written as a line."""
    return tuple(said.split())
