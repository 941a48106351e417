"""Who is named: after a cue, or by a name and a surname that many bear. One word alone is left alone, and so are colleagues, saints and streets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from policies.guard.folding import Folded, Token, listed
from policies.guard.lexicon import Lexicon
from policies.guard.shapes import Shape

NEAR = 3
"""Words before a bare name in which an institution or a title makes it a colleague's or a place's; and after it, «Ana Torres del CEM»."""
SHORT = 4
"""Letters of a title at most: the point after «Sra.» ends no sentence."""
_MEETINGS = frozenset(listed("cita reunion taller casa mesa"))
"""What is held for her too: «cita para …»."""
_PARTICLES = frozenset(listed("de del la las los san santa y"))
_LINKS = frozenset(listed("de del la las los"))
_LONGEST_NAME = 5


def people(folded: Folded, text: str, lexicon: Lexicon) -> Iterator[Shape]:
    """A name that follows a cue: «se llama …», «la señora …», «Nombre: …»; and a name with its surname, that the pack knows."""
    if "person" not in lexicon.cues:
        return
    tokens = folded.tokens
    yield from _bare(folded, text, lexicon)
    for _, first in lexicon.cues["person"].occurrences(folded):
        last = _name(folded, text, first, lexicon)
        if last > first:
            yield Shape(what="name", start=tokens[first].start, end=tokens[last - 1].end)


def _name(folded: Folded, text: str, first: int, lexicon: Lexicon) -> int:
    """The word after the name that begins at `first`: capitals, or names that the pack knows; `first` when there is none."""
    tokens, at, named = folded.tokens, first, first
    while at < len(tokens) and at - first < _LONGEST_NAME + 2 and _goes_with(tokens, at, text, lexicon, begins=at == first):
        if _is_name(folded, tokens, at, lexicon, begun=named > first):
            named = at + 1
        elif tokens[at].text not in _PARTICLES:
            break
        at += 1
    return named


def _goes_with(tokens: Sequence[Token], at: int, text: str, lexicon: Lexicon, *, begins: bool) -> bool:
    """Whether this word may belong to the name: hardly a sign stands before it, and it is neither a number nor an institution."""
    between = text[tokens[at - 1].end : tokens[at].start] if at else ""
    light = between.strip(" \t") in (("", ":", "." if at and len(tokens[at - 1].text) <= SHORT else ":") if begins else ("", "-"))
    return light and "\n" not in between and not tokens[at].text.isdigit() and tokens[at].text not in lexicon.institutions


def _is_name(folded: Folded, tokens: Sequence[Token], at: int, lexicon: Lexicon, *, begun: bool) -> bool:
    """A capital; or a name that the pack knows, if it is no word of every day or stands beside another name."""
    word = tokens[at].text
    if word in lexicon.nobody:
        return False
    if folded.capital(tokens[at].start) and len(word) > 1:
        return not _shouted(folded, tokens[at])
    beside = begun or (at + 1 < len(tokens) and tokens[at + 1].text in lexicon.names)
    return word in lexicon.names and (beside or word not in lexicon.ordinary)


def _shouted(folded: Folded, token: Token) -> bool:
    """A sign in capitals, «CEM», «DNI», is no name."""
    typed = folded.typed[folded.at[token.start] : folded.at[token.end - 1] + 1]
    return typed.isupper() and len(typed) <= 4


def _bare(folded: Folded, text: str, lexicon: Lexicon) -> Iterator[Shape]:
    """«vino Juana Pérez», «quispe mamani rosa», «Carla Apellidoraro»: two words or more side by side, one of them a name that the pack knows."""
    tokens, reached = folded.tokens, 0
    known = sorted(place for word in (lexicon.given | lexicon.surnames) & folded.words.keys() for place in folded.words[word])
    called = list(lexicon.namesakes.occurrences(folded)) if known else []
    for first in known:
        if first < reached or text[tokens[first].start] == "\x01":
            continue
        last = _together(folded, text, first, lexicon)
        reached = max(reached, last)
        if last > first + 1 and not _of_another(folded, text, first, last, lexicon) and not _named_after(called, first, last):
            yield Shape(what="name", start=tokens[first].start, end=tokens[last - 1].end)


def _together(folded: Folded, text: str, first: int, lexicon: Lexicon) -> int:
    """The word after the whole name that begins here; `first` when it is none."""
    tokens, at, last = folded.tokens, first, first
    while at < len(tokens) and at - first < _LONGEST_NAME + 2:
        word = tokens[at]
        if at > first and text[tokens[at - 1].end : word.start] != " ":
            break
        if word.text in lexicon.names or (last > first and _capitalised(folded, word, lexicon)):
            last = at + 1
        elif word.text not in _LINKS:
            break
        at += 1
    return last if _is_whole(folded, tokens[first:last], lexicon) else first


def _capitalised(folded: Folded, token: Token, lexicon: Lexicon) -> bool:
    called = token.text not in lexicon.institutions and token.text not in lexicon.nobody
    return called and len(token.text) > 2 and folded.capital(token.start) and not _shouted(folded, token)


def _is_whole(folded: Folded, words: Sequence[Token], lexicon: Lexicon) -> bool:
    """A name and then a surname, or two surnames: in capitals; or, in small letters, known and one of them no word of every day."""
    named = [word for word in words if word.text not in _LINKS]
    if len(named) < 2 or (not any(word.text in lexicon.given for word in named[:-1]) and not all(word.text in lexicon.names for word in named[:2])):
        return False
    known = all(word.text in lexicon.names for word in named)
    sure = any(word.text in lexicon.names and word.text not in lexicon.ordinary for word in named)
    if all(_capitalised(folded, word, lexicon) for word in named):
        return known or sure
    return known and sure and any(word.text in lexicon.surnames for word in named)


def _of_another(folded: Folded, text: str, first: int, last: int, lexicon: Lexicon) -> bool:
    """Whether it is a colleague's, a place's or a street's, by the words about it in its sentence."""
    tokens = folded.tokens
    low = first
    while low > 0 and first - low < NEAR and not _ends_sentence(text[tokens[low - 1].end : tokens[low].start], tokens[low - 1].text):
        low -= 1
    before = {token.text for token in tokens[low:first]}
    greeted = first > 0 and tokens[first - 1].text in lexicon.greetings and text[tokens[first - 1].end : tokens[first].start] == " "
    after = tokens[last : last + NEAR]
    belongs = bool(after) and after[0].text in ("del", "de", "en") and any(token.text in lexicon.institutions for token in after[1:])
    others = lexicon.institutions - _MEETINGS | lexicon.streets | lexicon.ways | lexicon.settlements | lexicon.not_hers
    return greeted or belongs or bool(before & others)


def _ends_sentence(between: str, word: str) -> bool:
    return bool(set(between) & set(";!?\n\x01")) or ("." in between and len(word) > SHORT)


def _named_after(called: Sequence[tuple[int, int]], first: int, last: int) -> bool:
    """Whether a namesake stands within."""
    place = bisect_right(called, (last, 0)) - 1
    return place >= 0 and called[place][0] >= first
