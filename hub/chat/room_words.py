"""What is wrong with a room or a device, what was done about it and what to do now, as sentences for administrators."""

from __future__ import annotations

from hub.base.i18n import mark, text
from hub.cases.events import RoomFound

ROOMS = {
    "desk": mark("la sala del equipo"),
    "admin": mark("la sala de administración"),
    "direct": mark("la sala directa de {which}"),
    "link": mark("la sala del enlace con {which}"),
    "coordination": mark("la sala de coordinación {which}"),
    "devices": mark("los dispositivos"),
}
FOUND = {
    "stranger": mark("{about} apareció en {room}, y ahí no puede estar."),
    "departed": mark("{about} ya no trabaja aquí y sigue en {room}."),
    "missing": mark("No pude invitar a {about} a {room}."),
    "encryption": mark("Alguien cambió el cifrado de {room}."),
    "history": mark("Alguien cambió quién puede leer lo ya dicho en {room}."),
    "join_rule": mark("Alguien cambió quién puede entrar en {room}."),
    "guest_access": mark("Alguien abrió {room} a visitantes."),
    "power": mark("Alguien cambió quién manda en {room}."),
    "name": mark("Alguien cambió el nombre de {room}, que cualquiera puede leer."),
    "topic": mark("Alguien puso un tema a {room}, que cualquiera puede leer."),
    "avatar": mark("Alguien puso una imagen a {room}."),
    "alias": mark("Alguien dio una dirección pública a {room} ({about})."),
    "pin": mark("«Quién hace qué» no está fijado en {room}."),
    "pinned": mark("Alguien fijó mensajes en {room}."),
    "space": mark("Alguien puso {room} dentro de un espacio."),
    "server_acl": mark("Alguien cambió qué servidores pueden estar en {room}."),
    "stray": mark("Alguien añadió a {room} algo que no debe tener ({about})."),
    "listed": mark("El servidor muestra {room} en su lista pública."),
    "version": mark("{room} no es de la versión con que la hicimos."),
    "creators": mark("En {room} manda alguien más que este hub."),
    "tombstone": mark("Alguien cerró {room} y señala otra en su lugar."),
    "left": mark("Este hub quedó fuera de {room}."),
    "unverified_device": mark("{user} tiene un dispositivo que su cuenta no verificó ({device}). No recibe llaves: ahí no se lee nada nuestro."),
    "master_changed": mark("La llave de {user} cambió y está bloqueada: no la leo ni le escribo."),
    "own_ghost": mark("La cuenta de este hub tiene un dispositivo que no es nuestro ({device}). No recibe ninguna llave."),
    "peer_differs": mark("El servidor muestra para {user} un dispositivo que su manifiesto no nombra ({device}). No recibe ninguna llave."),
    "more": mark("En {room} hay {about} cosas más que no son como deben: tinkuy rooms drift"),
    "hub_device": mark("El servidor no mostraba la firma de nuestro dispositivo, y sin ella las personas no nos leen."),
}
_OTHER = mark("{room} no está como debe ({what}).")
_DONE_STRANGER = mark("Ya está fuera. No recibió ninguna llave: no pudo leer nada nuestro.")
_DONE_NEW = mark("Hice una sala nueva y dejé la anterior: acepten la invitación.")
_DONE = mark("Ya está otra vez como debe.")
_WAITING = {
    "asks": mark("Espera su decisión: escriba «salas reparar»."),
    "frozen": mark("El enlace está detenido y así queda hasta que ustedes comparen el código y lo abran: tinkuy peer thaw {which}"),
    "too_soon": mark("Ya hice una nueva hace menos de una hora y no hago otra sin ustedes: escriba «salas reparar»."),
    "people": "",
    "more": "",
}
_FAILED = mark("No lo pude arreglar ({why}); lo intento otra vez cada pocos segundos.")
_HELD = mark("Mientras tanto no envío nada ahí.")
_WHO = mark("Pregunte hoy a quien administra el servidor Matrix quién es y cómo entró.")
_HOW = mark("Solo puede hacerlo quien administra el servidor o tiene la cuenta del hub: pregúntele hoy, y si no fue, cambie la contraseña.")
_NEXT = {
    "stranger": _WHO,
    "missing": mark("Revise que la cuenta exista y esté bien escrita: tinkuy staff list"),
    "unverified_device": mark(
        "Si es suyo: que toque ahí «Verificar esta sesión» y luego «Verificar con otro dispositivo». Si no lo es: que cierre esa sesión "
        "y cambie su contraseña hoy."
    ),
    "own_ghost": mark("Alguien tiene la contraseña del hub o administra el servidor: cámbiela hoy, y cierre esa sesión."),
    "peer_differs": mark("Llame a la administración de esa institución por un número conocido."),
    "departed": "",
    "master_changed": mark("Véala o llámela a un número conocido antes de aceptar otra: tinkuy staff repin --help"),
    "left": _HOW,
}
_STATE = frozenset(FOUND) - frozenset(_NEXT) - {"hub_device", "more"}
_NEW = frozenset({"version", "creators", "tombstone", "left"})
_OVER = {
    "unverified_device": mark("{user}: el dispositivo {device} ya no está en duda."),
    "own_ghost": mark("El dispositivo {device} ya no está en la cuenta de este hub."),
    "departed": mark("{about} ya está fuera de {room}."),
    "stranger": mark("{about} ya no está en {room}."),
}
_OVER_REST = mark("{room}: ya está como debe.")


