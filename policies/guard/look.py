"""One look at one text: shapes first, then numbers in what is left, addresses, names by cue, words; and the values of the case over all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policies.guard.folding import Folded, Token, fold
from policies.guard.known import Known, known_values
from policies.guard.lexicon import Lexicon
from policies.guard.numbers import blank, harmless, numbers
from policies.guard.places import addresses, people
from policies.guard.shapes import Day, Shape, days, links, signs
from policies.guard.verdict import Found, Verdict, settle

BIRTH_WORDS = 8
"""Words before a date in which it is said to be a birthday."""
BORN = (1925, 2012)
"""A full date of these years, said of nothing else, is a birthday: what cases are about happened later."""


def look(text: str, lexicon: Lexicon, known: Sequence[Known] = (), allowed: Sequence[Known] = ()) -> Verdict:
    """What stands in `text` that should not. `known`: values that its readers may not have; `allowed`: those they may, whatever their shape.

    Total: any text gives a verdict.
    """
    folded = fold(text)
    if not folded.tokens:
        return Verdict()
    free = settle(known_values(folded, allowed, lexicon))
    patterns = (_found(folded, shape) for shape in _patterns(folded, lexicon))
    seen = (one for one in patterns if not any(_inside(one, may) for may in free))
    return Verdict(
        found=settle((*known_values(folded, known, lexicon), *seen, *_words(folded, lexicon))), urgent=_urgent(folded, lexicon),
    )  # fmt: skip


def _found(folded: Folded, shape: Shape) -> Found:
    start, end = folded.span(shape.start, shape.end)
    return Found(sort="pattern", what=shape.what, start=start, end=end)


def _inside(one: Found, allowed: Found) -> bool:
    """Whether what is allowed is what was seen: most of it, for the ends of both are uncertain."""
    common = min(one.end, allowed.end) - max(one.start, allowed.start)
    return common * 2 > one.end - one.start


def _patterns(folded: Folded, lexicon: Lexicon) -> Iterator[Shape]:
    found = list(signs(folded, lexicon))
    yield from found
    text = blank(folded.text, [*links(folded.text), *((one.start, one.end) for one in found)])
    dates = list(days(text))
    yield from (Shape(what="birth_date", start=day.start, end=day.end) for day in dates if _is_birthday(day, folded, lexicon))
    text = blank(text, [(day.start, day.end) for day in dates if day.year is not None])
    text = blank(text, harmless(text))
    homes = list(addresses(folded, text, lexicon))
    yield from homes
    yield from people(folded, text, lexicon)
    yield from numbers(folded, blank(text, [(one.start, one.end) for one in homes]), lexicon)


def _is_birthday(day: Day, folded: Folded, lexicon: Lexicon) -> bool:
    before = [token for token in folded.tokens if day.start - 60 < token.start < day.start][-BIRTH_WORDS:]
    after = [token for token in folded.tokens if day.end <= token.start < day.end + 25][:3]
    if "birth" not in lexicon.cues:
        return False
    if lexicon.cues["birth"].said(before) or lexicon.cues["birth"].said(after):
        return True
    bare = day.on is not None and BORN[0] <= day.on.year <= BORN[1]
    return bare and not lexicon.cues["event"].said(before)


def _words(folded: Folded, lexicon: Lexicon) -> Iterator[Found]:
    """Phrases of the rules, but for what is quoted and what is denied: «no se concilia» is how it should be."""
    quotes = list(_quoted(folded.text))
    for rule in lexicon.rules:
        for first, last in rule.any.occurrences(folded.tokens):
            start, end = folded.tokens[first].start, folded.tokens[last - 1].end
            sentence = _sentence(folded, first, last)
            if not rule.unless.said(sentence) and not any(a < start and end <= b for a, b in quotes):
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


def _quoted(text: str) -> Iterator[tuple[int, int]]:
    """What stands between quotation marks: somebody else's words, told."""
    for opening, closing in ("«»", "“”", '""'):
        start = text.find(opening)
        while start >= 0:
            end = text.find(closing, start + 1)
            if end < 0:
                break
            yield start, end
            start = text.find(opening, end + 1)


def _urgent(folded: Folded, lexicon: Lexicon) -> bool:
    """Whether danger is said, and not only that it is over («fuera de peligro»)."""
    calm = list(lexicon.calm.occurrences(folded.tokens))
    return any(not any(a <= first and last <= b for a, b in calm) for first, last in lexicon.urgent.occurrences(folded.tokens))


def classes(found: Iterable[Found]) -> tuple[str, ...]:
    """The classes seen, each once, in their order."""
    return tuple(dict.fromkeys(one.what for one in found))
