"""Longer answers: the preview of a referral, who knows what, what a withdrawal stops, values shown, lists."""

from __future__ import annotations

from hub.actions.close_case import Ends
from hub.actions.common import is_stopped
from hub.actions.legal_basis import recorded
from hub.actions.ports import Unit
from hub.actions.reach import calls_blindly
from hub.actions.refer import Draft, has_left
from hub.actions.show_value import Values
from hub.actions.withdraw import Stops
from hub.base.i18n import mark, plural, text
from hub.cases.lifecycle import WORKING
from hub.cases.records import Referral
from hub.chat import blind, seen
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.options import ask_her, basis_line, labels
from hub.chat.plain import (
    Block,
    Message,
    choices,
    code,
    listing,
    message,
    paragraph,
    strong,
)
from hub.chat.plain import Line as Words
from hub.chat.posting import numbered
from hub.chat.stopped import not_heard
from policies.decision import Outcome
from policies.explain import explain
from policies.preview import Line


def preview(unit: Unit, here: Here, draft: Draft) -> Message:
    """What the recipient will see, what is generalised, what stays home and by which rule, who is there, what is missing."""
    lang, referral, case = here.lang, draft.referral, draft.ruling.case
    name, need = w.institution(unit, referral.peer), w.term(unit, "needs", referral.need, lang)
    title = text(lang, "Vista previa · {code} → {institution} por {need}", code=case.code, institution=name, need=w.low(need))
    blocks: list[Block] = [paragraph([strong(title)])]
    shown = _leaves(unit, lang, draft)
    if shown:
        blocks += [paragraph(text(lang, "Primero va una oferta, sin ningún dato de ella. Lleva: {offer}.", offer=_offer(unit, lang, draft)))]
        blocks += [paragraph(text(lang, "Si aceptan, verán:")), listing(shown)]
    lawful = w.in_order(unit, draft.ruling.by_law)
    if lawful:
        said = text(lang, "Sin su permiso, por la base legal registrada: {fields}", fields=w.field_list(unit, lawful, lang))
        blocks.append(paragraph([strong(said)]))
    if calls_blindly({line.field for line in (*draft.preview.seen, *draft.preview.generalised)}):
        blocks.append(paragraph([strong(text(lang, blind.WARNING))]))
    stays = [*_held_back(unit, lang, draft), *_stays(unit, lang, draft)]
    if stays:
        blocks += [paragraph(text(lang, "No sale:")), listing(stays)]
    if not draft.ready:
        return message(*blocks, _nothing_leaves(lang, draft))
    if draft.preview.consent_missing and draft.ruling.consent_state != AGREED:
        blocks.append(paragraph([text(lang, "Si ella también quiere compartir eso:"), " ", code(f"{text(lang, 'consentimiento')} {case.code}")]))
    blocks.append(paragraph(*_there(unit, lang, draft)))
    question = ask_her(unit, here, "refer", referral.id, ("confirm", "edit", "cancel"), case.code)
    return message(*blocks, choices(numbered(question, labels(unit, question, lang))))


AGREED = "active"
"""She was asked and agreed to something for this: what is not in it she may have refused, and she is not pressed to be asked again."""


def _offer(unit: Unit, lang: str, draft: Draft) -> str:
    """All that an offer says. An urgency that nobody noted must be some word on the road: which one they read is told too."""
    offer, values = draft.offer, draft.ruling.values
    urgency = w.term(unit, "urgencies", offer["urgency"], lang)
    if not values.get("urgency") and not values.get("risk_level"):
        urgency = text(lang, "no indicada (allá se lee «{term}»; para cambiarla, anote la urgencia o el riesgo)", term=urgency)
    said = [f"{text(lang, 'Urgencia')}: {urgency}"]
    if offer.get("territory"):
        said.append(text(lang, "Zona: {zone}", zone=offer["territory"]))
    more = [f for f in ("languages", "accessibility") if offer.get(f)]
    said += [f"{w.field_label(unit, f, lang)}: {seen.words(unit, seen.OFFER, f, offer[f], lang)}" for f in more]
    return "; ".join(map(w.low, [w.term(unit, "needs", offer["need"], lang), *said]))


