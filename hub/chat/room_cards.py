"""What stands in a coordination room: the card cut to what everybody there may see, the table of who does what, and why a field is not shown.

Nothing here decides: `shared_view` did. Codes of cases and of referrals stay home (a room has a code of its own), and of other institutions'
referrals only those are named that are present; what one of them does for her is named when all may know what she needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.actions.hear_coordination import hub_is_in
from hub.actions.ports import Unit
from hub.actions.rosters import seats_in
from hub.actions.shared_view import Shared
from hub.base.i18n import mark, plural, text
from hub.cases.records import CASE, Coordination, Referral, Seat
from hub.chat import seen
from hub.chat import wording as w
from hub.chat.plain import Block, Line, Message, code, listing, message, paragraph, strong
from policies.decision import Outcome
from policies.explain import explain
from policies.preview import Line as Shown

PUBLIC_REASONS = frozenset({"no_rule", "withheld_by_rule", "purpose_not_covered", "recipient_not_covered", "need_not_covered"})
"""Why something is withheld, where the protocol alone says so. Anything else would tell of her: what she agreed to, how great her risk is."""


ACTS = "room:acts:"


def acts_key(card: str) -> str:
    """Under which the table of who does what stands, beside the card with this owner."""
    return f"{ACTS}{card}"


def room_title(unit: Unit, room: Coordination, lang: str) -> str:
    """What a room is called: a table by its name, a meeting about a case by its code alone."""
    return f"{room.code} · {room.label}" if room.label else text(lang, "{code} · reunión de caso", code=room.code)


def room_card(unit: Unit, room: Coordination, shared: Shared, lang: str) -> Message:
    """The card of a room about a case."""
    preview = shared.preview(unit)
    shown = {line.field: line for line in (*preview.seen, *preview.generalised, *preview.presence)}
    lines: list[Line] = [[strong(room_title(unit, room, lang))], _present(unit, room, lang)]
    named = []
    for field in w.in_order(unit, shown):
        if written := _value_line(unit, shown[field], lang):
            lines.append(written)
        else:
            named.append(field)
    if named:
        lines.append(text(lang, "Todas lo recibieron o saben que existe; aquí no se escribe: {fields}.", fields=w.field_list(unit, named, lang)))
    if not shown:
        lines.append(text(lang, "Ningún dato de ella puede mostrarse a todas las presentes."))
    foot: Line = [text(lang, "Solo muestro lo que todas las presentes pueden ver. Para saber por qué: "), code(text(lang, "!tk quién ve"))]
    return message(paragraph(*lines), paragraph(foot))


def shown_list(unit: Unit, shown: Mapping[str, str], lang: str) -> str:
    """What a card shows, by name and by how: `Edad (en general)`, `Relato (solo que existe)`."""
    how = {"generalise": text(lang, "en general"), "presence": text(lang, "solo que existe")}
    names = [(w.field_label(unit, field, lang), how.get(shown[field].partition(":")[0])) for field in w.in_order(unit, shown)]
    return ", ".join(f"{name} ({way})" if way else name for name, way in names) or text(lang, "ningún dato de ella")


def _value_line(unit: Unit, line: Shown, lang: str) -> str:
    """`Edad: 30-44 (en general)`; empty for what is only named in a room of several institutions."""
    label, words = w.field_label(unit, line.field, lang), seen.words(unit, seen.ROOM, line.field, line.value or "", lang, line.outcome)
    if words and line.outcome is Outcome.GENERALISE:
        return text(lang, "{field}: {value} (en general)", field=label, value=words)
    return f"{label}: {words}" if words else ""


def _present(unit: Unit, room: Coordination, lang: str) -> str:
    return text(lang, "Presentes: {names}", names=", ".join(w.institution(unit, seat.institution) for seat in seats_in(unit, room.id)))


# ---- who does what (R49)


def responsibilities(unit: Unit, room: Coordination, shared: Shared, lang: str) -> Message:
    """Who leads, who acts, by when; from the referrals of those who are present."""
    open_needs = shared.joint.decision.field("needs").outcome is Outcome.RELEASE
    lead = text(
        lang, "Lleva el caso: {institution}. Próximo contacto: {when}", institution=w.institution(unit, room.owner),
        when=w.moment(unit, lang, shared.case.next_contact_at),
    )  # fmt: skip
    rows: list[Line] = [lead]
    for institution, referrals in sorted(shared.referrals.items()):
        rows += [_acts(unit, institution, referral, lang, named=open_needs) for referral in referrals]
    blocks: list[Block] = [paragraph([strong(text(lang, "{code} · quién hace qué", code=room.code))]), listing(rows)]
    twice = _twice(shared) if open_needs else []
    if twice:
        needs = ", ".join(w.low(w.term(unit, "needs", need, lang)) for need in twice)
        blocks.append(paragraph(text(lang, "Dos instituciones llevan lo mismo: {needs}. Acuerden quién.", needs=needs)))
    return message(*blocks)


def _acts(unit: Unit, institution: str, referral: Referral, lang: str, *, named: bool) -> str:
    what = w.low(w.term(unit, "needs", referral.need, lang)) if named else text(lang, "su parte")
    name, since = w.institution(unit, institution), w.moment(unit, lang, referral.answered_at or referral.opened_at)
    return text(lang, "{institution}: {what}. {state}, desde el {since}", institution=name, what=what, state=w.state(lang, referral), since=since)


def _twice(shared: Shared) -> list[str]:
    needs = [referral.need for referrals in shared.referrals.values() for referral in {r.need: r for r in referrals}.values()]
    return sorted({need for need in needs if needs.count(need) > 1})


# ---- who sees what


def who_sees(unit: Unit, room: Coordination, shared: Shared | None, lang: str) -> Message:
    """Who is there, what the card shows, and why the rest is not shown; without a value, and without what would tell of her."""
    lines: list[Line] = [[strong(room_title(unit, room, lang))]]
    blocks: list[Block] = [paragraph(*lines), listing([_seat_line(unit, room, seat, lang) for seat in seats_in(unit, room.id)])]
    if shared is None:
        return message(*blocks, paragraph(text(lang, "Esta sala es una mesa: no lleva datos de ninguna persona.")))
    shown = text(lang, "La tarjeta muestra a todas: {fields}.", fields=shown_list(unit, shared.shown, lang))
    if room.protocols:
        shown = f"{shown} {text(lang, 'Rige: {protocols}.', protocols=_protocols(unit, room, lang))}"
    return message(*blocks, paragraph(shown), *_withheld(unit, shared, lang))


def _protocols(unit: Unit, room: Coordination, lang: str) -> str:
    found = []
    for one in room.protocols:
        name, _, version = one.partition(" ")
        protocol = unit.pack.protocols.get(name)
        found.append(f"{protocol.title.get(lang) if protocol else name} (v{version})")
    return ", ".join(found)


def _seat_line(unit: Unit, room: Coordination, seat: Seat, lang: str) -> str:
    names = ", ".join(user.split(":")[0].lstrip("@") for user in seat.people)
    count = plural(lang, "{n} persona", "{n} personas", len(seat.people))
    said = f"{count} ({names})" if seat.people else text(lang, _EMPTY[hub_is_in(unit, room, seat)])
    return f"{w.institution(unit, seat.institution)}: {said}"


_EMPTY = {
    True: mark("nadie ahora; su hub ya está en la sala"),
    False: mark("nadie ahora; su hub todavía no entró"),
    None: mark("nadie ahora"),
}
"""An institution without people in the room, by whether its hub is there."""


def _withheld(unit: Unit, shared: Shared, lang: str) -> list[Block]:
    """What at least one of them may see and the card does not show, whether it is known or not: by the protocol's own words, or together."""
    by_reason: dict[str, list[str]] = {}
    rest: list[str] = []
    for field in w.in_order(unit, shared.joint.decision.fields):
        item = shared.joint.decision.field(field)
        wide = any(r.decision.field(field).outcome is not Outcome.WITHHOLD for found in shared.rulings.values() for r in found)
        if item.outcome is not Outcome.WITHHOLD or not wide:
            continue
        if item.reason.code in PUBLIC_REASONS:
            names = ", ".join(w.institution(unit, name) for name in shared.joint.limits.get(field, ()))
            by_reason.setdefault(f"{names}: {explain(item.reason, lang, unit.pack.vocabulary)}", []).append(field)
        else:
            rest.append(field)
    rows: list[Line] = [f"{w.field_list(unit, fields, lang)} — {why}" for why, fields in by_reason.items()]
    if rest:
        rows.append(f"{w.field_list(unit, rest, lang)} — {text(lang, 'no todas tienen permiso para verlo.')}")
    if not rows:
        return []
    return [paragraph(text(lang, "Aquí no se muestra, se sepa o no:")), listing(rows)]


