"""What is said about a protocol, before it leaves: it goes to every party and is kept for good, so nobody's data may stand in it.

A protocol is about no case: every value of every open case, and of what other institutions entrusted to us, is looked for. Whoever writes may be
an administrator, who reads no cases: so she is told the class of a pattern, and of a known value only that it leads to somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.actions import guard
from hub.actions.common import values_of
from hub.actions.ports import Unit
from hub.actions.show_value import held_values
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases.lifecycle import WORKING, Side
from keys.protocolword import MAX_TEXT
from policies.guard import Found, Known, Verdict, load, look, without

HOLD, WITHOUT, AS_IT_IS = "hold", "without", "as_it_is"
"""What becomes of words in which something is seen: refused, sent without it, sent as they are."""
MOST = 300
"""Cases, and referrals, the newest first: a comment is no reason to open every file of the house."""
SOMEBODY = mark("algo que identifica a una persona")
RESERVED = mark("(dato reservado)")


def seen(unit: Unit, said: str) -> Verdict:
    """What stands in words that every party will read and keep."""
    return look(said, load(unit.pack.id), tuple(_everybody(unit)))


def may_leave(unit: Unit, said: str, how: str) -> str:
    """The words as they leave. Raises Refused `protocol.text`, `protocol.held`, with the classes and never a word of the text."""
    if len(said) > MAX_TEXT:  # first: two different refusals of what cannot be said at all would tell what is known here
        raise Refused("protocol.text", limit=MAX_TEXT)
    verdict = seen(unit, said) if how != AS_IT_IS else Verdict()
    if not verdict.found:
        return said
    if how == WITHOUT and verdict.values:
        guard.count(unit, verdict.found)
        return without(said, verdict.values, text(unit.me.language, RESERVED))
    raise Refused("protocol.held", what_es=classes(unit, verdict.found, "es"), what_en=classes(unit, verdict.found, "en"))


def classes(unit: Unit, found: Iterable[Found], lang: str) -> str:
    """What was seen, by class, each once."""
    labels = load(unit.pack.id).labels
    said = (text(lang, SOMEBODY) if one.sort == "known" or one.what not in labels else labels[one.what].get(lang) for one in found)
    return ", ".join(dict.fromkeys(said))


def _everybody(unit: Unit) -> Iterator[Known]:
    for case in unit.cases.all(state="open", order="-opened_at", limit=MOST):
        yield from (Known(field=field, value=value) for field, value in values_of(unit, case.id).items() if value)
    for referral in unit.referrals.all(side=Side.RECIPIENT, state__in=tuple(WORKING), order="-opened_at", limit=MOST):
        yield from (Known(field=field, value=value) for field, (_, value) in held_values(unit, referral.id).items() if value)
