"""Emergencies, as people read them: who asks, who confirms, what the owner is told at once, and the review that rings until it is done (R76)."""

from __future__ import annotations

from hub.actions import emergency
from hub.actions.answer import seal_words
from hub.actions.common import forget_reminders, on_duty, remind, supervisors
from hub.actions.erase import drop_words
from hub.actions.ports import Unit
from hub.actions.reach import WAYS
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases import events as e
from hub.cases.answers import VERDICTS
from hub.cases.lifecycle import WORKING, Side
from hub.cases.records import Glass, Question, Referral
from hub.chat import blind
from hub.chat import wording as w
from hub.chat.cards import case_key, referral_key
from hub.chat.here import Here
from hub.chat.meant import received
from hub.chat.options import ask_her, labels, put_choices
from hub.chat.plain import Block, choices, message, paragraph, quote, strong
from hub.chat.posting import Place, ask, close_questions, numbered, put, room_of
from hub.chat.saying import desk_only
from policies.emergency import REASONS

DESK = "desk"
NO = {
    "glass_forbidden": mark("el protocolo de {institution} no lo permite en este caso"),
    "glass_refused": mark("ella dijo que no, y eso no lo levanta ninguna emergencia"),
    "glass_ended": mark("la derivación ya había terminado"),
    "glass_too_often": mark("hubo demasiadas emergencias hoy; llame a {institution}"),
}
VERDICT = {"justified": mark("estuvo justificada"), "not_justified": mark("NO estuvo justificada")}
HOLDER = {
    "asked": mark("{code}: emergencia enviada a {institution}: piden «{field}» porque {reason}. Su hub responde solo, en segundos."),
    "open": mark("{code}: llegó «{field}» por emergencia. Véalo con «ver» en este hilo. Se destruye aquí solo el {until}. Ya lo sabe {institution}."),
    "refused": mark("{code}: no se abrió «{field}»: {why}. Si corre peligro, llame ahora al 105 o a {institution}."),
    "lapsed": mark("{code}: nadie más confirmó la emergencia; no salió nada. Si sigue, pídalo otra vez."),
    "review": mark("{code}: falta revisar la emergencia de {by} («{field}»). Supervisión, responda aquí con el número."),
    "reviewed": mark("{code}: emergencia revisada: {verdict}. Se lo dije a {institution}."),
}
OWNER = {
    "open": mark("{code} · EMERGENCIA: {institution} ve «{field}» hasta {until}, porque {reason}. Lo pidió {by} ({role}){confirmed}."),
    "refused": mark("{code} · {institution} pidió «{field}» por una emergencia ({reason}); el hub dijo que no: {why}. Lo pidió {by} ({role})."),
    "reviewed": mark("{code}: {institution} revisó su emergencia («{field}»): {verdict}."),
}


def emergency_for(unit: Unit, here: Here, command: c.Emergency) -> None:
    """`emergencia`: which reason, by number; the words wait sealed under a key of their own, which dies if she does not go on."""
    desk_only(here)
    referral = received(unit, here, command.referral)
    if command.field is None:
        raise Refused("emergency_field", code=referral.code)
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    if not (command.why or "").strip():
        raise Refused("emergency_why", code=referral.code, field=command.field)
    emergency.may_break(unit, here.person.id, referral, command.field)
    owner, sealed = seal_words(unit, command.why or "")
    question = ask_her(unit, here, "glass_reason", f"{referral.id}|{command.field}|{owner}|{sealed}", (*REASONS, "cancel"), referral.code)
    remind(unit, "unsaid", owner, question.expires_at)
    field = w.field_label(unit, command.field, here.lang)
    asks = mark("{code}: ¿qué emergencia es? Quedará registrado que usted pidió «{field}», y se le dirá a ella.")
    head = text(here.lang, asks, code=referral.code, field=field)
    put_choices(unit, here, question, head)


def choose_reason(unit: Unit, here: Here, question: Question, option: str) -> None:
    referral, field, owner, sealed = question.ref.split("|")
    close_questions(unit, question.ref)
    forget_reminders(unit, owner, ("unsaid",))
    words = unit.vault.open(owner, "outbox|words", bytes.fromhex(sealed)).decode()
    drop_words(unit, owner)
    if option == "cancel":
        put(unit, here.place, message(paragraph(text(here.lang, "{code}: no se pidió nada.", code=question.code))))
        return
    emergency.break_glass(unit, here.person.id, referral, field, option, words)


def choose_confirm(unit: Unit, here: Here, question: Question, option: str) -> None:
    """The second person."""
    emergency.confirm_glass(unit, here.person.id, question.ref, agreed=option == "confirm")
    close_questions(unit, question.ref, ("glass_confirm",))


