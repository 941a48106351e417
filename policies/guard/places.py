"""Where somebody lives. A street without a house and an institution's own address are left alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from policies.guard.folding import Folded, Token, listed
from policies.guard.lexicon import Lexicon
from policies.guard.numbers import amount
from policies.guard.shapes import Shape

LONGEST = 12
"""Words that one address is followed for."""
NEAR = 70
"""Signs before a street in which an institution, or the person, says whose it is."""
_STOP = "\n;!?\x01"
_SMALL = frozenset(listed("de del la las los el y nro n no num numero s"))
_OPENS = frozenset(listed("los las el la san santa"))
"""With what the name of a street begins, in small letters too."""
_TURNS = frozenset(
    listed("a al en con por para que es era fue son estaba hay hasta desde entre donde cuando como se lo le me te ya hoy sin segun tiene")
)
"""Words that no name of a street goes on with."""
_BEFORE_NO_HOUSE = frozenset(listed("a al de del el la los las y es"))
"""«av. Brasil el 12» is a day."""
_DOORS = frozenset(listed("izq izda izquierda dcha dch derecha bajo bajos atico principal planta esc escalera pta sotano altos"))


def addresses(folded: Folded, text: str, lexicon: Lexicon) -> Iterator[Shape]:
    """Streets with a house number, blocks with a lot; with a cue that she lives there, a street alone; «Domicilio: Los Sauces 14»."""
    tokens = folded.tokens
    homes = sorted(tokens[last - 1].end for _, last in lexicon.cues["home"].occurrences(folded)) if "home" in lexicon.cues else []
    reached = 0
    for first, token in enumerate(tokens):
        if first < reached or text[token.start] == "\x01":
            continue
        home = _close(homes, token.start)
        named = _begins(folded, text, first, lexicon, home=home)
        filled_in = named is None and _is_filled_in(folded, text, first, homes)
        if named is None and not filled_in:
            continue
        last, housed = _follow(folded, first - filled_in, text, lexicon, named=bool(named))
        if (housed or (home and not filled_in and last > first + 1)) and (home or not _of_institution(folded, token.start, lexicon)):
            yield Shape(what="address", start=token.start, end=tokens[last].end)
            reached = last + 1


def _close(homes: Sequence[int], start: int) -> bool:
    """Whether one of these cues ends at most thirty signs before."""
    place = bisect_right(homes, start) - 1
    return place >= 0 and start - homes[place] <= 30


def _begins(folded: Folded, text: str, first: int, lexicon: Lexicon, *, home: bool) -> bool | None:
    """Whether an address that begins here has its name already («Mz K») or is still to be named («jr. …»); None when none begins."""
    tokens = folded.tokens
    word, more = tokens[first].text, first + 1 < len(tokens)
    if word in lexicon.settlements or (word == "aa" and more and tokens[first + 1].text == "hh") or _is_block(tokens, first, lexicon):
        return True
    sure = word in lexicon.streets or (word == "c" and text[tokens[first].end : tokens[first].end + 1] == "/")
    return False if more and (sure or (word in lexicon.ways and (home or _in_capitals(folded, first)))) else None


def _in_capitals(folded: Folded, first: int) -> bool:
    """«Paseo Colón», and not «un paseo de tres horas»."""
    named = next((token for token in folded.tokens[first + 1 : first + 4] if token.text not in _SMALL), None)
    return named is not None and folded.capital(folded.tokens[first].start) and folded.capital(named.start)


def _is_filled_in(folded: Folded, text: str, first: int, homes: Sequence[int]) -> bool:
    """«Domicilio: Los Sauces …»: it stands right after the cue and its colon, and begins as a name does."""
    token = folded.tokens[first]
    place = bisect_right(homes, token.start) - 1
    return place >= 0 and text[homes[place] : token.start].strip(" \t") == ":" and (folded.capital(token.start) or token.text in _OPENS)


def _is_block(tokens: Sequence[Token], first: int, lexicon: Lexicon) -> bool:
    """`mz k lt 8`, or `mz. k lote 8`."""
    if tokens[first].text not in ("mz", "mza", "manzana", "mzna") or first + 3 >= len(tokens):
        return False
    lots = (at for at in range(first + 2, min(first + 4, len(tokens) - 1)) if tokens[at].text in ("lt", "lte", "lote", "l"))
    return any(tokens[at + 1].text.isdigit() for at in lots)


def _follow(folded: Folded, first: int, text: str, lexicon: Lexicon, *, named: bool) -> tuple[int, bool]:
    """The last word of the address that begins here, and whether it has a house number or a lot."""
    tokens, last, housed = folded.tokens, first, False
    for at in range(first + 1, min(first + LONGEST, len(tokens))):
        between = text[tokens[at - 1].end : tokens[at].start]
        if _parts(between, tokens[at - 1].text, lexicon, begins=at == first + 1):
            break
        token = tokens[at]
        if token.text.isdigit():
            if len(token.text) > 5 or (housed and not _goes_on(tokens[at - 1].text, lexicon) and at > last + 1):
                break
            if at + 1 < len(tokens) and tokens[at + 1].text == "de" and not housed:  # «28 de julio»
                named, last = True, at
                continue
            if _is_measure(tokens, at, text):
                break
            if named or _goes_on(tokens[at - 1].text, lexicon):
                if tokens[at - 1].text in _BEFORE_NO_HOUSE:
                    break
                housed, last = True, at
            else:
                named, last = True, at  # «calle 7»
        elif _goes_on(token.text, lexicon) or _is_lot_letter(tokens, at, lexicon):
            last = at if not _goes_on(token.text, lexicon) or housed else last
            housed = housed or (_is_lot_letter(tokens, at, lexicon) and _block_before(tokens, at))
        elif housed and at == last + 1 and _is_door(folded, at):
            last = at
        elif named and not housed and _without_number(tokens, at):
            return min(at + (token.text == "s"), len(tokens) - 1), True
        elif housed or (token.text in _TURNS and at > first + 1):
            break
        elif token.text not in _SMALL and len(token.text) > 1 and at - first <= 6:
            named, last = True, at
    return last, housed


def _parts(between: str, before: str, lexicon: Lexicon, *, begins: bool) -> bool:
    """Whether these signs end an address. A colon does but after «calle:», «Mz:»; a full stop but after what is short."""
    if len(between) > 6 or any(sign in between for sign in _STOP) or (". " in between and len(before) > 5):
        return True
    return (")" in between and begins) or (":" in between and not begins and not _goes_on(before, lexicon))


def _is_measure(tokens: Sequence[Token], at: int, text: str) -> bool:
    """«AV de 0,5», «300 metros»."""
    end = tokens[at].end
    decimal = text[end : end + 1] in (",", ".") and text[end + 1 : end + 2].isdigit() and tokens[at - 1].text not in ("km", "kilometro")
    return decimal or amount(text, end)


def _is_door(folded: Folded, at: int) -> bool:
    """«3º», «4D», «B», «izq.»: the floor and the door after the house."""
    token = folded.tokens[at]
    glued = token.start == folded.tokens[at - 1].end
    return token.text in _DOORS or (len(token.text) <= 2 and (glued or (len(token.text) == 1 and folded.capital(token.start))))


def _without_number(tokens: Sequence[Token], at: int) -> bool:
    """«s/n»."""
    return tokens[at].text == "sn" or (tokens[at].text == "s" and at + 1 < len(tokens) and tokens[at + 1].text == "n")


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
