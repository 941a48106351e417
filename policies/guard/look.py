"""One look at one text: shapes first, then numbers in what is left, addresses, names by cue, words; and the values of the case over all of them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from policies.guard.folding import Folded, Token, fold
from policies.guard.known import Known, known_values
from policies.guard.lexicon import Lexicon
from policies.guard.numbers import blank, harmless, numbers
from policies.guard.people import people
from policies.guard.places import addresses
from policies.guard.shapes import Day, Shape, days, links, signs
from policies.guard.spelt import spelt_days
from policies.guard.verdict import UNREAD, Found, Verdict, settle

BIRTH_WORDS = 8
"""Words before a date in which it is said to be a birthday."""
STOPS = re.compile(r"[.,;:?!\n¿¡…|/()]|(?<!\w)-|-(?!\w)")
"""Signs over which nothing calms, for «No sale. PELIGRO» is danger; a hyphen within a word is none."""
QUOTES = ("«»", "“”", '""')
BORN = (1925, 2012)
"""A full date of these years, said of nothing else, is a birthday: what cases are about happened later."""


def look(text: str, lexicon: Lexicon, known: Sequence[Known] = (), allowed: Sequence[Known] = ()) -> Verdict:
    """What stands in `text` that should not. `known`: values that its readers may not have; `allowed`: those they may, whatever their shape.

    Total: any text gives a verdict.
    """
    folded = fold(text)
    if not folded.tokens and folded.unread is None:
        return Verdict()
    free = settle(known_values(folded, allowed, lexicon))
    patterns = (_found(folded, shape) for shape in _patterns(folded, lexicon))
    seen = (one for one in patterns if not _inside(one, free))
    found = settle((*known_values(folded, known, lexicon), *seen, *_unread(folded), *_words(folded, lexicon)))
    return Verdict(found=found, urgent=_urgent_at_all(folded, lexicon))


def _found(folded: Folded, shape: Shape) -> Found:
    start, end = folded.span(shape.start, shape.end)
    return Found(sort="pattern", what=shape.what, start=start, end=end)


def _unread(folded: Folded) -> Iterator[Found]:
    """What stands beyond the part that is read: anything may, so it counts as seen."""
    if folded.unread is not None:
        yield Found(sort="pattern", what=UNREAD, start=folded.unread, end=len(folded.typed))


def _inside(one: Found, free: Sequence[Found]) -> bool:
    """Whether one of what is allowed (in its order, none over another) is what was seen: most of it, for the ends of both are uncertain."""
    for at in range(bisect_left(free, one.end, key=lambda may: may.start) - 1, -1, -1):
        if free[at].end <= one.start:
            break
        if (min(one.end, free[at].end) - max(one.start, free[at].start)) * 2 > one.end - one.start:
            return True
    return False


def _patterns(folded: Folded, lexicon: Lexicon) -> Iterator[Shape]:
    found = list(signs(folded, lexicon))
    yield from found
    text = blank(folded.text, [*links(folded.text), *((one.start, one.end) for one in found)])
    dates = [*days(text), *spelt_days(folded.tokens)]
    yield from (Shape(what="birth_date", start=day.start, end=day.end) for day in dates if _is_birthday(day, folded, lexicon))
    text = blank(text, [(day.start, day.end) for day in dates if day.year is not None])
    text = blank(text, harmless(text))
    homes = list(addresses(folded, text, lexicon))
    yield from homes
    yield from people(folded, text, lexicon)
    yield from numbers(folded, blank(text, [(one.start, one.end) for one in homes]), lexicon)


def _is_birthday(day: Day, folded: Folded, lexicon: Lexicon) -> bool:
    before = folded.between(day.start - 59, day.start)[-BIRTH_WORDS:]
    after = folded.between(day.end, day.end + 25)[:3]
    if "birth" not in lexicon.cues:
        return False
    if lexicon.cues["birth"].said(before) or lexicon.cues["birth"].said(after):
        return True
    bare = day.on is not None and BORN[0] <= day.on.year <= BORN[1]
    return bare and not lexicon.cues["event"].said(before)


def _words(folded: Folded, lexicon: Lexicon) -> Iterator[Found]:
    """Phrases of the rules, but for what is quoted and what is denied: «no se concilia» is how it should be."""
    quotes = [list(_quoted(folded.text, *marks)) for marks in QUOTES]
    for rule in lexicon.rules:
        for first, last in rule.any.occurrences(folded):
            start, end = folded.tokens[first].start, folded.tokens[last - 1].end
            sentence = _sentence(folded, first, last)
            if not rule.unless.said(sentence) and not any(_within(start, end, told) for told in quotes):
                typed = folded.span(start, end)
                yield Found(sort="words", what=rule.of, start=typed[0], end=typed[1], rule=rule.id)


def _sentence(folded: Folded, first: int, last: int) -> list[Token]:
    """The words about these, up to the signs that end a sentence, and no more than a dozen to each side."""
    tokens, text = folded.tokens, folded.text
    low = first
    while low > 0 and first - low < 12 and not set(text[tokens[low - 1].end : tokens[low].start]) & set(".;!?\n"):
        low -= 1
    high = last
    while high < len(tokens) and high - last < 12 and not set(text[tokens[high - 1].end : tokens[high].start]) & set(".;!?\n"):
        high += 1
    return list(tokens[low:high])


def _quoted(text: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    """What stands between these quotation marks: somebody else's words, told."""
    start = text.find(opening)
    while start >= 0:
        end = text.find(closing, start + 1)
        if end < 0:
            break
        yield start, end
        start = text.find(opening, end + 1)


def _within(start: int, end: int, stretches: Sequence[tuple[int, int]]) -> bool:
    """Whether one of these, in their order and none over another, holds it."""
    place = bisect_left(stretches, (start, 0)) - 1
    return place >= 0 and end <= stretches[place][1]


def _urgent_at_all(folded: Folded, lexicon: Lexicon) -> bool:
    """Whether danger is said in any part, also in those too far on to be read for anything else."""
    while not _urgent(folded, lexicon):
        if folded.unread is None:
            return False
        folded = fold(folded.typed[folded.unread :])
    return True


def _urgent(folded: Folded, lexicon: Lexicon) -> bool:
    """Whether danger is said, and not only that it is over («fuera de peligro»). What calms stands within one breath: no sign goes through it."""
    if any(_called(folded, place) for word in lexicon.cries for place in folded.words.get(word, ())):
        return True
    calm = list(lexicon.calm.occurrences(folded, stops=STOPS))
    reach = list(accumulate((end for _, end in calm), max))
    for first, last in lexicon.urgent.occurrences(folded):
        before = bisect_right(calm, first, key=lambda one: one[0])
        if before == 0 or reach[before - 1] < last:
            return True
    return False


def _called(folded: Folded, place: int) -> bool:
    """Whether this word stands beside an exclamation mark."""
    word = folded.tokens[place]
    return folded.text[word.end : word.end + 3].lstrip().startswith("!") or folded.text[max(0, word.start - 3) : word.start].rstrip().endswith("¡")


def classes(found: Iterable[Found]) -> tuple[str, ...]:
    """The classes seen, each once, in their order."""
    return tuple(dict.fromkeys(one.what for one in found))
