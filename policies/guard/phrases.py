"""Phrases over words, not characters: `que ~2 convers*|habl* con el`. Bounded gaps and no backtracking, so nothing typed makes them slow.

`*` ends a stem; `|` parts alternatives of one word; `~2` lets up to two words stand between; `(…)` marks a word that may be absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from policies.guard.folding import STEM, Folded, Token, plain

MOST_GAP = 6


@dataclass(frozen=True, kw_only=True)
class Step:
    """One word of a phrase: whole words and stems that fit it, and how many others may stand before it."""

    words: frozenset[str]
    stems: tuple[str, ...]
    gap: int = 0

    def fits(self, word: str) -> bool:
        """Whether this word is one of them."""
        return word in self.words or bool(self.stems and word.startswith(self.stems))


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A row of steps."""

    steps: tuple[Step, ...]

    def ends(self, tokens: Sequence[Token], first: int) -> int | None:
        """The token after the phrase when it begins at `first`: the nearest word that fits is taken at each step."""
        if not self.steps[0].fits(tokens[first].text):
            return None
        at = first + 1
        for step in self.steps[1:]:
            window = range(at, min(at + step.gap + 1, len(tokens)))
            found = next((place for place in window if step.fits(tokens[place].text)), None)
            if found is None:
                return None
            at = found + 1
        return at


def compiled(said: str) -> Iterator[Phrase]:
    """The phrase of `said`; one with and one without each word that may be absent. Raises ValueError for an empty one."""
    parts = said.split()
    optional = next((place for place, part in enumerate(parts) if part.startswith("(")), None)
    if optional is not None:
        yield from compiled(" ".join(parts[:optional] + parts[optional + 1 :]))
        yield from compiled(" ".join([*parts[:optional], parts[optional].strip("()"), *parts[optional + 1 :]]))
        return
    steps: list[Step] = []
    gap = 0
    for part in parts:
        if part.startswith("~"):
            gap = min(int(part[1:]), MOST_GAP)
            continue
        forms = [plain(form) for form in part.split("|")]
        steps.append(
            Step(words=frozenset(f for f in forms if not f.endswith("*")), stems=tuple(f[:-1] for f in forms if f.endswith("*")), gap=gap)
        )  # fmt: skip
        gap = 0
    if not steps or any(len(stem) < STEM for step in steps for stem in step.stems):
        raise ValueError(f"the phrase `{said}`")
    yield Phrase(steps=tuple(steps))


class Phrases:
    """Many phrases, found by their first word: a text costs as much as it has such words, however many phrases and words there are."""

    def __init__(self, phrases: Iterable[Phrase] = ()) -> None:
        self._whole: dict[str, list[Phrase]] = {}
        self._stems: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            for word in phrase.steps[0].words:
                self._whole.setdefault(word, []).append(phrase)
            for stem in {stem[:STEM] for stem in phrase.steps[0].stems}:
                self._stems.setdefault(stem, []).append(phrase)

    def occurrences(self, folded: Folded, stops: re.Pattern[str] | None = None) -> Iterator[tuple[int, int]]:
        """Where any of them stands: first token and the one after the last; the longest that begins there and goes over none of `stops`."""
        firsts = {first for word in self._whole.keys() & folded.words.keys() for first in folded.words[word]}
        firsts |= {first for stem in self._stems.keys() & folded.stems.keys() for first in folded.stems[stem]}
        for first in sorted(firsts):
            ends = self._ends(folded.tokens, first)
            if ends := [end for end in ends if stops is None or not folded.stopped(first, end, stops)]:
                yield first, max(ends)

    def said(self, tokens: Sequence[Token]) -> bool:
        """Whether any of them stands anywhere among these few words."""
        return any(self._ends(tokens, first) for first in range(len(tokens)))

    def _ends(self, tokens: Sequence[Token], first: int) -> list[int]:
        word = tokens[first].text
        begun = (*self._whole.get(word, ()), *self._stems.get(word[:STEM], ()))
        return [end for phrase in begun if (end := phrase.ends(tokens, first)) is not None]


def phrases(said: Iterable[str]) -> Phrases:
    """The phrases of a list as it stands in a pack. Raises ValueError."""
    return Phrases(phrase for one in said for phrase in compiled(str(one)))
