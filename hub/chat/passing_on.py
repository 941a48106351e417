"""Passing on, as people read it: at the owner what is asked and would go, at the holder what became of it, at the third whose data they are (R71).

Names of fields, of institutions and dates; never a value, and at the holder never why her owner's protocol or she herself said no in so many words.
"""

from __future__ import annotations

from hub.actions import onward_holder, onward_owner
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases import events as e
from hub.cases.answers import BY_PEOPLE
from hub.cases.lifecycle import Side
from hub.cases.records import Onward, Question, Referral
from hub.chat import wording as w
from hub.chat.cards import case_key, referral_key
from hub.chat.here import Here
from hub.chat.meant import received
from hub.chat.options import labels
from hub.chat.plain import Block, choices, listing, message, paragraph, quote
from hub.chat.posting import Place, ask, close_questions, numbered, put, room_of
from hub.chat.saying import desk_only
from policies.preview import Passage

DESK = "desk"
OPTIONS = ("grant", *BY_PEOPLE)
OWNER = {
    "granted": mark("{code}: permiso firmado para que {holder} pase a {third}: {fields}. Vale hasta {until}."),
    "refused": mark("{code}: no se da permiso a {holder} para pasar datos a {third} ({reason})."),
    "forbidden": mark("{code}: {holder} pidió pasar datos a {third}; el hub dijo que no: {reason}."),
    "passed": mark("{code}: {holder} pasó a {third}, con su permiso: {fields}."),
    "called_back": mark("{code}: se retira también lo que {holder} pasó a {third}. Espero la confirmación firmada de {third}."),
    "ended": mark("{code}: {third} ya no tiene lo que le pasó {holder}; llegó su confirmación firmada."),
    "overdue": mark("{code}: {third} NO ha confirmado que destruyó lo que le pasó {holder}. Supervisión, por favor llame a las dos."),
}
HOLDER = {
    "asked": mark("{code}: pedí permiso a {owner} para pasar a {third}: {fields}. No salió nada; le aviso aquí cuando respondan."),
    "granted": mark("{code}: {owner} dio permiso firmado para {third}: {fields}. Ya les ofrecí la derivación ({child}), sin ningún dato de ella."),
    "refused": mark("{code}: no se puede pasar a {third}: {reason}."),
    "stopped": mark("{code}: {owner} dio permiso, pero la oferta a {third} no pudo salir. Pídalo otra vez cuando el enlace funcione."),
    "passed": mark("{code}: {third} recibió, con el permiso de {owner}: {fields}. Se destruye allá, a más tardar, el {until}."),
    "called_back": mark("{code}: {owner} retiró su permiso. Se pidió a {third} destruirlo y confirmarlo con firma."),
    "ended": mark("{code}: {third} ya no tiene nada de lo que se le pasó; se avisó a {owner}."),
}
WHY = {
    "she_refuses": mark("ella no quiere"),
    "not_needed": mark("no hace falta para eso"),
    "not_safe": mark("ahora no es seguro"),
    "refused": mark("su institución decidió no darlo"),
    "protocol": mark("el protocolo no lo permite en este caso"),
    "consent": mark("falta que ella diga que sí"),
    "owner": mark("ese dato es de otra institución; solo ella puede darlo"),
    "onward_forbidden": mark("el protocolo no permite pasar datos a nadie más"),
    "onward_unknown": mark("la institución dueña de los datos no está enlazada con esa institución"),
    "onward_protocol": mark("el protocolo, o lo que ella permitió, no lo deja para esa institución"),
    "onward_consent": mark("falta que ella diga que sí para esa institución"),
    "onward_nothing": mark("no hay nada que se pueda pasar"),
}
"""Why somebody said no, as whoever asked reads it."""


def why(lang: str, code: str) -> str:
    """A reason in words."""
    return text(lang, WHY.get(code, WHY["refused"]))


def share(unit: Unit, here: Here, command: c.Share) -> None:
    """`compartir`: ask the owner. Nothing but the question leaves."""
    desk_only(here)
    referral, wanted = received(unit, here, command.referral), w.expand(unit, command.fields, (), ())
    onward = onward_holder.ask_onward(unit, here.person.id, referral.id, command.to, command.need, wanted, command.why)
    absent = [f for f in wanted if f not in onward.fields]
    if absent:
        said = text(here.lang, "{code}: aquí no tenemos: {fields}.", code=referral.code, fields=w.field_list(unit, absent, here.lang))
        put(unit, here.place, message(paragraph(said)))


