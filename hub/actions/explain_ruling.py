"""Why one institution would see a field of a case, or would not: every decision with its reason, and nothing of what the fields hold."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.common import find_case, note, values_of
from hub.actions.decide import Ruling, if_nobody_knew, is_ours, peer_kind, rule
from hub.actions.ports import Unit
from hub.actions.simulate_protocol import needs_of
from hub.base.errors import Refused


def explain_ruling(unit: Unit, by: str, code: str | None, recipient: str, need: str | None = None) -> tuple[Ruling, ...]:
    """One ruling for each need that she has, or for the one named; the reading is logged.

    Raises Refused `unknown_code`, `unknown_institution`, `unknown_need`, `no_protocol` (where no need has one).
    """
    case = find_case(unit, code)
    kind = peer_kind(unit, recipient)
    if need is not None:
        wanted: tuple[str, ...] = (need,)
    else:
        noted = needs_of(values_of(unit, case.id)) or tuple(unit.pack.vocabulary.needs)
        wanted = tuple(one for one in noted if unit.pack.between(recipient).protocol_for(one, unit.me.kind, kind, unit.now.date()))
    if not wanted:
        raise Refused("no_protocol", institution=recipient, need=", ".join(noted[:3]))
    found = {ruling.protocol.id + ruling.purpose: ruling for ruling in (rule(unit, case, recipient, one) for one in wanted)}
    note(unit, case.id, by, "read.explained", recipient=recipient, needs=list(wanted))
    if by != case.lead and is_ours(unit, case):  # administrators may be his colleagues: the answer does not tell whose he is
        return tuple(replace(ruling, decision=if_nobody_knew(unit, ruling)) for ruling in found.values())
    return tuple(found.values())
