"""From what happened to what people read: each announced event becomes posts, in the same unit of work.

Cards are redrawn by edit, and every transition is also one line in the thread, because edits are silent (chat rule 5). `ring` mentions only
those who must act now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from hub.actions.common import is_stopped, on_duty, supervisors
from hub.actions.decide import is_ours
from hub.actions.legal_hold import living_hold
from hub.actions.own_house import asked_to_move_it, without_named
from hub.actions.ports import Unit
from hub.actions.staff import WARNING
from hub.base.i18n import mark, plural, text
from hub.base.ids import new_id
from hub.cases import events as e
from hub.cases.lifecycle import OPEN, WORKING, Side
from hub.cases.records import Referral
from hub.chat import seen
from hub.chat import wording as w
from hub.chat.account import tell_again
from hub.chat.admin_rooms import tell_invitation, tell_room
from hub.chat.alarms import tell_alarm
from hub.chat.asked import tell_answered, tell_asked
from hub.chat.basis import tell_basis
from hub.chat.cards import case_card, case_key, parent_of, referral_card, referral_key
from hub.chat.glass import tell_glass
from hub.chat.options import labels
from hub.chat.passing_on import tell_onward, why
from hub.chat.plain import Message, choices, message, paragraph, quote, strong
from hub.chat.posting import (
    Place,
    ask,
    close_questions,
    has_post,
    numbered,
    put,
    room_of,
)
from hub.chat.protocol_views import tell_protocol
from hub.chat.restored import tell_restored
from hub.chat.stopped import minutes_unheard, not_heard
from hub.chat.tell_rooms import case_moved, tell_room_moved
from hub.chat.verifying import tell_verification

DESK = "desk"

UNHEARD_LINE = mark(
    "{code}: lo que dijimos aquí aún no lo recibe {institution}: sin acuse desde hace {minutes} minutos. Lo sigo intentando; si urge, llame."
)
SENDER_LINES = {
    "offer": mark("{code}: ofrecida a {institution}, sin ningún dato de ella."),
    "delivered": mark("{code}: {institution} la recibió (acuse firmado)."),
    "accept": mark("{code}: {institution} aceptó ({by})."),
    "disclosed": mark("{code}: se entregaron los datos permitidos."),
    "nothing_disclosed": mark(
        "{code}: a {institution} no le llegó nada: ese dato no está anotado, o ella o el protocolo no lo permiten. Anótelo o revise su permiso."
    ),
    "decline": mark("{code}: {institution} no puede: {reason}. El caso sigue con usted. Siguiente paso: «derivar» a otra institución."),
    "start": mark("{code}: {institution} ya la está atendiendo."),
    "hold": mark("{code}: {institution} la dejó en espera."),
    "complete": mark("{code}: {institution} terminó: {reason}."),
    "give-back": mark("{code}: {institution} la devuelve: {reason}. El caso sigue con usted. Siguiente paso: «derivar» a otra."),
    "cancel": mark("{code}: cancelada."),
    "not-taken": mark(
        "{code}: el hub de {institution} NO la tomó: {reason}. Nadie allá la vio, y ningún dato de ella salió. El caso sigue con usted. "
        "Siguiente paso: «derivar» a otra institución, o llame."
    ),
    "conflict": mark("{code}: se detuvo con {institution}: la persona agresora es de ese sector. Lo que tenían se les reclama. Derive a otra."),
    "ways_ended": mark(
        "{code}: terminó su permiso para la forma segura de contactarla. Por eso su teléfono, correo y dirección tampoco van a {institution}, ni "
        "quedan allí. Vea con ella si da un permiso nuevo para las dos cosas."
    ),
    "withdraw": mark("{code}: retirada. Espero la confirmación firmada de {institution}."),
    "withdraw_part": mark("{code}: a {institution} se le retira {fields}; lo demás sigue. Espero su confirmación firmada."),
    "rest": mark("{code}: se entregó de nuevo lo demás, sin {fields}."),
    "nothing_left": mark("{code}: aparte de lo retirado, a {institution} no le queda ningún dato de ella."),
    "forgotten": mark("{code}: {institution} perdió su máquina y no recuerda su respuesta. Se le ofrece otra vez; si urge, llame."),
    "caught_up": mark("{code}: puesta al día con lo que {institution} sabe."),
    "unheard": UNHEARD_LINE,
    "glass_too_late": mark(
        "{code}: {institution} pidió un dato por una emergencia cuando la derivación ya había terminado: no se abrió nada, y no se puede leer qué "
        "pedía. Si ella puede estar en peligro, llámelas."
    ),
    "version_refused": mark(
        "{code}: {institution} NO guardó lo que se le entregó: a su hub le falta una firma de esa versión del protocolo. Lo destruyó y lo firmó. Se "
        "decide y se envía otra vez solo; si urge, llame."
    ),
    "version_stopped": mark(
        "{code}: {institution} NO guardó lo que se le entregó: esa versión del protocolo no rige allá. Lo destruyó y lo firmó. Ya NO se envía otra "
        "vez solo: llame a {institution}, o derive a otra."
    ),
    "overdue": mark("{code}: {institution} no respondió a tiempo. Puede llamar, o «retirar {code}» y derivar a otra."),
}
NOT_TAKEN = {
    "too_many_offers": mark("ya tiene demasiadas ofertas nuestras sin responder"),
    "no_protocol": mark("allá no rige el protocolo con que se ofreció"),
    "wrong_purpose": mark("allá esa necesidad no va con ese propósito"),
    "referral_exists": mark("allá ya terminó una con ese mismo número"),
    "version_ahead": mark("allá aún no rige esa versión del protocolo: le falta alguna firma; pruebe otra vez en unos minutos"),
    "version_over": mark("allá ya rige una versión más nueva del protocolo; avise a su administración"),
    "bad_body": mark("allá no se entendió la oferta; avise a su administración"),
}
RECIPIENT_LINES = {
    "accept": mark("{code}: aceptada por {who}."),
    "decline": mark("{code}: no aceptada ({reason})."),
    "disclosed": mark("{code}: llegaron los datos. Están en la tarjeta; lo demás, con «ver» en este hilo."),
    "ask": mark("{code}: se pidió un dato más a {institution}."),
    "granted": mark("{code}: {institution} dio permiso; el dato llega si el protocolo y ella lo permiten."),
    "refused": mark("{code}: {institution} no da «{fields}»: {reason}."),
    "start": mark("{code}: en curso."),
    "hold": mark("{code}: en espera."),
    "complete": mark("{code}: terminada ({reason}). Ya se avisó a {institution}."),
    "give-back": mark("{code}: devuelta a {institution} ({reason}). Los datos se destruyeron aquí."),
    "cancel": mark("{code}: {institution} la canceló. Nada que hacer."),
    "withdraw": mark("{code}: retirado. Los datos se destruyeron aquí y se confirmó con firma."),
    "withdraw_part": mark(
        "{code}: {institution} retira una parte de los datos. Lo anterior se destruyó aquí, con firma; lo que sigue permitido llega de nuevo."
    ),
    "rest": mark("{code}: ya no se comparte: {fields}. Lo demás sigue y llegó de nuevo: está en la tarjeta; el resto, con «ver» en este hilo."),
    "retention": mark("{code}: ya no hay que conservar los datos; se destruyeron aquí."),
    "retention_part": mark("{code}: se acabó el plazo de {fields}; se destruyó aquí, con firma. Lo demás sigue."),
    "forgotten": mark(
        "{code}: {institution} perdió su máquina y no recuerda esta derivación. Sus datos siguen aquí. Llame y acuerden qué sigue; «devolver» los "
        "destruye y lo confirma."
    ),
    "caught_up": mark("{code}: puesta al día con lo que {institution} sabe."),
    "unheard": UNHEARD_LINE,
    "overdue": mark("{code}: {institution} espera respuesta y ya pasó el plazo. ¿Quién la toma? «aceptar» o «rechazar»."),
}
KEPT_LINE = mark(
    "{code}: aquí terminó. Una ley obliga a conservar sus datos hasta {until}: quedan sellados, fuera de la vista, y después se destruyen."
)


def tell(unit: Unit, event: e.Event) -> None:
    """Queue every post that `event` asks for."""
    _TELLERS[type(event)](unit, event)


_DRAWN: WeakKeyDictionary[Unit, set[str]] = WeakKeyDictionary()
"""The case cards that a living unit of work has drawn already."""


def redraw_case(unit: Unit, case_id: str) -> None:
    """Draw a case's card, the first time as the root of its thread; once a unit, for telling comes after everything that was done."""
    drawn = _DRAWN.setdefault(unit, set())
    if case_id in drawn:
        return
    drawn.add(case_id)
    case = unit.cases.get(case_id)
    if case is None:
        return
    key = case_key(case.id)
    card = case_card(unit, case, unit.me.language)
    owner = "hub" if case.state == "undone" else case.id
    if has_post(unit, key):
        put(unit, Place(purpose=DESK), card, edits=key, owner=owner)
    else:
        put(unit, Place(purpose=DESK), card, key=key, owner=owner)