def choose_onward(unit: Unit, here: Here, question: Question, option: str) -> None:
    """The owner's caseworker answered by its number."""
    onward_owner.answer_onward(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def tell_onward(unit: Unit, event: e.OnwardMoved) -> None:
    """One line in the thread of her case, or of the referral that brought her."""
    onward = unit.onwards.get(event.onward)
    referral = unit.referrals.get(onward.referral) if onward else None
    if onward is None or referral is None:
        return
    if onward.state != "asked":
        close_questions(unit, onward.id)
    if onward.side is Side.SENDER:
        _at_owner(unit, event, onward, referral)
    elif event.what in HOLDER:
        place = Place(purpose=DESK, thread=referral_key(referral.id))
        ring = (referral.by,) if event.ring and referral.by and referral.by != "hub" else ()
        put(unit, place, message(paragraph(text(unit.me.language, HOLDER[event.what], **_named(unit, onward, referral)))), ring=ring)


def _at_owner(unit: Unit, event: e.OnwardMoved, onward: Onward, referral: Referral) -> None:
    case = unit.cases.get(referral.case or "")
    if case is None:
        return
    place, lang = Place(purpose=DESK, thread=case_key(case.id)), unit.me.language
    if event.what != "asked":
        line = message(paragraph(text(lang, OWNER[event.what], **_named(unit, onward, referral))))
        put(unit, place, line, ring=(case.lead,) if event.ring else ())
        return
    going = _going(unit, onward)
    kind, options = ("onward", OPTIONS) if going else ("onward_no", BY_PEOPLE)
    question = ask(unit, room_of(unit, DESK), kind, onward.id, options, referral.code)
    named = _named(unit, onward, referral)
    head = text(lang, "{code}: {holder} pide permiso para pasar datos de ella a {third}, por {need}.", **named)
    stays = [f for f, passage in onward.fields.items() if not passage]
    blocks: list[Block] = [paragraph(head, text(lang, "Para qué:")), quote(event.why)]
    if not going:
        said = mark("{third} queda fuera: quien la agrede es de ahí, y {holder} puede no saberlo. Diga que no con un motivo; solo ese motivo sale.")
        blocks.append(paragraph(text(lang, said, **named)))
        put(unit, place, message(*blocks, choices(numbered(question, labels(unit, question, lang)))), ring=(case.lead,), owner=case.id)
        return
    blocks += [paragraph(text(lang, "Vería {third}:", **named)), listing([_passage(unit, lang, f, p) for f, p in going])]
    if stays:
        blocks.append(paragraph(text(lang, "No va: {fields}.", fields=w.field_list(unit, stays, lang))))
    blocks.append(paragraph(text(lang, "Si ella retira después su permiso, las dos lo destruyen y lo firman.")))
    put(unit, place, message(*blocks, choices(numbered(question, labels(unit, question, lang)))), ring=(case.lead,), owner=case.id)


def _going(unit: Unit, onward: Onward) -> list[tuple[str, Passage]]:
    order = w.in_order(unit, onward.fields)
    return [(f, passage) for f in order if (passage := Passage.of(onward.fields[f])) is not None]


def _passage(unit: Unit, lang: str, field: str, passage: Passage) -> str:
    label = w.field_label(unit, field, lang)
    how = {"presence": mark("{field} (solo que hay algo anotado)"), "generalise": mark("{field} (en parte)")}
    return text(lang, how[passage.outcome.word], field=label) if passage.outcome.word in how else label


def _named(unit: Unit, onward: Onward, referral: Referral) -> dict[str, str]:
    lang = unit.me.language
    child = unit.referrals.get(onward.child or "")
    going = [f for f, passage in onward.fields.items() if passage] or list(onward.fields)
    peer = w.institution(unit, referral.peer)
    return {
        "code": referral.code, "holder": peer, "owner": peer, "third": w.institution(unit, onward.third),
        "need": w.low(w.term(unit, "needs", onward.need, lang)), "fields": w.field_list(unit, going, lang), "reason": why(lang, onward.reason),
        "until": w.moment(unit, lang, onward.until) if onward.until else "", "child": child.code if child else "",
    }  # fmt: skip
