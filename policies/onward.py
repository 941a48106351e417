"""Passing on what somebody holds (R71): what the owner's own protocol and her consent let a third institution see, of what the holder has.

The owner never lets more through a holder than it would say itself: the fields of a grant are those of its own decision for the third
institution, made as for a referral of its own (`engine`), and cut once more to what the holder was given. Where both only ever show a part,
nobody can say which part is the smaller one; then only that it exists may go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policies.decision import Decision, Outcome
from policies.preview import Passage
from policies.protocol import Protocol

REFUSALS = ("onward_forbidden", "onward_unknown", "onward_protocol", "onward_consent", "onward_nothing")
"""Why the owner's hub says no by itself, for its own people: the holder hears one and the same word for all of them.

A conflict of interest is told as whatever would be told if nobody knew whose colleague the aggressor is; where nothing would, a person answers
(`hub.actions.onward_owner`): that he belongs to the third institution is a fact about her, and the holder who asks for it may not know it.
"""


def passages(ruled: Decision, held: Mapping[str, Outcome], asked: Iterable[str]) -> dict[str, Passage]:
    """Of the fields that were asked for, those that may go on, and how."""
    found = {}
    for name in asked:
        passage = _narrower(ruled, name, held.get(name, Outcome.WITHHOLD))
        if passage is not None:
            found[name] = passage
    return found


def _narrower(ruled: Decision, name: str, held: Outcome) -> Passage | None:
    item = ruled.field(name)
    if Outcome.WITHHOLD in (item.outcome, held):
        return None
    if held is Outcome.PRESENCE or (held is Outcome.GENERALISE and item.outcome is Outcome.GENERALISE):
        return Passage(outcome=Outcome.PRESENCE)
    return Passage(outcome=item.outcome, generalisation=item.generalisation)


def refusal(protocol: Protocol, kind: str, ruled: Decision | None, held: Mapping[str, Outcome], asked: Iterable[str]) -> str | None:
    """Why nothing may go on, whatever anybody wishes: a code of `REFUSALS`; None when a person may decide.

    `protocol` is the one under which the holder received it; `kind` the third institution's; `ruled` the owner's decision for the third
    institution, None when no protocol reaches it.
    """
    if not protocol.onward:
        return "onward_forbidden"
    if ruled is None or ruled.excluded or not protocol.goes_on_to(kind):
        return "onward_protocol"
    wanted = [name for name in asked if held.get(name, Outcome.WITHHOLD) is not Outcome.WITHHOLD]
    if not wanted:
        return "onward_nothing"
    if passages(ruled, held, wanted):
        return None
    missing = all(ruled.field(name).reason.code.startswith("consent_") for name in wanted)
    return "onward_consent" if missing else "onward_protocol"