def redraw_referral(unit: Unit, referral: Referral) -> None:
    """Redraw the card of a referral that came to us. What shows her is sealed under the disclosure it came with."""
    card = referral_card(unit, referral, unit.me.language)
    put(unit, Place(purpose=DESK), card, edits=referral_key(referral.id), owner=_owner(unit, referral))


def _owner(unit: Unit, referral: Referral) -> str:
    """Whose key seals what is said about her here: our case, or the newest living disclosure."""
    if referral.case:
        return referral.case
    active = unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active", order="-at", limit=1)
    return active[0].id if active else "hub"


def _case_changed(unit: Unit, event: e.CaseChanged) -> None:
    redraw_case(unit, event.case)
    case_moved(unit, event.case)


def _moved(unit: Unit, event: e.ReferralMoved) -> None:
    referral = unit.referrals.get(event.referral)
    if referral is None:
        return
    if referral.side is Side.SENDER:
        _moved_here(unit, event, referral)
        case_moved(unit, referral.case)
    elif event.what == "receive":
        _received(unit, referral)
    else:
        _moved_there(unit, event, referral)


def _moved_here(unit: Unit, event: e.ReferralMoved, referral: Referral) -> None:
    lang = unit.me.language
    line = _line(unit, SENDER_LINES.get(event.what), referral, event, lang)
    if line is None:
        return
    if referral.case is None:
        _moved_on(unit, event, referral, line)
        return
    case = unit.cases.get(referral.case)
    ring = () if case is None or not event.ring else ((*supervisors(unit), case.lead) if event.what == "overdue" else (case.lead,))
    redraw_case(unit, referral.case)
    put(unit, Place(purpose=DESK, thread=case_key(referral.case)), line, ring=tuple(dict.fromkeys(ring)))


