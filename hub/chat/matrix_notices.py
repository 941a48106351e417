"""What the homeserver did, in the admin room: what it means and what to do. What needs nobody is counted and not said."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.actions.room_findings import called
from hub.actions.rosters import seats_in
from hub.base.i18n import mark, text
from hub.cases.records import Coordination
from hub.chat.plain import message, paragraph
from hub.chat.posting import Place, put
from hub.chat.room_words import room_name

NOTICE = "matrix"
"""The code of the alarms that are told here."""
NOTICES = {
    "unverified_writer": mark(
        "{user} escribió desde un dispositivo que su cuenta no verificó ({device}); no lo leí. En su chat directo tiene los pasos para verificarlo. "
        "Si no fue ella: que cambie su contraseña hoy."
    ),
    "hidden_device": mark(
        "El servidor Matrix no muestra el dispositivo {device} de {user}. Lo que se le envía espera y sale solo cuando vuelva. Si dura una hora, "
        "pregunte a quien administra el servidor."
    ),
    "unreachable_device": mark(
        "No pude dar la llave al dispositivo {device} de {user}: ahí no se lee lo nuevo. Lo intento otra vez con cada mensaje. Si sigue así, que "
        "cierre esa sesión y la abra de nuevo."
    ),
    "nobody_can_read": mark(
        "En {room} nadie tiene un dispositivo verificado: lo que iba a escribir ahí espera. Vea quién lo necesita: tinkuy staff list"
    ),
    "clear_event": mark("{user} escribió sin cifrar en {room}; no lo leí. Que escriba desde un programa que cifra, como Element."),
    "history_gap": mark(
        "No alcancé a leer una parte de lo escrito en {room} mientras no tuve conexión. Lo de otras instituciones se pide otra vez solo; si alguien "
        "me escribió ahí y no respondí, que lo repita."
    ),
    "keys_drained": mark(
        "Alguien pide muy rápido las llaves de un solo uso de este hub. Se reponen solas y nada se pierde. Si se repite, pregunte a quien "
        "administra el servidor Matrix quién es."
    ),
    "rolled_back": mark(
        "El servidor Matrix ya vio de este hub algo más nuevo que lo guardado aquí: alguien repuso una copia antigua. Me detuve. Siga «Respaldos» en "
        "la guía: deploy/runbook.md"
    ),
}
_NOBODY_YET = {
    "table": mark(
        "En {room} todavía no hay ninguna persona: lo que iba a escribir ahí espera. Sume a la primera: tinkuy tables add {code} @cuenta:servidor"
    ),
    "case": mark(
        "En {room} no hay ninguna persona: lo que iba a escribir ahí espera. Quien lleva el caso entra desde su equipo con «entrar {code}»."
    ),
}
"""Instead of `nobody_can_read`, where the reason is that a coordination room is empty."""


def tell_notice(unit: Unit, kind: str, *, user: str, device: str, room: str) -> None:
    """Queue the sentence, if there is one. `room`: a room's id, told by its name."""
    template, lang = NOTICES.get(kind), unit.me.language
    if template is None or _closed_a_session(unit, kind, user):
        return
    known = unit.rooms.get(room)
    name = room_name(lang, called(unit, known.purpose)) if known else text(lang, "una sala")
    empty = _empty(unit, known.purpose) if known and kind == "nobody_can_read" else None
    told = {"user": user, "device": device, "room": name, "code": empty.code if empty else ""}
    put(unit, Place(purpose="admin"), message(paragraph(text(lang, _NOBODY_YET[empty.sort] if empty else template, **told))))


def _empty(unit: Unit, purpose: str) -> Coordination | None:
    """The coordination room behind this purpose, if no person of any institution is in it."""
    room = unit.coordinations.get(purpose.partition(":")[2])
    return room if room and not any(seat.people for seat in seats_in(unit, room.id)) else None


def _closed_a_session(unit: Unit, kind: str, user: str) -> bool:
    """A person's device that is not shown any more is one that she closed; a hub's is never closed without its administrators."""
    return kind == "hidden_device" and (unit.staff.get(user) is not None or any(user in seat.people for seat in unit.seats.all()))
