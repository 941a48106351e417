"""What numbered questions offer: the words of each option, and the questions that are only a list.

One place names the options, so that a card that is drawn again, a question and an answer in words (`in_words.py`) can never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hub.actions.answer import seal_words
from hub.actions.common import remind
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.answers import AGAIN_REASONS
from hub.cases.commands import When
from hub.cases.lifecycle import Move
from hub.cases.records import LegalBasis, Question, Referral
from hub.chat import admin_rooms, verifying
from hub.chat import wording as w
from hub.chat.fold import fold
from hub.chat.here import Here
from hub.chat.plain import choices, message, paragraph
from hub.chat.plain import value as clean
from hub.chat.posting import ask, close_questions, numbered, put
from policies.emergency import REASONS


def offer_choice(unit: Unit, here: Here, kind: str, ref: str, code: str, list_name: str, head: str, *, given: str = "") -> None:
    """Ask for one code of a vocabulary list by number. What was `given` for it and not understood is not passed over."""
    close_questions(unit, ref, (kind,))
    question = ask_her(unit, here, kind, ref, tuple(unit.pack.vocabulary.lists[list_name]), code)
    put_choices(unit, here, question, " ".join(filter(None, (_not_understood(unit, here, question, given), f"{code}: {head}"))))


def _not_understood(unit: Unit, here: Here, question: Question, given: str) -> str:
    if not given:
        return ""
    near = part_of(unit, question, given, here.lang)
    if len(near) != 1:
        return text(here.lang, "No entendí «{given}».", given=clean(given, 60))
    label, number = labels(unit, question, here.lang)[near[0]], question.first + near[0]
    return text(here.lang, "No entendí «{given}». ¿Quiso decir «{label}»? Es el {number}.", given=clean(given, 60), label=label, number=number)


def offer_progress(unit: Unit, here: Here, ref: str, code: str) -> None:
    """`avance` alone: which of the two, by number."""
    close_questions(unit, ref, ("progress",))
    question = ask_her(unit, here, "progress", ref, (Move.START.value, Move.HOLD.value), code)
    put_choices(unit, here, question, text(here.lang, "{code}: ¿cómo va?", code=code))


def offer_days(unit: Unit, here: Here, ref: str, code: str) -> None:
    """`control` alone: the usual days by number."""
    close_questions(unit, ref, ("plan",))
    found = [when for when in map(here.context.when, DAYS) if isinstance(when, When)]
    question = ask_her(unit, here, "plan", ref, tuple(when.at.isoformat() for when in found), code)
    head = text(here.lang, "{code}: ¿para cuándo? Un número, u otra fecha: «control {code} el lunes a las 10».", code=code)
    put_choices(unit, here, question, head)


def ask_relay(unit: Unit, here: Here, referral: Referral, said: str) -> None:
    """Ask whether her reply goes to the other institution. It waits sealed under a key of its own, which dies if she does not say yes."""
    owner, sealed = seal_words(unit, said)
    question = ask_her(unit, here, "relay", f"{referral.id}|{owner}|{sealed}", ("send", "keep"), referral.code)
    remind(unit, "unsaid", owner, question.expires_at)
    head = text(here.lang, "{code}: ¿se lo envío a {institution}?", code=referral.code, institution=w.institution(unit, referral.peer))
    put_choices(unit, here, question, head)


DAYS = ("mañana a las 10", "en 3 días a las 10", "en 7 días a las 10")
"""What `control` alone offers, read like any other date, whatever the language of the reader."""


def ask_her(unit: Unit, here: Here, kind: str, ref: str, options: Sequence[str], code: str) -> Question:
    """A numbered question to this person alone. It does not stay open for days: an old number must not close a case."""
    question = ask(unit, here.room, kind, ref, options, code, asked=here.person.id)
    question = replace(question, thread=here.place.thread, expires_at=unit.now + (CONFIRMED_WITHIN if kind in BY_NUMBER_ONLY else ANSWERED_WITHIN))
    unit.questions.put(question)
    return question


CONFIRMED_WITHIN = timedelta(minutes=10)
ANSWERED_WITHIN = timedelta(hours=2)


def put_choices(unit: Unit, here: Here, question: Question, head: str) -> None:
    """Ask it, where the person is."""
    put(unit, here.place, message(paragraph(head), choices(numbered(question, labels(unit, question, here.lang)))))


def labels(unit: Unit, question: Question, lang: str) -> list[str]:
    """What each option of a question is called."""
    if question.kind in LABELS:
        return [text(lang, label) for label in LABELS[question.kind]]
    if question.kind in CODE_LISTS:
        return [w.term(unit, CODE_LISTS[question.kind], option, lang) for option in question.options]
    if question.kind == "basis_end":
        return [basis_line(unit, row, lang) if (row := unit.bases.get(option)) else text(lang, "no quitar nada") for option in question.options]
    if question.kind == "plan":
        return [w.moment(unit, lang, datetime.fromisoformat(option)) for option in question.options]
    if question.kind == "where":
        pairs = (option.split("|") for option in question.options)
        return [f"{w.institution(unit, peer)} · {w.low(w.term(unit, 'needs', need, lang))}" for peer, need in pairs]
    if question.kind == "hold_back":
        return [text(lang, "ninguno más") if f == NO_MORE else w.field_label(unit, f, lang) for f in question.options]
    return list(question.options)


def basis_line(unit: Unit, row: LegalBasis, lang: str) -> str:
    """Which, for whom, until when: one line of a card, a list or a choice. The reason is not in it."""
    names = ", ".join(w.institution(unit, recipient) for recipient in row.recipients)
    return f"{w.low(w.term(unit, 'legal_bases', row.basis, lang))} → {names}, {text(lang, 'hasta {until}', until=w.moment(unit, lang, row.until))}"


NO_LABELS = (mark("no: ella no quiere"), mark("no: no hace falta para eso"), mark("no: ahora no es seguro"), mark("no darlo"))
"""Refusals of `hub.cases.answers.BY_PEOPLE`, in that order: one number says no and why."""
CHECKIN_ANSWERS = (mark("contactada y a salvo"), mark("no la ubiqué"), mark("el riesgo subió"), mark("posponer a mañana"))
LABELS = {
    "refer": (mark("enviar la oferta"), mark("quitar algún dato"), mark("cancelar")),
    "offer": (mark("aceptar"), mark("rechazar (pido el motivo)")),
    "onward": (mark("dar permiso firmado"), *NO_LABELS),
    "onward_no": NO_LABELS,
    "glass_reason": (
        *(w.EMERGENCY[code] for code in REASONS),
        mark("no es una emergencia: dejarlo"),
    ),
    "glass_confirm": (mark("confirmo la emergencia"), mark("no es una emergencia")),
    "glass_review": (mark("estuvo justificada"), mark("no estuvo justificada")),
    "basis_confirm": (mark("confirmo: que salga sin su permiso"), mark("no: que no salga")),
    "again": (*(w.AGAIN[code] for code in AGAIN_REASONS), mark("no hace falta: dejarlo")),
    "ask": (mark("dar permiso (saldrá solo si ella y el protocolo lo permiten)"), *NO_LABELS),
    "relay": (mark("enviarlo"), mark("no: queda entre nosotras")),
    "checkin": CHECKIN_ANSWERS,
    "progress": (mark("en curso"), mark("en espera")),
    "withdraw": (mark("retirar"), mark("no retirar nada")),
    "withdraw_blind": (mark("retirar también su teléfono, correo y dirección"), mark("retirar solo lo pedido"), mark("no retirar nada")),
    "close_as": (mark("cerrar el caso"), mark("dejarlo abierto")),
    "take_back": (mark("cancelar la derivación"), mark("dejarla como está")),
    "room_open": (mark("abrir la sala e invitarlas"), mark("no abrirla")),
    "room_add": (mark("invitarla"), mark("dejar la sala como está")),
    "room_join": (mark("participar yo"), mark("no participamos")),
    "guard_values": (mark("enviarlo sin ese dato"), mark("enviarlo tal como está"), mark("no enviarlo")),
    "guard_words": (mark("no enviarlo: lo escribo de otra manera"), mark("enviarlo tal como está")),
    "protocol_values": (mark("enviarlo sin ese dato"), mark("enviarlo tal como está"), mark("no enviarlo")),
    "protocol_words": (mark("no enviarlo: lo escribo de otra manera"), mark("enviarlo tal como está")),
    **verifying.LABELS,
    admin_rooms.REPAIR: admin_rooms.LABELS,
    "protocol_act": (mark("sí, en nombre de la institución"), mark("no, todavía no")),
}
CODE_LISTS = {"decline": "decline_reasons", "finish": "close_outcomes", "give_back": "give_back_reasons", "close": "close_outcomes"}
NO_MORE = "-"
_LAWFUL = ("basis_confirm", "basis_end")
_BINDING = ("relay", "withdraw", "withdraw_blind", "take_back", "give_back", "close", "close_as", "finish", "protocol_act", "room_open", "room_add")
_URGENT = (
    "onward", "onward_no", "glass_reason", "glass_confirm", "glass_review", "guard_values", "guard_words", "protocol_values", "protocol_words",
)  # fmt: skip
BY_NUMBER_ONLY = frozenset({*_BINDING, *_LAWFUL, *_URGENT, admin_rooms.REPAIR, *verifying.OPTIONS})
"""What destroys, ends, lets words out or lends trust is answered by its number, soon, never by a word that may be typed twice (chat rule 9)."""


def part_of(unit: Unit, question: Question, said: str, lang: str) -> list[int]:
    """The options that have these words, whole, somewhere in one of their names."""
    wanted = fold(said)
    every = option_names(unit, question, lang)
    exact = [place for place, names in enumerate(every) if wanted in names]
    return exact or [place for place, names in enumerate(every) if any(f" {wanted} " in f" {name} " for name in names)]


def option_names(unit: Unit, question: Question, lang: str) -> list[tuple[str, ...]]:
    """What each option goes by, folded: its label first, then the other names of a code."""
    shown = labels(unit, question, lang)
    terms = unit.pack.vocabulary.lists[CODE_LISTS[question.kind]] if question.kind in CODE_LISTS else {}
    others = [w.names_of(terms[option], lang) if option in terms else () for option in question.options]
    return [tuple(map(fold, (label, *more))) for label, more in zip(shown, others, strict=True)]


def codes_of(unit: Unit, here: Here) -> frozenset[str] | None:
    """The codes that belong to what the thread or reply is about; None when it is about nothing of ours."""
    if here.subject is None:
        return frozenset() if here.loose else None
    referral = unit.referrals.get(here.subject)
    case = unit.cases.get(referral.case or "" if referral else here.subject)
    referrals = unit.referrals.all(case=case.id) if case else ()
    return frozenset(one.code for one in (case, referral, *referrals) if one)