def choose_review(unit: Unit, here: Here, question: Question, option: str) -> None:
    """Supervision, afterwards."""
    emergency.review(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref, ("glass_review",))


def tell_glass(unit: Unit, event: e.GlassMoved) -> None:
    """What became of it, where those look who work with her."""
    row = unit.glasses.get(event.glass)
    referral = unit.referrals.get(row.referral) if row else None
    if row is None or referral is None:
        return
    if row.side is Side.SENDER:
        _at_owner(unit, event, row, referral)
        return
    if row.state != "waiting":
        close_questions(unit, row.id, ("glass_confirm",))
    place = Place(purpose=DESK, thread=referral_key(referral.id))
    if event.what == "waiting":
        _ask_second(unit, event, row, referral, place)
        return
    line = text(unit.me.language, HOLDER[event.what], **_named(unit, row, referral))
    blocks: list[Block] = [paragraph(line)]
    ring: tuple[str, ...] = (row.by,) if event.what in ("open", "refused", "lapsed") else ()
    if row.review_by and not row.verdict and event.what in ("open", "review"):
        close_questions(unit, row.id, ("glass_review",))
        question = ask(unit, room_of(unit, DESK), "glass_review", row.id, VERDICTS, referral.code)
        due = text(unit.me.language, "Supervisión revisa antes de {when}: ¿estuvo justificada?", when=w.moment(unit, unit.me.language, row.review_by))
        blocks += [paragraph(due), choices(numbered(question, labels(unit, question, unit.me.language)))]
        ring = (*ring, *supervisors(unit))
    put(unit, place, message(*blocks), ring=tuple(dict.fromkeys(ring)))


def _ask_second(unit: Unit, event: e.GlassMoved, row: Glass, referral: Referral, place: Place) -> None:
    lang = unit.me.language
    question = ask(unit, room_of(unit, DESK), "glass_confirm", row.id, ("confirm", "cancel"), referral.code)
    head = text(lang, "{code} · EMERGENCIA: {by} pide «{field}» a {institution}, porque {reason}:", **_named(unit, row, referral))
    foot = text(lang, "Otra persona del equipo confirma en 10 minutos con el número. Si nadie confirma, no sale nada.")
    others = tuple(p for p in (*on_duty(unit), *supervisors(unit)) if p != row.by)
    warning = [paragraph([strong(text(lang, blind.WARNING))])] if row.field in WAYS and not _safe(unit, referral) else []
    card = message(paragraph([strong(head)]), quote(event.why), *warning, paragraph(foot), choices(numbered(question, labels(unit, question, lang))))
    put(unit, place, card, ring=tuple(dict.fromkeys(others)), owner=_owner(unit, referral))


def _safe(unit: Unit, referral: Referral) -> bool:
    return unit.held.count(referral=referral.id, field="safe_contact") > 0


def _owner(unit: Unit, referral: Referral) -> str:
    active = unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active", order="-at", limit=1)
    return active[0].id if active else "hub"


def _at_owner(unit: Unit, event: e.GlassMoved, row: Glass, referral: Referral) -> None:
    case = unit.cases.get(referral.case or "")
    if case is None or event.what not in OWNER:
        return
    lang = unit.me.language
    blocks: list[Block] = [paragraph([strong(text(lang, OWNER[event.what], **_named(unit, row, referral)))])]
    blocks += [quote(event.why)] if event.why else []
    if event.what == "open":
        tell_her = mark("Cuénteselo a ella en cuanto sea seguro: qué se vio, quién y por qué. Está en «quién sabe {code}» y en su hoja.")
        blocks.append(paragraph(text(lang, tell_her, code=case.code)))
    ring = tuple(dict.fromkeys((case.lead, *supervisors(unit))))
    put(unit, Place(purpose=DESK, thread=case_key(case.id)), message(*blocks), ring=ring, owner=case.id)


def _named(unit: Unit, row: Glass, referral: Referral) -> dict[str, str]:
    lang, institution = unit.me.language, w.institution(unit, referral.peer)
    holder = row.side is Side.RECIPIENT
    confirmed = "" if holder or not row.confirmed_by else text(lang, "; confirmó {who}", who=row.confirmed_by)
    refused_by = unit.me.name if row.side is Side.SENDER else institution
    return {
        "code": referral.code, "institution": institution, "field": w.field_label(unit, row.field, lang),
        "reason": text(lang, w.EMERGENCY[row.reason]),
        "by": w.person(unit, row.by) if holder else row.by, "role": text(lang, w.ROLES.get(row.role, row.role)), "confirmed": confirmed,
        "until": w.moment(unit, lang, row.until) if row.until else "", "verdict": text(lang, VERDICT[row.verdict]) if row.verdict else "",
        "why": text(lang, NO.get(row.why_not, NO["glass_forbidden"]), institution=refused_by),
    }  # fmt: skip