# ---- before it is confirmed


def reasons_for(unit: Unit, shared: Shared, institution: str, lang: str) -> list[Line]:
    """For the owner's people: what one institution keeps from the card, field by field with its reason; only of what is known."""
    found: dict[str, list[str]] = {}
    for field in w.in_order(unit, _known(unit, shared)):
        if field in shared.shown:
            continue
        if field in shared.undelivered.get(institution, ()):
            found.setdefault(text(lang, "todavía no lo recibió."), []).append(field)
            continue
        items = [ruling.decision.field(field) for ruling in shared.rulings[institution]]
        least = min(items, key=lambda item: (item.outcome, item.reason.code))
        if least.outcome is Outcome.WITHHOLD:
            found.setdefault(explain(least.reason, lang, unit.pack.vocabulary), []).append(field)
    return [f"{w.field_list(unit, fields, lang)} — {why}" for why, fields in found.items()]


def _known(unit: Unit, shared: Shared) -> Iterable[str]:
    return next(iter(shared.rulings.values()))[0].values if shared.rulings else ()


def is_case(room: Coordination) -> bool:
    """Whether a room is about one woman's referrals."""
    return room.sort == CASE


RETIRED = mark("{code}: retirado. Ya no se muestra aquí: {fields}. La tarjeta de antes se borró.")
