"""Numbers that lead to a person: written together, in groups or spelt out, and told apart by length, grouping, checksum and the words beside them.

A number without a cue is taken only for what it can hardly fail to be (a nine-digit mobile, eight digits of a DNI, a card that adds up). Amounts,
times, laws, files, codes of ours and public telephones are taken out first: a guard that cries at «Ley 30364» is soon not read any more.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import phonenumbers
from stdnum import luhn
from stdnum.pe import ruc

from policies.guard.folding import Folded, Token, listed
from policies.guard.lexicon import Lexicon
from policies.guard.shapes import Shape
from policies.guard.spelt import spoken

NEAR = 8
"""Signs before a telephone in which a colon gives it as somebody's."""
GAP = 3
"""Signs that may part two groups of one number."""
LEAST_DIGITS, MOST_DIGITS = 6, 20
_ATTACHED = "attached"
"""Said of a cue that hangs on its number."""
BEFORE, AFTER = 8, 3
"""Words before and after a number in which a cue counts."""
_LIGHT = re.compile(r"[ \t\n.()/,+:*_'·|~\u2190-\u2bff\U0001f000-\U0001faff-]{0,4}")
_SAID_BETWEEN = re.compile(r"[ ,]{1,2}(?:guion|espacio|luego|despues)[ ,]{1,2}")
"""What a voice that is typed along leaves between two groups."""
_BLANK = "\x01"
_ROMAN = r"[ \t.]{0,3}(?:n[°ºo.]{0,2}|nro\.?|numero|num\.?)?[ \t:°#-]{0,3}"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_HARMLESS = re.compile(
    r"\b[cr]-?(?=[0-9a-z]{4,6}\b)[a-z]{0,5}[0-9][0-9a-z]{0,5}\b"  # our own codes
    r"|\b[a-z][a-z-]{1,40}@v?\d{1,4}\b"  # a protocol and its version
    r"|\b\d{1,2}:\d{2}(?::\d{2})?\b"
    r"|(?:\bs/\.?|us\$|\$|€)[ ]{0,2}\d[\d.,]{0,15}"
    r"|\b(?:19|20)\d{2}[ ]?(?:-|/|al?|y)[ ]?(?:19|20)\d{2}\b"
    rf"|\b{_BYTE}(?:\.{_BYTE}){{3}}\b"
    r"|\b0800(?:[ -]\d{1,5}){1,2}\b|\b0800\d{5}\b"
    rf"|\b(?:ley|leyes|d\. ?s\.|ds|d\. ?l(?:eg)?\.|dl|decreto[a-z ]{{0,20}}|resolucion[a-z ]{{0,30}}|r\. ?m\.|rm|directiva"
    rf"|ordenanza|art(?:iculo|s)?s?\.?|reglamento|convenio|casacion|sentencia|stc|oficio|informe|memo(?:randum|rando)?"
    rf"|carpeta(?: fiscal)?|expediente|exp\.?|disposicion|acuerdo plenario)\b{_ROMAN}\d[\w./-]{{0,40}}"
)
_ALNUM_AFTER = re.compile(r"-?[^\W\d_]")
_HEAD = re.compile(r"(?:\A|[^\w-])([^\W\d_]{1,20})\Z")
_TAIL = re.compile(r"[^\W\d_]{1,20}(?![\w-])")
"""A word of letters alone that hangs on a number, before and after it."""
_LETTERED = re.compile(r"(?<![\w-])([a-z]{1,3})[ -]?(?:\d{1,2}\.\d{3}\.\d{3}|\d{5,9})(?![\w-])")
_ACROSS_LINES = ([3, 3, 3], [3, 6], [6, 3])
"""How a mobile number breaks that was copied from somewhere; anything else on two lines is a list."""
_IN_FULL = {("dni", 8), ("ce", 9), ("phone", 9), ("card", 15), ("card", 16), ("ruc", 11)}
_AFTER_AMOUNT = frozenset(
    listed("soles sol dolares lucas mangos usd pen euros mil millones anos meses dias horas minutos km metros mts kg mg ml mmol lpm cm cuadras casos")
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Digits that stand together, or one spelt number, by its place in the folded text."""

    digits: str
    start: int
    end: int
    spelt: bool = False


def numbers(folded: Folded, text: str, lexicon: Lexicon) -> Iterator[Shape]:
    """What each row of groups is. `text` is the folded text with what was taken out, and what is harmless, blanked."""
    cues = _cues(folded, lexicon)
    lettered = list(_lettered(text, folded.tokens, cues))
    yield from lettered
    index = {token.start: place for place, token in enumerate(folded.tokens)}
    for row in rows(blank(text, [(one.start, one.end) for one in lettered]), folded.tokens):
        yield from _split(row, folded, text, lexicon, cues, index)


def _lettered(text: str, tokens: Sequence[Token], cues: Cues) -> Iterator[Shape]:
    """Documents that begin with a letter, «V-12.345.678», «AB123456»: beside their cue, or with the sign that only they have."""
    for m in _LETTERED.finditer(text):
        place = bisect_left(tokens, m.start(), key=lambda token: token.start)
        before = _before(place, tokens, cues)
        before = tuple(one for one in before if one not in (_ATTACHED, "number"))
        if before and before[0] in ("passport", "foreign", "ce", "ptp", "dni"):
            yield Shape(what=before[0], start=m.start(), end=m.end())
        elif m[1] in "ve" and m[0][1] == "-":
            yield Shape(what="foreign", start=m.start(), end=m.end())


def harmless(text: str) -> list[tuple[int, int]]:
    """What looks like somebody's number and is anybody's: codes of ours, laws, files, times, amounts, free lines."""
    return [m.span() for m in _HARMLESS.finditer(text)]


def blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with these places made into signs that part everything."""
    letters = list(text)
    for start, end in spans:
        letters[start:end] = _BLANK * (end - start)
    return "".join(letters)


def rows(text: str, tokens: Sequence[Token]) -> list[list[Group]]:
    """Groups of digits with nothing but light signs between them."""
    found: list[list[Group]] = []
    for group in _groups(text, tokens):
        last = found[-1][-1] if found else None
        between = text[last.end : group.start] if last else ""
        if last and _near(between) and _together(last, group, between):
            found[-1].append(group)
        else:
            found.append([group])
    return [row for row in found if not _only_small_words(row)]


def _near(between: str) -> bool:
    return (len(between) <= GAP and _LIGHT.fullmatch(between) is not None) or (len(between) <= 12 and _SAID_BETWEEN.fullmatch(between) is not None)


def _together(last: Group, group: Group, between: str) -> bool:
    if "," in between or ":" in between:
        return last.spelt or group.spelt
    return bool(between) or last.spelt or group.spelt


def _only_small_words(row: list[Group]) -> bool:
    """«una», «dos o tres»: words of every day, not a number that is dictated."""
    return sum(one.spelt for one in row) > 0 and sum(len(one.digits) for one in row) < 6


def _groups(text: str, tokens: Sequence[Token]) -> Iterator[Group]:
    skip = 0
    for place, token in enumerate(tokens):
        if place < skip or text[token.start] == _BLANK:
            continue
        if token.text.isdigit():
            if token.text.isascii():
                yield Group(digits=token.text, start=token.start, end=token.end)
        elif said := spoken(tokens, place):
            digits, skip = said
            yield Group(digits=digits, start=token.start, end=tokens[skip - 1].end, spelt=True)


Cues = dict[int, str]
"""Where a cue ends, and for what."""
_KINDS = ("number", "not", "dni", "ce", "ptp", "passport", "ruc", "card", "account", "foreign", "record", "phone")


def _cues(folded: Folded, lexicon: Lexicon) -> Cues:
    found: Cues = {}
    for kind in _KINDS:
        for _, end in lexicon.cues[kind].occurrences(folded) if kind in lexicon.cues else ():
            found[end - 1] = kind
    return found


def _split(row: list[Group], folded: Folded, text: str, lexicon: Lexicon, cues: Cues, index: Mapping[int, int]) -> Iterator[Shape]:
    """The longest rows of groups, from the left, that are something."""
    first = 0
    while first < len(row):
        ends, digits = _ends(row, first), ""
        before = _before(index[row[first].start], folded.tokens, cues) if ends else ()
        for last, digits in ends:
            after = _after(index[row[last - 1].start], folded.tokens, cues)
            what = _what(row[first:last], digits, folded, text, lexicon, before, after)
            if what and not (what == "phone" and _of_office(folded.tokens, index[row[first].start], text, digits, lexicon)):
                yield Shape(what=what, start=_with_plus(text, row[first].start), end=row[last - 1].end)
                first = last - 1
                break
        first += 1


def _ends(row: list[Group], first: int) -> list[tuple[int, str]]:
    """Where a number that begins here may end, and its digits then; the longest first."""
    found: list[tuple[int, str]] = []
    digits = ""
    for last in range(first, len(row)):
        digits += row[last].digits
        if len(digits) > MOST_DIGITS:
            break
        if len(digits) >= LEAST_DIGITS:
            found.append((last + 1, digits))
    return found[::-1]


def _with_plus(text: str, start: int) -> int:
    while start > 0 and text[start - 1] in "+(":
        start -= 1
    return start


def _before(place: int, tokens: Sequence[Token], cues: Cues) -> tuple[str, ...]:
    """The cues before a number, the nearest first; none from beyond a full stop of another sentence or another number's."""
    found = tuple(cues[at] for at in range(place - 1, max(-1, place - 1 - BEFORE), -1) if at in cues)
    attached = place > 0 and place - 1 in cues and tokens[place - 1].end == tokens[place].start
    return (_ATTACHED, *found) if attached else found


def _after(place: int, tokens: Sequence[Token], cues: Cues) -> tuple[str, ...]:
    return tuple(cues[at] for at in range(place + 1, min(len(tokens), place + 1 + AFTER)) if at in cues)


def _of_office(tokens: Sequence[Token], place: int, text: str, digits: str, lexicon: Lexicon) -> bool:
    """Whether the words before a telephone give it as an institution's own: «la comisaría: 01 …», «el celular del CEM es 9…».

    A mobile only when it is given so in so many words, for she may be spoken of in the same breath; no word of hers may stand there.
    """
    heard: list[str] = []
    for at in range(place - 1, max(-1, place - 1 - BEFORE), -1):
        gap = text[tokens[at].end : tokens[at + 1].start]
        if any(sign in gap for sign in "\n;!?\x01") or (". " in gap and len(tokens[at].text) > 5):
            break
        heard.append(tokens[at].text)
    if not (lexicon.offices | lexicon.ours) & set(heard[:5]) or lexicon.personal & set(heard):
        return False
    mobile = digits[-9:].startswith("9") and len(digits) in (9, 11, 13)
    beside = text[max(0, tokens[place].start - NEAR) : tokens[place].start].rstrip(" (+")
    return not mobile or heard[0] == "es" or bool(lexicon.ours & set(heard[:4])) or beside.endswith(":")


def _what(
    groups: list[Group], digits: str, folded: Folded, text: str, lexicon: Lexicon, before: tuple[str, ...], after: tuple[str, ...],
) -> str | None:  # fmt: skip
    """What these digits are, if their edges are those of a number too; the edges are looked at last, for most digits are nothing."""
    cues = tuple(one for one in before if one != _ATTACHED)
    cue = next((one for one in (*cues, *after) if one != "number"), "phone" if "number" in cues else "")
    start, end = groups[0].start, groups[-1].end
    what = _abroad(digits, text, start) or _here(digits, [len(one.digits) for one in groups], cue, lexicon)
    if what is None or ("\n" in text[start:end] and not _breaks(what, digits, groups, told=what in cues and text.count("\n", start, end) == 1)):
        return None
    sure = what in cues or (what == "phone" and digits[-9:].startswith("9") and len(digits) in (9, 11))
    if _in_a_word(folded, text, start, end, attached=cues != before, sure=sure) or amount(text, end) or digits in lexicon.public_numbers:
        return None
    return what


def _breaks(what: str, digits: str, groups: list[Group], *, told: bool) -> bool:
    """Whether a number may go on in the next line: one that is told to be what it is, in full; or a mobile in its groups."""
    if told and (what, len(digits)) in _IN_FULL and (what != "phone" or digits[0] == "9"):
        return True
    return what == "phone" and digits[0] == "9" and [len(one.digits) for one in groups] in _ACROSS_LINES


def _abroad(digits: str, text: str, start: int) -> str | None:
    """A telephone with its country."""
    marked = text[max(0, start - 2) : start].rstrip("(").endswith("+") or (digits.startswith("00") and len(digits) > 10)
    return "phone" if marked and 8 <= len(digits) <= 17 and _phone(f"+{digits.removeprefix('00')}", ()) else None


def _here(digits: str, sizes: list[int], cue: str, lexicon: Lexicon) -> str | None:
    if cue == "not":
        return None
    return _by_cue(cue, digits) or _by_shape(digits, sizes, cue, lexicon) or _by_country(digits, sizes, cue, lexicon)


def _in_a_word(folded: Folded, text: str, start: int, end: int, *, attached: bool, sure: bool) -> bool:
    """Part of a longer sign with letters in it: a code, a file, a version.

    None is a cue that hangs on it («DNI40000017»); nor, where it is sure what the digits are, a word in small letters («Rosa900123456ok»).
    """
    before, after = text[max(0, start - 2) : start], _ALNUM_AFTER.match(text, end)
    joined = before[-1:].isalnum() or before[-1:] == "_" or (before[-1:] in ("-", "/", ".") and before[0].isalpha())
    head, tail = _HEAD.search(text[max(0, start - 22) : start]), _TAIL.match(text, end)
    if joined and not attached and not (sure and head and not _coded(folded, start - len(head[1]), start)):
        return True
    long = after is not None and not (after.end() == len(text) or not text[after.end()].isalnum())
    return long and not (sure and tail and not _coded(folded, end, tail.end()))


def _coded(folded: Folded, start: int, end: int) -> bool:
    """Capitals, as codes are written."""
    return all(folded.capital(place) for place in range(start, end))


def amount(text: str, end: int) -> bool:
    """Whether the number that ends here is so many of something."""
    word = re.match(r"[.,]?\d{0,2}[ ]?([a-z]{2,10})", text[end : end + 16])
    return word is not None and word[1] in _AFTER_AMOUNT


def _by_cue(cue: str, digits: str) -> str | None:
    size = len(digits)
    fits = {
        "dni": 7 <= size <= 9, "ce": 8 <= size <= 12, "ptp": 7 <= size <= 12, "passport": 6 <= size <= 12, "ruc": size == 11,
        "card": 15 <= size <= 16, "account": 10 <= size <= 20, "foreign": 6 <= size <= 12, "record": 6 <= size <= 14,
    }  # fmt: skip
    return cue if fits.get(cue) and not (cue == "dni" and size == 9 and digits[0] == "9") else None


def _by_shape(digits: str, sizes: list[int], cue: str, lexicon: Lexicon) -> str | None:
    """What it can hardly fail to be."""
    size, whole, small = len(digits), len(sizes) == 1, max(sizes) <= 4
    if size == 20 and (whole or sizes[:2] == [3, 3]):
        return "account"
    if 13 <= size <= 19 and digits[0] in "3456" and (whole or sizes[0] == 4) and luhn.is_valid(digits):
        return "card"
    if size == 11 and (whole or len(sizes) == 3) and digits[:2] in ("10", "15", "16", "17", "20") and ruc.is_valid(digits):
        return "ruc"
    if ((size == 9 and digits[0] == "9") or (size == 11 and digits.startswith("519"))) and (whole or small or sizes in _ACROSS_LINES):
        return "phone"
    if size == 9 and digits.startswith("00") and whole and cue != "phone":
        return "ce"
    if size == 8 and lexicon.region == "PE" and cue != "phone" and (whole or sizes in ([2, 3, 3], [4, 4])):
        return "dni"
    return "card" if size in (15, 16) and digits[0] in "3456" and sizes in ([4] * 4, [4, 6, 5]) else None


def _by_country(digits: str, sizes: list[int], cue: str, lexicon: Lexicon) -> str | None:
    """Landlines by their area code, and telephones of the countries around; without a cue only those that cannot be anything else."""
    size = len(digits)
    if len(sizes) > 1 and digits[: sizes[0]] in lexicon.area_codes and size in (8, 9) and max(sizes) <= 7:
        return "phone"
    if size == 11 and digits[:2] == "04" and _phone(digits, ("VE",)):
        return "phone"
    if cue == "phone" and 6 <= size <= 13:
        return "phone" if size in (6, 7, 8, 9) or _phone(digits, lexicon.regions) else None
    return None


def _phone(digits: str, regions: tuple[str, ...]) -> bool:
    for region in regions or (None,):
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(digits, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