def room_name(lang: str, purpose: str) -> str:
    """A room as people call it."""
    kind, _, which = purpose.partition(":")
    return text(lang, ROOMS.get(kind, mark("la sala {which}")), which=which or kind)


def finding(lang: str, purpose: str, what: str, about: str) -> str:
    """What is wrong, in one sentence."""
    user, _, device = about.partition(" ")
    said = text(lang, FOUND.get(what, _OTHER), room=room_name(lang, purpose), about=about, user=user, device=device, what=what)
    return said[:1].upper() + said[1:]


def outcome(lang: str, purpose: str, what: str, why: str) -> str:
    """What was done about it, or what keeps it from being done."""
    if not why:
        return text(lang, _DONE_STRANGER if what in ("stranger", "departed") else _DONE_NEW if what in _NEW else _DONE)
    waiting = _WAITING.get(why, _FAILED)
    said = text(lang, waiting, why=why, which=purpose.partition(":")[2]) if waiting else ""
    return f"{said} {text(lang, _HELD)}" if what == "stranger" and why != "frozen" else said


def sentences(lang: str, event: RoomFound) -> str:
    """What was found, what was done, and what to do now; with the code at the end."""
    if event.over:
        user, _, device = event.about.partition(" ")
        over = _OVER.get(event.what, _OVER_REST)
        said = text(lang, over, room=room_name(lang, event.purpose), about=event.about, user=user, device=device)
        return f"{said[:1].upper()}{said[1:]} [{event.what}]"
    next_ = _NEXT.get(event.what, _HOW if event.what in _STATE else "")
    parts = (finding(lang, event.purpose, event.what, event.about), outcome(lang, event.purpose, event.what, event.why))
    return f"{' '.join(filter(None, (*parts, text(lang, next_) if next_ else '')))} [{event.what}]"


WHY_INVITED = {
    "staff": mark("es de nuestro personal: las salas con el hub las hace el hub, y ya tiene la suya"),
    "removed": mark("ya no trabaja aquí"),
    "own_server": mark("es de nuestro servidor, pero no está inscrita"),
    "peer_server": mark("es del servidor de {detail}, pero no es su hub"),
    "unconfirmed": mark("es el hub de {detail}, cuyo código todavía nadie comparó"),
    "unlisted": mark("no es de ninguna institución de la lista"),
    "shape": mark("es el hub de una institución, pero la sala no sirve de enlace ({detail})"),
    "withdrawn": mark("la invitación ya no valía ({detail})"),
}
"""Why an invitation was turned down."""


def why_invited(lang: str, why: str, detail: str) -> str:
    """The reason in words."""
    return text(lang, WHY_INVITED.get(why, mark("no se acepta ({detail})")), detail=detail or why)