def _moved_on(unit: Unit, event: e.ReferralMoved, child: Referral, line: Message) -> None:
    """What we passed on with the owner's grant: told in the thread of the referral that brought her here."""
    parent = parent_of(unit, child)
    if parent is not None and event.what not in ("offer", "disclosed", "withdraw"):  # those are told as what they are, once
        ring = (parent.by,) if event.ring and parent.by and parent.by != "hub" else ()
        put(unit, Place(purpose=DESK, thread=referral_key(parent.id)), line, ring=ring)


def _received(unit: Unit, referral: Referral) -> None:
    ask(unit, room_of(unit, DESK), "offer", referral.id, ("accept", "decline"), referral.code)
    card = referral_card(unit, referral, unit.me.language)
    put(unit, Place(purpose=DESK), card, key=referral_key(referral.id), ring=on_duty(unit))


def _moved_there(unit: Unit, event: e.ReferralMoved, referral: Referral) -> None:
    if referral.state not in OPEN:
        close_questions(unit, referral.id)
    elif referral.state in WORKING:
        close_questions(unit, referral.id, ("offer", "decline"))
    redraw_referral(unit, referral)
    line = _kept(unit, event, referral) or _line(unit, RECIPIENT_LINES.get(event.what), referral, event, unit.me.language)
    if line is None:
        return
    ring: tuple[str, ...] = ()
    if event.what == "overdue":
        ring = supervisors(unit)
    elif event.ring:
        ring = (referral.by,) if referral.by and referral.by != "hub" else on_duty(unit)
    put(unit, Place(purpose=DESK, thread=referral_key(referral.id)), line, ring=ring)


def _kept(unit: Unit, event: e.ReferralMoved, referral: Referral) -> Message | None:
    """What ended is not destroyed while a law obliges us to keep it, and nobody is told that it was."""
    hold = living_hold(unit, referral.id)
    kept = hold and unit.disclosures.count(referral=referral.id, side=Side.RECIPIENT, state="retained")
    if hold is None or not kept or event.what not in ("withdraw", "withdraw_part", "give-back", "cancel", "retention", "retention_part"):
        return None
    lang = unit.me.language
    return message(paragraph(text(lang, KEPT_LINE, code=referral.code, until=w.moment(unit, lang, hold.until))))


