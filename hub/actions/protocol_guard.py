"""What is said about a protocol, before it leaves: it goes to every party and is kept for good, so nobody's data may stand in it.

A protocol is about no case: every value of every open case, and of what other institutions entrusted to us, is looked for. Whoever writes may be
an administrator, who reads no cases: so nothing that she is told, offered or counted may depend on whether a value is of a case. Where unkind words
are seen she is told those, and that there may be more; otherwise that something leads to somebody, whichever it is.
"""

from __future__ import annotations

from collections.abc import Iterator

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
MAYBE = mark("quizá también algo que identifica a una persona")
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
    if how == WITHOUT and not verdict.words:
        count(unit, verdict)
        return without(said, verdict.values, text(unit.me.language, RESERVED))
    raise Refused("protocol.held", what_es=classes(unit, verdict, "es"), what_en=classes(unit, verdict, "en"))


def count(unit: Unit, verdict: Verdict) -> None:
    """Count what was seen, as far as it is told."""
    guard.count(unit, verdict.words or [Found(sort="known", what="", start=0, end=0)])


def classes(unit: Unit, verdict: Verdict, lang: str) -> str:
    """What was seen, in words that are the same whether or not some of it is a value of a case."""
    labels = load(unit.pack.id).labels
    if not verdict.words:
        return text(lang, SOMEBODY)
    return ", ".join([*dict.fromkeys(labels[one.what].get(lang) for one in verdict.words), text(lang, MAYBE)])


def _everybody(unit: Unit) -> Iterator[Known]:
    for case in unit.cases.all(state="open", order="-opened_at", limit=MOST):
        yield from (Known(field=field, value=value) for field, value in values_of(unit, case.id).items() if value)
    for referral in unit.referrals.all(side=Side.RECIPIENT, state__in=tuple(WORKING), order="-opened_at", limit=MOST):
        yield from (Known(field=field, value=value) for field, (_, value) in held_values(unit, referral.id).items() if value)