def _leaves(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """Fields in the order of the vocabulary: as they are, then generalised, then those of which only the existence is told."""
    seen, general, presence = (_in_order(unit, lines) for lines in (draft.preview.seen, draft.preview.generalised, draft.preview.presence))
    shown = [*(_shown(unit, line, lang) for line in seen), *(_general(unit, line, lang) for line in general)]
    return shown + [text(lang, "{field}: solo que hay algo anotado, no qué", field=w.field_label(unit, line.field, lang)) for line in presence]


def _in_order(unit: Unit, lines: tuple[Line, ...]) -> list[Line]:
    order = list(unit.pack.vocabulary.fields)
    return sorted(lines, key=lambda line: order.index(line.field) if line.field in order else len(order))


def _held_back(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """What the caseworker herself took out, first of what does not leave."""
    fields = tuple(draft.referral.offer.get("held_back", ()))
    return [text(lang, "{fields}: usted decidió no enviarlo.", fields=w.field_list(unit, fields, lang))] if fields else []


def _stays(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """What stays home, one line for each reason, so that a long list can be read at a glance."""
    reasons: dict[str, list[str]] = {}
    for line in draft.preview.withheld:
        left_out = line.reason.code == "consent_missing" and draft.ruling.consent_state == AGREED
        why = text(lang, "No está en lo que ella aceptó.") if left_out else explain(line.reason, lang, unit.pack.vocabulary)
        reasons.setdefault(why, []).append(line.field)
    return [f"{w.field_list(unit, fields, lang)}: {why}" for why, fields in reasons.items()]


def _nothing_leaves(lang: str, draft: Draft) -> Block:
    code_ = draft.ruling.case.code
    if draft.referral.offer.get("held_back"):
        return paragraph([text(lang, "Así no queda nada que enviar. Para empezar de nuevo:"), " ", code(f"{text(lang, 'derivar')} {code_}")])
    head = text(lang, "Así no llegaría nada: falta su consentimiento. Siguiente paso:")
    return paragraph([head, " ", code(f"{text(lang, 'consentimiento')} {code_}")])


def _there(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """Who is there to receive it, and who else could."""
    lines = [_duty(unit, lang, draft)]
    if draft.alternatives:
        lines.append(text(lang, "También pueden: {others}", others=", ".join(w.institution(unit, peer) for peer in draft.alternatives)))
    return lines


def _shown(unit: Unit, line: Line, lang: str) -> str:
    """Identifiers are named, not shown: values appear only in the direct chat."""
    label = w.field_label(unit, line.field, lang)
    value = seen.words(unit, seen.PREVIEW, line.field, line.value or "", lang)
    return f"{label}: {value}" if value else label


def _general(unit: Unit, line: Line, lang: str) -> str:
    label = w.field_label(unit, line.field, lang)
    value = seen.words(unit, seen.PREVIEW, line.field, line.value or "", lang, Outcome.GENERALISE)
    return text(lang, "{field}: «{value}» (generalizado)", field=label, value=value)


def _duty(unit: Unit, lang: str, draft: Draft) -> str:
    duty = draft.duty
    if duty.get("on"):
        roles = ", ".join(text(lang, w.ROLES.get(role, role)) for role in duty.get("roles", []))
        return text(lang, "De guardia allá ahora: {roles}", roles=roles)
    following = str(duty.get("next") or "")
    if following:
        return text(lang, "Nadie de guardia allá ahora; se avisa a: {next}", next=text(lang, w.ROLES.get(following, following)))
    return text(lang, "Nadie de guardia allá ahora; la verán al volver. Si no responden a tiempo, le aviso.")


WITHDRAWAL = ("withdraw", "withdraw_blind")
"""The kinds of question that a withdrawal is; the second warned of what would stay."""


def withdrawal(unit: Unit, here: Here, stops: Stops, recipient: str | None) -> Message:
    """What a withdrawal stops, and the numbers to confirm it."""
    lang = here.lang
    names = ", ".join(w.institution(unit, r) for r in stops.recipients)
    what = w.field_list(unit, stops.fields, lang) if stops.fields else text(lang, "todo")
    lines = [text(lang, "{code}: se retira {what} de {names}.", code=stops.case.code, what=what, names=names)]
    if stops.disclosures:
        lines += _how_it_ends(lang, stops)
    for referral in stops.referrals:
        if not stops.fields:
            need = w.term(unit, "needs", referral.need, lang)
            there = w.institution(unit, referral.peer)
            lines.append(text(lang, "Se detiene {code} ({need}) en {institution}.", code=referral.code, need=need, institution=there))
    lines += [text(lang, "También lo destruye {third}, que lo tiene con su permiso.", third=w.institution(unit, peer)) for peer in stops.passed]
    if stops.checkins:
        lines.append(
            plural(lang, "Queda {n} contacto de seguimiento suyo con ella.", "Quedan {n} contactos de seguimiento suyos con ella.", stops.checkins)
        )
    for row in recorded(unit, stops.case.id):
        if set(row.recipients) & set(stops.recipients):
            still = mark(
                "Sigue vigente una base legal ({line}): por ella puede salir algo aunque ella lo retire. Para quitarla: «quitar base legal {code}»."
            )
            lines.append(text(lang, still, line=basis_line(unit, row, lang), code=stops.case.code))
    lines.append(text(lang, "Lo que alguien ya leyó o anotó fuera no se puede borrar."))
    lines += not_heard(unit, lang, stops.unheard)
    warned = blind.if_withdrawn(unit, stops)
    kind, options = ("withdraw_blind", ("confirm_ways", "confirm", "cancel")) if warned else ("withdraw", ("confirm", "cancel"))
    question = ask_her(unit, here, kind, withdrawal_ref(stops, recipient), options, stops.case.code)
    warning = [paragraph([strong(text(lang, blind.WARNING))])] if warned else []
    return message(paragraph(*lines), *warning, choices(numbered(question, labels(unit, question, lang))))


def _how_it_ends(lang: str, stops: Stops) -> list[str]:
    """What they have to do there. Of a part: the key dies with all that it opens, their messages too, and what she still shares goes anew."""
    if not stops.fields:
        return [text(lang, "Deberán destruir lo que tienen y confirmarlo con firma.")]
    touched = [r for r in stops.referrals if any(d.referral == r.id for d in stops.disclosures)]
    over = ", ".join(r.code for r in touched if r.state not in WORKING)
    lines = [text(lang, "{codes} ya terminó: allá se destruye todo lo que tienen, y no se entrega de nuevo.", codes=over)] if over else []
    if any(r.state in WORKING for r in touched):
        lines.append(text(lang, "Deberán destruirlo y confirmarlo con firma. Lo demás sigue: se les entrega de nuevo."))
        lines.append(text(lang, "Allá se borran también los mensajes que ya leyeron: diga otra vez lo que siga valiendo, como una cita."))
    return lines


def what_ends(unit: Unit, lang: str, ends: Ends) -> list[str]:
    """What closing a case cancels, and who still has something of hers afterwards."""
    lines = []
    if ends.checkins:
        lines.append(
            plural(
                lang, "Al cerrar se cancela el contacto con ella del {when}.", "Al cerrar se cancelan {n} contactos con ella, desde el {when}.",
                len(ends.checkins), when=w.moment(unit, lang, ends.checkins[0].due_at),
            )
        )  # fmt: skip
    return lines + _holders(unit, lang, ends)


def _holders(unit: Unit, lang: str, ends: Ends) -> list[str]:
    if not ends.holders:
        return []
    until = w.moment(unit, lang, max(ends.holders.values()))
    names = ", ".join(w.institution(unit, peer) for peer in ends.holders)
    held = mark("Todavía tienen datos de ella, como mucho hasta el {until}: {names}. Para que los destruyan: «retirar {code}».")
    return [text(lang, held, until=until, names=names, code=ends.case.code)]


GRAVE = frozenset({"died"})
"""An outcome that is never taken from a slip, and after which nobody is told what to do when she comes back."""


def closed(unit: Unit, lang: str, ends: Ends, outcome: str) -> Message:
    """The answer to a closing: how it ended, in words, and the way back. After her death only what is done, and who has something of hers."""
    head = text(lang, "{code} cerrado: «{outcome}».", code=ends.case.code, outcome=w.term(unit, "close_outcomes", outcome, lang))
    if outcome not in GRAVE:
        back = mark("Para seguir con él escriba «deshacer» (1 minuto). Si ella vuelve después, siempre se puede abrir otro.")
        return message(paragraph(head, text(lang, back)))
    gone = len(ends.checkins)
    done = [plural(lang, "Se canceló {n} aviso de seguimiento.", "Se cancelaron {n} avisos de seguimiento.", gone)] if gone else []
    slip = text(lang, "Si fue un error: «deshacer» (1 minuto).")
    return message(paragraph(head, *done, *_holders(unit, lang, ends), slip))


def closing(unit: Unit, here: Here, ends: Ends, outcome: str) -> Message:
    """What it ends, and the numbers to confirm it."""
    lang, case = here.lang, ends.case
    said = w.term(unit, "close_outcomes", outcome, lang)
    question = ask_her(unit, here, "close_as", f"{case.id}|{outcome}", ("confirm", "cancel"), case.code)
    ask = mark("{code}: va a cerrarse como «{outcome}». ¿Seguro?") if outcome in GRAVE else mark("{code}: ¿lo cierro como «{outcome}»?")
    head = text(lang, ask, code=case.code, outcome=said)
    return message(paragraph(head, *what_ends(unit, lang, ends)), choices(numbered(question, labels(unit, question, lang))))


def withdrawal_ref(stops: Stops, recipient: str | None) -> str:
    """What the question about a withdrawal is about; read again by `choose`."""
    return f"{stops.case.id}|{recipient or ''}|{','.join(stops.fields)}"


def take_back(unit: Unit, here: Here, referral: Referral) -> Message:
    """An offer that left but that nobody accepted: taken back by number."""
    lang = here.lang
    head = text(
        lang, "{code} ya salió hacia {institution}; la oferta no lleva ningún dato de ella. ¿La cancelo? Se les avisa.",
        code=referral.code, institution=w.institution(unit, referral.peer),
    )  # fmt: skip
    question = ask_her(unit, here, "take_back", referral.id, ("confirm", "cancel"), referral.code)
    return message(paragraph(head, *not_heard(unit, lang, _deaf(unit, referral))), choices(numbered(question, labels(unit, question, lang))))


def _deaf(unit: Unit, referral: Referral) -> tuple[str, ...]:
    """The other side of an offer, when it knows of it and its link is stopped."""
    return (referral.peer,) if is_stopped(unit, referral.peer) and has_left(unit, referral) else ()


def taken_back(unit: Unit, here: Here, referral: Referral) -> Message:
    """The answer to it, said before the offer is cancelled: afterwards nothing tells whether it had left."""
    lang, deaf = here.lang, _deaf(unit, referral)
    said = mark("{code}: cancelada aquí.") if deaf else mark("{code}: cancelada. Se lo digo a {institution}.")
    head = text(lang, said, code=referral.code, institution=w.institution(unit, referral.peer))
    return message(paragraph(head, *not_heard(unit, lang, deaf)))


def withdrawn(unit: Unit, here: Here, stops: Stops) -> Message:
    """The answer to a withdrawal: what is done here, and who does not know of it yet."""
    said = mark("{code}: retirado. Le aviso aquí cuando cada institución confirme con firma.")
    if stops.fields and not stops.unheard:
        said = mark("{code}: retirado {fields}; lo demás sigue. Le aviso aquí cuando cada institución confirme con firma.")
    if stops.unheard:
        said = mark("{code}: retirado aquí. Le aviso aquí cuando cada institución confirme con firma; quien aún no se entera, no puede confirmar.")
    head = text(here.lang, said, code=stops.case.code, fields=w.field_list(unit, stops.fields, here.lang))
    return message(paragraph(head, *not_heard(unit, here.lang, stops.unheard)))


def shown(unit: Unit, lang: str, found: Values, minutes: int) -> Message:
    """Values in the direct chat, with their end."""
    lines: list[Words] = []
    order = list(unit.pack.vocabulary.fields)
    for field in sorted(found.values, key=lambda f: order.index(f) if f in order else 999):
        lines.append([strong(w.field_label(unit, field, lang) + ":"), f" {seen.shown(unit, found, field, lang)}"])
    foot = text(lang, "Este mensaje se borra en {minutes} minutos. Quedó registrado que lo vio.", minutes=minutes)
    return message(paragraph([strong(found.code)]), listing(lines), paragraph(foot))