def _line(unit: Unit, template: str | None, referral: Referral, event: e.ReferralMoved, lang: str) -> Message | None:
    if template is None:
        return None
    lists = {"decline": "decline_reasons", "give-back": "give_back_reasons", "complete": "close_outcomes"}
    raw = referral.outcome if event.what == "complete" else referral.note
    reason = w.term(unit, lists[event.what], raw or "", lang) if event.what in lists else ""
    if event.what == "refused":
        reason = why(lang, _last_refusal(unit, referral))
    if event.what == "not-taken":
        reason = text(lang, NOT_TAKEN[raw or "bad_body"])
    words = text(
        lang,
        template,
        code=referral.code,
        institution=w.institution(unit, referral.peer),
        by=str(referral.offer.get("accepted_by", "")),
        who=w.person(unit, event.by) or unit.me.name,
        reason=reason,
        minutes=minutes_unheard(unit, referral),
        fields=w.field_list(unit, event.fields, lang),
    )
    gives_back = event.what == "give-back" and referral.side is Side.RECIPIENT
    told = gives_back or event.what in ("conflict", "unheard")  # a withdrawal was shown so before
    deaf = (referral.peer,) if told and is_stopped(unit, referral.peer) else ()
    gone = _removed(unit, referral, event, lang)
    return message(paragraph(words, *gone, *not_heard(unit, lang, deaf, holding=event.what == "conflict")))


def _last_refusal(unit: Unit, referral: Referral) -> str:
    """Why the newest answer to what was asked was no."""
    refused = unit.asks.one(referral=referral.id, side=Side.RECIPIENT, state="refused", order="-answered_at")
    return refused.reason if refused else ""


def _removed(unit: Unit, referral: Referral, event: e.ReferralMoved, lang: str) -> list[str]:
    """What was said was sealed under the key that died, and no machine can tell whether free words show what was taken back."""
    if not event.removed:
        return []
    return [
        plural(
            lang, "Con eso se borró de este hilo {n} mensaje de {institution}: podía nombrarlo. Si ahí se acordó algo, como una cita, pregunte.",
            "Con eso se borraron de este hilo {n} mensajes de {institution}: podían nombrarlo. Si ahí se acordó algo, como una cita, pregunte.",
            event.removed, institution=w.institution(unit, referral.peer),
        )
    ]  # fmt: skip


def _message(unit: Unit, event: e.MessageArrived) -> None:
    referral = unit.referrals.get(event.referral)
    if referral is None:
        return
    lang = unit.me.language
    head = text(lang, "{code} · {institution} ({by}) escribe:", code=referral.code, institution=w.institution(unit, referral.peer), by=event.by)
    foot = text(lang, "Para contestar: responda a este mensaje (le pregunto antes de enviarlo) o escriba «decir: …». Lo demás queda entre ustedes.")
    parent = parent_of(unit, referral)
    thread = case_key(referral.case) if referral.case else referral_key(parent.id if parent else referral.id)
    case = unit.cases.get(referral.case) if referral.case else None
    who = case.lead if case else (referral.by if referral.by and referral.by != "hub" else None)
    put(
        unit,
        Place(purpose=DESK, thread=thread),
        message(paragraph([strong(head)]), quote(event.text), paragraph(foot)),
        key=f"msg:{referral.id}:{new_id('m')}",
        ring=(who,) if who else on_duty(unit),
        owner=_owner(unit, referral),
    )


def _checkin(unit: Unit, event: e.CheckInRang) -> None:
    checkin = unit.checkins.get(event.checkin)
    case = unit.cases.get(checkin.case) if checkin else None
    if checkin is None or case is None:
        return
    lang = unit.me.language
    if event.level == 3:
        line = text(lang, "{code}: el riesgo subió, dice {name}. Supervisión: actúe ahora.", code=case.code, name=w.person(unit, checkin.answered_by))
        put(unit, Place(purpose=DESK, thread=case_key(case.id)), message(paragraph([strong(line)])), ring=supervisors(unit))
        return
    close_questions(unit, checkin.id)
    question = ask(unit, room_of(unit, DESK), "checkin", checkin.id, ("safe", "not_reached", "risk_rose", "postpone"), case.code)
    head = {
        0: mark("{code}: toca el contacto de seguimiento ({when})."),
        1: mark("{code}: sigue pendiente el contacto de las {when}."),
        2: mark("{code}: nadie respondió al contacto de las {when}. Supervisión, por favor."),
    }[event.level]
    lines = [text(lang, head, code=case.code, when=w.moment(unit, lang, checkin.due_at))]
    safe = seen.of_case(unit, case.id, "safe_contact", lang)
    if safe:
        lines.append(text(lang, "Contacto seguro: {rule}", rule=safe))
    if is_ours(unit, case):
        lines.append(text(lang, "Cómo contactarla, en su chat directo: «ver {code}».", code=case.code))
    lines.append(text(lang, "¿Cómo fue? Responda con el número:"))
    body = message(paragraph(*lines), choices(numbered(question, labels(unit, question, lang))))
    ring = without_named(unit, case, (case.lead,) if event.level < 2 else (*supervisors(unit), case.lead))
    put(unit, Place(purpose=DESK, thread=case_key(case.id)), body, ring=ring, owner=case.id)


