"""Text → command. Nothing is guessed that could reach another institution, and nothing that is typed can raise.

The road of one message: `address.py` (is it for us?) → here: `parse` (addressed words) or `parse_in_thread` (words in a case
thread that do not address us) → the verb (`verbs.py`) → its arguments, each with its own reader below.

Rules:
1. Only the first line is a command; further lines belong to a free-text tail (`decir`, a value of `anotar`) or to nobody (I02).
2. A tail is handed on exactly as typed; only white space around it goes.
3. A code that looks mistyped stops everything (`what="code"`): never somebody else's case.
4. An institution, a field or a purpose that is not exactly known is asked back with suggestions; a need or a coded reason
   forgives one slip. A code list that was not understood comes back as `None`, and the choices are shown.
5. Without address, in a thread: only a whole, firm, unquestioning command counts (`parse_in_thread`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.cases.commands import (
    BadArgument,
    Choose,
    Command,
    Help,
    Say,
    SetField,
    Unclear,
)
from hub.chat import verbs
from hub.chat.arguments import read_arguments
from hub.chat.context import PROGRESS as PROGRESS
from hub.chat.context import Context as Context
from hub.chat.fold import Word, fold, words
from hub.chat.rest import Rest

_LONGEST_HEAD = 600
_LINE_END = re.compile(r"[\n\r\v\f\x85\u2028\u2029]")


def parse(text: str, context: Context) -> Command:
    """The command that addressed words mean. Never raises; `Unclear` and `BadArgument` say what was not understood."""
    plain, line = _lines(text)
    chosen = _choice(line)
    if chosen is not None:
        return chosen
    found = words(line)
    if not found:
        return Help() if not line.strip("?¿ ") else Unclear()
    left = verbs.skip_polite(found)
    matched = verbs.match_verb(left)
    if matched is None:
        return Unclear(suggestions=verbs.nearest(left, context.language)) if left else Help()
    return _command(plain, line, left, matched, context)


def parse_in_thread(text: str, context: Context) -> Command | None:
    """What words in a case thread mean that do not address us; `None`: a note among colleagues, to be left alone.

    An internal note can never go out by accident, so (1) the text begins with a firm form (an infinitive, a noun of the
    table, an English verb) or is a bare number; (2) it asks nothing, but for what follows `decir:` and for what only shows
    something; (3) it was understood to the end; (4) `decir` is followed by a colon, a code or a plain word, never by `que`,
    `a`, `si`, `no` …: then `BadArgument(what="explicit")` says that nothing went out and how to send it.
    """
    plain, line = _lines(text)
    chosen = _choice(line)
    if chosen is not None:
        return None if _LINE_END.search(plain) else chosen
    found = words(line)
    matched = verbs.match_verb(found)
    if matched is None or not _firm(found, matched):
        return None
    asks = _asks(plain) and not _may_ask(line, found, matched)
    quoted = line[found[matched[1] - 1].end :].lstrip().startswith("¿")  # `decir ¿le sirve el martes?`: words meant for somebody
    if matched[0].key == "say" and (quoted if asks else _like_a_note(line, found, matched[1])):
        return BadArgument(verb="say", what="explicit", given="")
    if asks:
        return None
    command = _command(plain, line, found, matched, context)
    if isinstance(command, BadArgument) and command.what == "extra":
        return None
    return None if _LINE_END.search(plain) and not isinstance(command, Say | SetField) else command


def number_of(text: str) -> int | None:
    """The number that is all that was typed: `2`, `2)`, `opción 2`."""
    plain, line = _lines(text)
    chosen = None if _LINE_END.search(plain) else _choice(line)
    return chosen.number if chosen else None


def mistyped(text: str, context: Context) -> Unclear | None:
    """A slip in the verb of what is built like a command (`anotr relato: …`, `drivar`): better asked back than believed done. None for a note."""
    return _slipped(text, context) or _before_a_colon(text, context)


def _slipped(text: str, context: Context) -> Unclear | None:
    """One letter is wrong in the verb, and with the right one it would be a whole, firm command; then it was hardly meant for a colleague."""
    first = next(iter(words(text)), None)
    near = verbs.slips(first.folded, context.language) if first and not _asks(text) else {}
    meant = {label for form, label in near.items() if first and _whole(text[: first.start] + form + text[first.end :], context)}
    return Unclear(suggestions=tuple(sorted(meant))) if meant else None


def _whole(text: str, context: Context) -> bool:
    command = parse_in_thread(text, context)
    return command is not None and not isinstance(command, BadArgument)


def _before_a_colon(text: str, context: Context) -> Unclear | None:
    head = text.split(":", 1)[0].split()
    if ":" not in text or not 1 <= len(head) <= 4 or verbs.match_verb(words(head[0])) is not None:
        return None
    close = tuple(name for name in verbs.nearest(words(head[0]), context.language) if len(head[0]) >= 5)
    return Unclear(suggestions=close) if close else None


def _lines(text: str) -> tuple[str, str]:
    """All that was typed, and its first line. Only what no text may hold (NUL, lone surrogates) is taken out."""
    plain = "".join(c for c in text if c != "\0" and not 0xD800 <= ord(c) <= 0xDFFF).strip()
    return plain, _LINE_END.split(plain, maxsplit=1)[0][:_LONGEST_HEAD]


def _choice(line: str) -> Choose | None:
    """`2`, `2)`, `opción 2`, `el 2`, also as a keycap emoji. A minus sign makes it no choice."""
    option = r"(?:la |el |the )?(?:opcion|option|numero|number|respuesta|nro|n)[. ]*"
    match = re.fullmatch(rf"(?:{option}|(?:elijo |escojo )?(?:el |la |the )?)?([0-9]{{1,6}})", fold(line))
    return Choose(number=int(match[1])) if match is not None and not line.startswith(("-", "−", "–", "+", ".")) else None


_HARMLESS = frozenset({"whoknows", "show", "help", "list"})


def _asks(plain: str) -> bool:
    return "?" in plain or "¿" in plain


def _may_ask(line: str, found: Sequence[Word], matched: tuple[verbs.Verb, int]) -> bool:
    """A question mark makes a note of a command, except after an explicit `decir:` and in what only shows something here."""
    verb, size = matched
    return verb.key in _HARMLESS or (verb.key == "say" and ":" in line[found[size - 1].start : found[size - 1].end + 2])


def _firm(found: Sequence[Word], matched: tuple[verbs.Verb, int]) -> bool:
    verb, size = matched
    return any(" ".join(w.folded for w in found[:n]) in verb.firm for n in range(1, size + 1))


NOTE_WORDS = frozenset(
    {"que", "a", "al", "la", "si", "no", "le", "les", "lo", "como", "cuando", "donde"}
    | {"that", "to", "him", "her", "them", "if", "when"}
)


def _like_a_note(line: str, found: Sequence[Word], size: int) -> bool:
    """`decir que …`, `decir a la colega …`: what people write to each other, not to the other institution."""
    if ":" in line[found[size - 1].start : found[size - 1].end + 2] or len(found) == size:
        return False
    return found[size].folded in NOTE_WORDS


def _command(plain: str, line: str, found: Sequence[Word], matched: tuple[verbs.Verb, int], context: Context) -> Command:
    verb, size = matched
    after = found[size - 1].end
    kept = verbs.without_thanks(found[size:])
    end = len(line) if len(kept) == len(found) - size else kept[-1].end if kept else after
    rest = Rest(
        verb=verb.key,
        said=" ".join(w.folded for w in found[:size]),
        head=re.sub(r"^[\s:,]+", "", line[after:end]).rstrip(),
        tail=re.sub(r"^\s*[:,]?\s*", "", plain[after:], count=1),
    )
    return read_arguments(rest, context)
