"""Where somebody lives, and who is named beside a cue. A street without a house, an institution's own address and a bare name are left alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from policies.guard.folding import Folded, Token, listed
from policies.guard.lexicon import Lexicon
from policies.guard.shapes import Shape

LONGEST = 12
"""Words that one address is followed for."""
NEAR = 70
"""Signs before a street in which an institution, or the person, says whose it is."""
_STOP = "\n;!?\x01"
_SMALL = frozenset(listed("de del la las los el y nro n no num numero s"))
_PARTICLES = frozenset(listed("de del la las los san santa y"))
_LONGEST_NAME = 5


def addresses(folded: Folded, text: str, lexicon: Lexicon) -> Iterator[Shape]:
    """Streets with a house number, blocks with a lot; with a cue that she lives there, a street alone."""
    tokens = folded.tokens
    homes = sorted(tokens[last - 1].end for _, last in lexicon.cues["home"].occurrences(folded)) if "home" in lexicon.cues else []
    reached = 0
    for first, token in enumerate(tokens):
        if first < reached or text[token.start] == "\x01":
            continue
        street = _is_street(tokens, first, lexicon)
        settled = token.text in lexicon.settlements or (token.text == "aa" and first + 1 < len(tokens) and tokens[first + 1].text == "hh")
        if not street and not settled and not _is_block(tokens, first, lexicon):
            continue
        home = _close(homes, token.start)
        last, housed = _follow(tokens, first, text, lexicon, street=street)
        if (housed or (home and last > first + 1)) and (home or not _of_institution(folded, token.start, lexicon)):
            yield Shape(what="address", start=token.start, end=tokens[last].end)
            reached = last + 1


def _close(homes: Sequence[int], start: int) -> bool:
    """Whether one of these cues ends at most thirty signs before."""
    place = bisect_right(homes, start) - 1
    return place >= 0 and start - homes[place] <= 30


def _is_street(tokens: Sequence[Token], first: int, lexicon: Lexicon) -> bool:
    return tokens[first].text in lexicon.streets and first + 1 < len(tokens)


def _is_block(tokens: Sequence[Token], first: int, lexicon: Lexicon) -> bool:
    """`mz k lt 8`, or `mz. k lote 8`."""
    if tokens[first].text not in ("mz", "mza", "manzana", "mzna") or first + 3 >= len(tokens):
        return False
    lots = (at for at in range(first + 2, min(first + 4, len(tokens) - 1)) if tokens[at].text in ("lt", "lte", "lote", "l"))
    return any(tokens[at + 1].text.isdigit() for at in lots)


def _follow(tokens: Sequence[Token], first: int, text: str, lexicon: Lexicon, *, street: bool) -> tuple[int, bool]:
    """The last word of the address that begins here, and whether it has a house number or a lot."""
    last, housed, named = first, False, not street
    for at in range(first + 1, min(first + LONGEST, len(tokens))):
        between = text[tokens[at - 1].end : tokens[at].start]
        if len(between) > 6 or any(sign in between for sign in _STOP) or (". " in between and len(tokens[at - 1].text) > 5):
            break
        token = tokens[at]
        if token.text.isdigit():
            if len(token.text) > 5 or (housed and not _goes_on(tokens[at - 1].text, lexicon) and at > last + 1):
                break
            if at + 1 < len(tokens) and tokens[at + 1].text == "de" and not housed:  # «28 de julio»
                named, last = True, at
                continue
            if named or _goes_on(tokens[at - 1].text, lexicon):
                housed, last = True, at
            else:
                named, last = True, at  # «calle 7»
        elif _goes_on(token.text, lexicon) or _is_lot_letter(tokens, at, lexicon):
            last = at if not _goes_on(token.text, lexicon) or housed else last
            housed = housed or (_is_lot_letter(tokens, at, lexicon) and _block_before(tokens, at))
        elif housed:
            break
        elif token.text not in _SMALL and len(token.text) > 1 and at - first <= 6:
            named, last = True, at
    return last, housed


def _goes_on(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.parts or word in lexicon.settlements


def _is_lot_letter(tokens: Sequence[Token], at: int, lexicon: Lexicon) -> bool:
    return len(tokens[at].text) <= 2 and tokens[at].text.isalpha() and tokens[at - 1].text in lexicon.parts


def _block_before(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at - 1].text in ("mz", "mza", "manzana", "mzna")


def _of_institution(folded: Folded, start: int, lexicon: Lexicon) -> bool:
    """Whether the words before it in this sentence name an institution, whose address is anybody's."""
    before = folded.text[max(0, start - NEAR) : start]
    cut = max(before.rfind("\n"), before.rfind("; "), before.rfind(". ") if not before.rstrip().endswith(("jr.", "av.")) else -1)
    return any(token.text in lexicon.institutions for token in folded.between(start - len(before) + cut + 1, start))


def people(folded: Folded, text: str, lexicon: Lexicon) -> Iterator[Shape]:
    """A name that follows a cue: «se llama …», «la señora …», «Nombre: …». Bare names are not looked for: that needs a model, and guesses."""
    if "person" not in lexicon.cues:
        return
    tokens = folded.tokens
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
    light = between.strip(" \t") in (("", ":", ".") if begins else ("", "-"))
    return light and "\n" not in between and not tokens[at].text.isdigit() and tokens[at].text not in lexicon.institutions


def _is_name(folded: Folded, tokens: Sequence[Token], at: int, lexicon: Lexicon, *, begun: bool) -> bool:
    """A capital; or a name that the pack knows, if it is no word of every day or stands beside another name."""
    word = tokens[at].text
    if folded.capital(tokens[at].start) and len(word) > 1:
        return not _shouted(folded, tokens[at])
    beside = begun or (at + 1 < len(tokens) and tokens[at + 1].text in lexicon.names)
    return word in lexicon.names and (beside or word not in lexicon.ordinary)


def _shouted(folded: Folded, token: Token) -> bool:
    """A sign in capitals, «CEM», «DNI», is no name."""
    typed = folded.typed[folded.at[token.start] : folded.at[token.end - 1] + 1]
    return typed.isupper() and len(typed) <= 4
