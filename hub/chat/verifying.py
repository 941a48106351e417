"""What people read while a colleague is verified by emoji: she in her direct chat, the administrators in their room.

The emoji are shown to the administrators only. Were they in her chat too, she could compare them there, with whoever stands between us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from hub.actions import verify_staff
from hub.actions.ports import Unit
from hub.base.i18n import city, mark, text
from hub.cases.events import VerificationMoved
from hub.cases.records import Question, Staff, Verification
from hub.chat.emoji import named
from hub.chat.here import Here
from hub.chat.plain import Block, choices, listing, message, paragraph, strong
from hub.chat.posting import Place, ask, close_questions, numbered, put, room_of

BEGIN, COMPARE = "verify_begin", "verify"
OPTIONS = {BEGIN: ("begin", "cancel"), COMPARE: ("same", "differ")}
LABELS = {
    BEGIN: (mark("empezar: estoy con ella o la tengo al teléfono"), mark("ahora no")),
    COMPARE: (mark("son los mismos, en el mismo orden"), mark("NO son los mismos")),
}
ADMIN = Place(purpose="admin")

BROKEN = {
    "timeout": mark("Se acabó el tiempo (con los dibujos a la vista hay un minuto). No se verificó. Cuando estén listas, vuelva a empezar."),
    "differs": mark("Los dibujos NO eran los mismos. No se verificó. No vuelva a intentarlo hasta hablar con administración."),
    "mac": mark("La prueba de su programa no corresponde a la llave que tengo. No se verificó; avise a administración."),
    "served": mark("Mientras verificábamos, el servidor mostró otra llave suya. No se verificó; avise a administración."),
    "restart": mark("Me reiniciaron a mitad de la verificación. No se verificó; por favor, vuelva a empezar."),
    "superseded": mark("Usted empezó otra verificación; sigo con la nueva."),
    "device": mark("Pidió la verificación desde un dispositivo que su propia cuenta no ha confirmado; desde ahí no puedo. Hágalo desde otro."),
    "blocked": mark("Su llave cambió y está bloqueada. Hable primero con administración; después se puede verificar."),
    "not_now": mark("Administración no puede comparar ahora. Pónganse de acuerdo y vuelva a empezar."),
    "hers": mark("Su programa de chat canceló la verificación. Puede volver a empezar."),
    "method": mark("Su programa de chat no sabe verificar con emojis. Pruebe con Element."),
    "protocol": mark("Su programa de chat y yo no nos entendimos. No se verificó; vuelva a empezar. Si se repite, avise a administración."),
    "away": mark("El servidor no respondió a tiempo. No se verificó; vuelva a empezar en un rato."),
    "busy": mark("Hay demasiadas verificaciones a la vez. Espere unos minutos y vuelva a empezar."),
}
"""To her, by why it ended."""
REASONS = {
    "timeout": mark("se acabó el tiempo"),
    "differs": mark("los dibujos no eran los mismos"),
    "mac": mark("su programa probó otra llave que la fijada"),
    "served": mark("el servidor mostró otra llave suya"),
    "restart": mark("el hub se reinició en medio; vuelvan a empezar"),
    "device": mark("la pidió desde un dispositivo que su cuenta no ha confirmado"),
    "blocked": mark("su llave está bloqueada; primero «tinkuy staff repin»"),
    "not_now": mark("se dejó para otro momento"),
    "hers": mark("la canceló su programa de chat"),
    "method": mark("su programa de chat no sabe verificar con emojis"),
    "away": mark("el servidor no respondió a tiempo"),
    "busy": mark("hay demasiadas a la vez"),
}
"""To the administrators."""


def tell_verification(unit: Unit, event: VerificationMoved) -> None:
    """Say to both sides where a verification stands, and what is to be done now."""
    row = unit.verifications.get(event.verification)
    person = unit.staff.get(row.user) if row else None
    if row and person:
        close_questions(unit, row.id)
        _TELLERS[row.state](unit, row, person)


def chosen(unit: Unit, here: Here, question: Question, option: str) -> None:
    """An administrator answered by number. Raises Refused as the actions do."""
    by = here.person.id
    if option == "begin":
        verify_staff.begin_verification(unit, by, question.ref)
    elif option == "cancel":
        verify_staff.break_off(unit, question.ref, "not_now")
    else:
        verify_staff.compare_emoji(unit, by, question.ref, same=option == "same")


def _asked(unit: Unit, row: Verification, person: Staff) -> None:
    _to_her(unit, row, person, mark("Recibí su pedido. Ahora una administradora debe estar con usted, en persona o por teléfono: llámela."))
    head = _words(unit, mark("{name} ({user}) quiere que verifiquemos su llave."), name=person.display, user=person.id)
    alone = mark("Véala en persona o llámela a un número que ya conocía. Tienen hasta las {until}. Cuando estén juntas:")
    how = _words(unit, alone, until=_hour(unit, row))
    here = _words(unit, mark("También desde la terminal: tinkuy staff verify {user}"), user=person.id)
    _question(unit, row, BEGIN, [paragraph([strong(head)], how)], [paragraph(here)], person)


def _ready(unit: Unit, row: Verification, person: Staff) -> None:
    begin = mark("Empecemos. Toque «Verificar con emojis» (o «Empezar»). Verá siete dibujos: léalos en voz alta a su administradora.")
    _to_her(unit, row, person, begin)
    next_ = mark("{name}: dígale que toque «Verificar con emojis». Enseguida muestro aquí los siete dibujos.")
    _to_admins(unit, _words(unit, next_, name=person.display))


def _shown(unit: Unit, row: Verification, person: Staff) -> None:
    _to_her(unit, row, person, mark("Lea los dibujos en voz alta, nunca por chat. Si son los mismos, toque «Coinciden». Hay un minuto."))
    head = _words(unit, mark("{name} debe ver estos siete dibujos, en este orden, de arriba abajo:"), name=person.display)
    how = _words(unit, mark("Que ella los lea en voz alta. Hay un minuto. ¿Son los mismos?"))
    shown = listing(named(row.emoji, unit.me.language))  # without numbers: those are for the answer
    _question(unit, row, COMPARE, [paragraph([strong(head)]), shown, paragraph(how)], [], person)


def _same(unit: Unit, row: Verification, person: Staff) -> None:
    said = mark("{name}: anotado, son los mismos. Que toque «Coinciden» si aún no lo hizo.")
    _to_admins(unit, _words(unit, said, name=person.display))


def _verified(unit: Unit, row: Verification, person: Staff) -> None:
    _to_her(unit, row, person, mark("Listo: su llave quedó verificada en persona. Su programa de chat también muestra verificado a Tinkuy."))
    _to_admins(unit, _words(unit, mark("{name} ({user}): llave verificada."), name=person.display, user=person.id))


def _broken(unit: Unit, row: Verification, person: Staff) -> None:
    why = row.why or "protocol"
    _to_her(unit, row, person, BROKEN[why])
    if why != "superseded":
        said = mark("{name} ({user}): no se verificó: {reason}. Su llave sigue como estaba. [{why}]")
        reason = _words(unit, REASONS.get(why, mark("los programas no se entendieron; vuelvan a empezar")))
        _to_admins(unit, _words(unit, said, name=person.display, user=person.id, reason=reason, why=why))


_TELLERS: dict[str, Callable[[Unit, Verification, Staff], None]] = {
    "asked": _asked,
    "ready": _ready,
    "shown": _shown,
    "same": _same,
    "verified": _verified,
    "broken": _broken,
}


def _question(unit: Unit, row: Verification, kind: str, before: list[Block], after: list[Block], person: Staff) -> None:
    """A question to every administrator; its number is unique in the room, and what it means stands with it (ADR 0009)."""
    question = ask(unit, room_of(unit, "admin"), kind, row.id, OPTIONS[kind], person.display)
    shown = choices(numbered(question, [text(unit.me.language, label) for label in LABELS[kind]]))
    put(unit, ADMIN, message(*before, shown, *after), ring=_administrators(unit, row))


def _administrators(unit: Unit, row: Verification) -> tuple[str, ...]:
    return tuple(p.id for p in unit.staff.all(role="administrator", removed_at=None) if p.id != row.user)


def _hour(unit: Unit, row: Verification) -> str:
    zone = ZoneInfo(unit.me.zone)
    return f"{row.expires_at.astimezone(zone):%H:%M} ({city(zone)})"


def _words(unit: Unit, msgid: str, **params: Any) -> str:
    return text(unit.me.language, msgid, **params)


def _to_her(unit: Unit, row: Verification, person: Staff, msgid: str) -> None:
    put(unit, Place(purpose=f"direct:{person.id}"), message(paragraph(text(person.language, msgid))))


def _to_admins(unit: Unit, words: str) -> None:
    put(unit, ADMIN, message(paragraph(words)))