def _own_house(unit: Unit, event: e.OwnHouse) -> None:
    """In the direct chats of those who must act, and nowhere that his colleagues read."""
    case = unit.cases.get(event.case)
    if case is None or case.state != "open":
        return
    msgid = mark(
        "{code}: anotaron que quien agrede es de nuestra institución. La sala ya no muestra nada de este caso, pero guarda lo que se escribió antes. "
        "Supervisión: acuerde con ella qué otra institución la acompaña, y pase la conducción afuera («derivar {code}»). Hasta entonces lo ven solo "
        "quien lo lleva y supervisión."
    )
    for user in asked_to_move_it(unit, case):
        person = unit.staff.get(user)
        lang = person.language if person else unit.me.language
        put(unit, Place(purpose=f"direct:{user}"), message(paragraph(text(lang, msgid, code=case.code))), ring=(user,))


def _holder(unit: Unit, event: e.HolderAnswered) -> None:
    disclosure = unit.disclosures.get(event.disclosure)
    referral = unit.referrals.get(disclosure.referral) if disclosure else None
    if disclosure is None or referral is None or referral.case is None:
        return
    lang = unit.me.language
    words = {
        "destroyed": mark("{code}: {institution} confirmó con firma que destruyó los datos."),
        "retained": mark("{code}: {institution} firmó que conserva los datos hasta {until}: {basis}. Vea con supervisión cómo y cuándo decírselo."),
        "overdue": mark("{code}: {institution} NO ha confirmado que destruyó los datos. Supervisión, por favor llame."),
    }[event.what]
    if event.what == "destroyed" and event.fields:
        words = mark("{code}: {institution} confirmó con firma que destruyó {fields}; lo demás lo sigue teniendo.")
    line = text(
        lang, words, code=referral.code, fields=w.field_list(unit, event.fields, lang),
        institution=w.institution(unit, referral.peer), until=w.moment(unit, lang, disclosure.until),
        basis=w.term(unit, "retention_bases", disclosure.basis or "", lang),
    )  # fmt: skip
    case = unit.cases.get(referral.case)
    lead = (case.lead,) if case and event.what == "retained" else ()
    ring = tuple(dict.fromkeys((*lead, *supervisors(unit)))) if event.what in ("overdue", "retained") else ()
    put(unit, Place(purpose=DESK, thread=case_key(referral.case)), message(paragraph(line)), ring=ring)


def _device(unit: Unit, event: e.DeviceNotice) -> None:
    person = unit.staff.get(event.user)
    if person is None or person.removed_at is not None:
        return
    lang = person.language
    words = message(
        paragraph(
            text(lang, "Alguien usa su cuenta desde un dispositivo sin verificar. Si es usted, en ese dispositivo toque:"),
            text(lang, "«Verificar esta sesión» y luego «Verificar con otro dispositivo»."),
            text(lang, "Hasta entonces no leo ni muestro nada ahí. Si no es usted, avise a administración y cambie su contraseña."),
        )
    )
    put(unit, Place(purpose=f"direct:{person.id}"), words, key=f"{WARNING}{new_id('w')}", ring=(person.id,))


_TELLERS: dict[type[e.Event], Callable[[Unit, Any], None]] = {
    e.CaseChanged: _case_changed,
    e.ReferralMoved: _moved,
    e.FieldAsked: tell_asked,
    e.FieldAnswered: tell_answered,
    e.MessageArrived: _message,
    e.CheckInRang: _checkin,
    e.HolderAnswered: _holder,
    e.OwnHouse: _own_house,
    e.OnwardMoved: tell_onward,
    e.GlassMoved: tell_glass,
    e.AskedAgain: tell_again,
    e.BasisMoved: tell_basis,
    e.Alarm: tell_alarm,
    e.DeviceNotice: _device,
    e.Restored: tell_restored,
    e.VerificationMoved: tell_verification,
    e.CoordinationMoved: tell_room_moved,
    e.ProtocolMoved: tell_protocol,
    e.RoomFound: tell_room,
    e.InvitationRefused: tell_invitation,
    e.RepairAsked: lambda unit, event: None,
}
