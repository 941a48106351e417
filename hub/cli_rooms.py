"""`tinkuy rooms`: who is in which room and who may be; what differs from its class; bringing it back. No message is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from hub.base.config import Config
from hub.cli_base import JSON, STAFF_ROLES, YES, Exit, agree, ask, complain, config, new_app, room_name, say, show_json, show_rows, stamp, words
from hub.cli_words import sentence

app = new_app("Las salas del hub: quién está, quién puede estar, y qué hay que arreglar. · The hub's rooms: who is in, who may be, what to mend.")
_WHO = {
    "own": ("solo personal nuestro", "our staff alone"),
    "peer": ("solo el hub de una institución enlazada", "the hub of one linked institution alone"),
    "parties": ("personal y hub de las instituciones que participan", "staff and hubs of the institutions that take part"),
}
_ROLES = {
    **STAFF_ROLES,
    "hub": ("hub", "hub"),
    "stranger": ("AJENA", "STRANGER"),
    "departed": ("YA NO TRABAJA AQUÍ", "LEFT THE INSTITUTION"),
}
_STATES = {
    "join": ("dentro", "in"),
    "invite": ("invitada, aún no entró", "invited, has not joined"),
    "ban": ("vetada", "banned"),
    "out": ("FUERA", "OUT"),
}
_WHAT = {
    "missing_room": ("la sala no existe todavía", "the room does not exist yet"),
    "unseen": ("el servidor no la muestra ahora", "the homeserver does not show it now"),
    "missing": ("falta", "missing"),
    "stranger": ("cuenta ajena", "stranger"),
    "departed": ("ya no trabaja aquí", "left the institution"),
    "encryption": ("cifrado", "encryption"),
    "history": ("quién lee lo anterior", "who reads the past"),
    "join_rule": ("quién puede entrar", "who may join"),
    "guest_access": ("visitantes", "guests"),
    "power": ("quién manda", "who governs"),
    "name": ("nombre", "name"),
    "topic": ("tema", "topic"),
    "avatar": ("imagen", "picture"),
    "alias": ("dirección pública", "public address"),
    "pin": ("quién hace qué, sin fijar", "who does what, not pinned"),
    "pinned": ("mensajes fijados", "pinned messages"),
    "space": ("espacio", "space"),
    "server_acl": ("servidores admitidos", "servers let in"),
    "stray": ("estado que sobra", "state that should not be"),
    "listed": ("en la lista pública", "publicly listed"),
    "version": ("versión de la sala", "room version"),
    "creators": ("creadores", "creators"),
    "tombstone": ("cerrada", "closed"),
    "left": ("el hub está fuera", "the hub is out"),
    "unverified_device": ("dispositivo sin verificar", "unverified device"),
    "master_changed": ("su llave cambió: BLOQUEADA", "her key changed: BLOCKED"),
    "own_ghost": ("dispositivo ajeno en la cuenta del hub", "foreign device on the hub's account"),
    "peer_differs": ("dispositivo que su manifiesto no nombra", "device that its manifest does not name"),
}
_STEPS = {
    "invite": ("invitar", "invite"),
    "kick": ("sacar", "kick"),
    "ban": ("vetar", "ban"),
    "unban": ("levantar el veto", "unban"),
    "state": ("poner como debe", "set as it should be"),
    "alias": ("quitar", "remove"),
    "unlist": ("quitar de la lista", "unlist"),
    "replace": ("hacer una sala nueva", "make a new room"),
    "make": ("hacer la sala", "make the room"),
    "retire": ("cerrar la sala", "close the room"),
    "look": ("mirar otra vez", "look again"),
}
_BY = {
    "hub": ("el hub, solo", "the hub, by itself"),
    "asks": ("espera: tinkuy rooms apply", "waits: tinkuy rooms apply"),
    "people": ("ustedes: tinkuy peer thaw", "you: tinkuy peer thaw"),
    "peer": ("la otra institución", "the other institution"),
    "homeserver": ("el servidor Matrix", "the homeserver"),
}
_NOT_DONE = {
    "asks": ("espera su decisión", "waits for your decision"),
    "frozen": ("el enlace está detenido: tinkuy peer thaw", "the link stands: tinkuy peer thaw"),
    "too_soon": ("ya se hizo una nueva hace menos de una hora", "a new one was made less than an hour ago"),
    "M_FORBIDDEN": ("el servidor no lo permite", "the homeserver does not allow it"),
    "M_NOT_FOUND": ("el servidor no lo encuentra", "the homeserver does not find it"),
}
_WHY = {
    "staff": ("personal nuestro: las salas las hace el hub", "our own staff: the hub makes the rooms"),
    "removed": ("ya no trabaja aquí", "left the institution"),
    "own_server": ("de nuestro servidor, sin inscribir", "of our homeserver, not enrolled"),
    "peer_server": ("del servidor de {detail}, pero no es su hub", "of {detail}'s homeserver, but not its hub"),
    "unconfirmed": ("el hub de {detail}: nadie comparó el código", "the hub of {detail}: nobody compared the code"),
    "unlisted": ("de ninguna institución de la lista", "of no institution on the list"),
    "shape": ("hub conocido, pero la sala no sirve de enlace: {detail}", "a known hub, but the room is not fit to be a link: {detail}"),
    "withdrawn": ("ya no valía: {detail}", "not valid any more: {detail}"),
}


@app.command()
def show(as_json: bool = JSON) -> None:
    """Muestra quién está en cada sala, quién puede estar, y cómo está hecha · Show who is in each room, who may be, and what it is like"""
    rows = ask("rooms.show", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    for row in rows:
        _show_room(row)
    return None


def _show_room(row: Mapping[str, Any]) -> None:
    may, roles = row["may"], ", ".join(words(*_ROLES.get(role, (role, role))) for role in row["may"]["roles"])
    say(
        f"── {room_name(row)} · puede estar: {_WHO[may['institutions']][0]} ({roles}){_most(may, 'como máximo')}",
        f"── {room_name(row)} · may be in it: {_WHO[may['institutions']][1]} ({roles}){_most(may, 'at most')}",
    )
    if not row["id"]:
        return say("   todavía no existe", "   does not exist yet")
    if row["served"] is None:
        return complain(f"   el servidor no la muestra ahora ({row.get('unseen')})", f"   the homeserver does not show it now ({row.get('unseen')})")
    same, wanted = row["served"], row["wanted"]
    off = [key for key in ("encryption", "history", "join_rule", "guest_access", "version", "govern") if same.get(key) != wanted.get(key)]
    say(
        f"   cifrada, historia desde que se entra, solo por invitación, sala v{same['version']}" + (f" · DIFIERE: {', '.join(off)}" if off else ""),
        f"   encrypted, history from joining on, by invitation only, room v{same['version']}" + (f" · DIFFERS: {', '.join(off)}" if off else ""),
    )
    show_rows([_member(one) for one in row["members"]], _MEMBER_COLUMNS)
    return None


_MEMBER_COLUMNS = (
    ("user", "CUENTA", "ACCOUNT"), ("institution", "INSTITUCIÓN", "INSTITUTION"), ("role", "ROL", "ROLE"), ("state", "ESTADO", "STATE"),
    ("devices", "DISPOSITIVOS", "DEVICES"),
)  # fmt: skip


def _member(one: Mapping[str, Any]) -> dict[str, Any]:
    doubtful = one.get("unverified") or ()
    devices = "" if "devices" not in one else words(f"{one['devices']} de confianza", f"{one['devices']} trusted")
    if doubtful:
        devices += words(f", SIN VERIFICAR: {', '.join(doubtful)}", f", UNVERIFIED: {', '.join(doubtful)}")
    return {
        "user": f"   {one['user']}", "institution": one["institution"] or "–", "role": words(*_ROLES.get(one["role"], (one["role"],) * 2)),
        "state": words(*_STATES.get(one["state"], (one["state"],) * 2)), "devices": devices,
    }  # fmt: skip


def _most(may: Mapping[str, Any], at_most: str) -> str:
    return f", {at_most} {may['most']}" if may["most"] else ""


@app.command()
def plan(as_json: bool = JSON) -> None:
    """Muestra qué se haría ahora, sin tocar nada · Show what would be done now, and change nothing"""
    answer = ask("rooms.plan", as_json=as_json)
    if as_json:
        return show_json(answer)
    if not answer["steps"]:
        return say("Nada que hacer: las salas están como deben.", "Nothing to do: the rooms are as they should be.")
    return _show_steps(answer["steps"])


@app.command()
def drift(as_json: bool = JSON) -> None:
    """Dice en qué difieren salas y dispositivos de lo declarado; 1 si difieren · Say how rooms and devices differ; status 1 if they do"""
    answer = ask("rooms.drift", as_json=as_json)
    if as_json:
        show_json(answer)
    else:
        _show_drift(answer)
    if answer["count"]:
        raise typer.Exit(Exit.REFUSED)


@app.command()
def apply(yes: bool = YES, as_json: bool = JSON) -> None:
    """Arregla lo que es del hub arreglar y dice cómo quedó cada paso; 1 si queda algo · Mend what is ours, step by step; status 1 if any is left"""
    if not yes and not as_json:
        steps = ask("rooms.plan")["steps"]
        if not steps:
            return say("Nada que hacer: las salas están como deben.", "Nothing to do: the rooms are as they should be.")
        _show_steps(steps)
        agree("¿Arreglarlo ahora?", "Mend it now?")
    answer = ask("rooms.apply", as_json=as_json)
    if as_json:
        show_json(answer)
    else:
        _show_tried(answer["steps"])
        _show_drift(answer["left"])
    if answer["left"]["count"]:
        raise typer.Exit(Exit.REFUSED)
    return None


@app.command()
def invitations(as_json: bool = JSON) -> None:
    """Muestra quién invitó al hub y por qué no entró · Show who invited the hub, and why it did not come"""
    rows = ask("rooms.invitations", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    if not rows:
        return say("Nadie que no deba invitó a este hub.", "Nobody who should not has invited this hub.")
    settings = config()
    return show_rows([_invitation(row, settings) for row in rows], _INVITATION_COLUMNS, titled=True)


_INVITATION_COLUMNS = (
    ("user", "QUIÉN", "WHO"), ("server", "SERVIDOR", "SERVER"), ("why", "POR QUÉ NO", "WHY NOT"), ("times", "VECES", "TIMES"),
    ("last", "ÚLTIMA", "LAST"),
)  # fmt: skip


def _invitation(row: Mapping[str, Any], settings: Config) -> dict[str, Any]:
    es, en = _WHY.get(row["why"], (row["why"], row["why"]))
    return {**row, "why": words(es, en).format(detail=row["detail"]), "last": stamp(row["last"], settings)}


def _show_steps(steps: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "room": room_name(one), "what": words(*_WHAT.get(one["what"], (one["what"],) * 2)), "about": one["about"],
            "step": words(*_STEPS.get(one["step"], (one["step"],) * 2)), "by": words(*_BY.get(one["by"], (one["by"],) * 2)),
        }
        for one in steps
    ]  # fmt: skip
    columns = (("room", "SALA", "ROOM"), ("what", "QUÉ", "WHAT"), ("about", "QUIÉN O CUÁL", "WHO OR WHICH"), ("step", "PASO", "STEP"))
    show_rows(rows, (*columns, ("by", "LO HACE", "BY")), titled=True)


def _show_tried(steps: Sequence[Mapping[str, Any]]) -> None:
    for one in steps:
        why = words(*_NOT_DONE.get(one["why"], _code(one["why"]))) if one["why"] else ""
        line = f"{room_name(one)}: {words(*_STEPS.get(one['step'], (one['step'],) * 2))} {words(*_WHAT.get(one['what'], (one['what'],) * 2))}"
        line += f" {one['about']}" if one["about"] and one["about"] != one["what"] else ""
        say(f"✓ {line}", f"✓ {line}") if one["done"] else complain(f"✗ {line}: no se pudo: {why}", f"✗ {line}: could not be done: {why}")


def _code(code: str) -> tuple[str, str]:
    return (sentence(code, {})[0], sentence(code, {})[1]) if "." in code else (code, code)


def _show_drift(answer: Mapping[str, Any]) -> None:
    """Rooms, then who left and is still inside, then devices, with the two taps that mend one."""
    if not answer["count"]:
        return say(
            f"Las {answer['looked_at']} salas están como deben, y todos los dispositivos.",
            f"All {answer['looked_at']} rooms are as they should be, and all devices.",
        )
    steps = [step for row in answer["rooms"] for step in row["steps"]]
    if steps:
        _show_steps(steps)
    for one in answer["owed"]:
        complain(
            f"! {one['about']} ya no trabaja aquí y sigue en {room_name(one)} ({one['why']}); se intenta hasta lograrlo.",
            f"! {one['about']} left the institution and is still in {room_name(one)} ({one['why']}); tried until it is done.",
        )
    for one in answer["devices"]:
        _show_device(one)
    if answer["hub"] != "ok":
        complain(
            f"! El servidor no muestra la firma del dispositivo de este hub ({answer['hub']}): las personas no nos leen.\n→ tinkuy doctor",
            f"! The homeserver does not show the signature of this hub's device ({answer['hub']}): people cannot read us.\n→ tinkuy doctor",
        )
    return None


def _show_device(one: Mapping[str, Any]) -> None:
    what = words(*_WHAT.get(one["what"], (one["what"],) * 2))
    who = " · ".join(filter(None, (one["user"], one["device"])))
    complain(f"! {who}: {what}; no recibe llaves.", f"! {who}: {what}; no keys go there.")
    if one["what"] == "unverified_device":
        complain(
            "→ Si es suyo: en ese dispositivo, «Verificar esta sesión» y luego «Verificar con otro dispositivo». Si no: cambie su contraseña hoy.",
            "→ If it is hers: on that device, «Verify this session», then «Verify with another device». If not: change her password today.",
        )
    elif one["what"] == "master_changed":
        complain(
            "→ Véala o llámela a un número conocido antes de aceptar otra: tinkuy staff repin --help",
            "→ See her or call her at a known number before you accept another: tinkuy staff repin --help",
        )
    elif one["what"] == "own_ghost":
        complain("→ Cambie hoy la contraseña de la cuenta del hub.", "→ Change the password of the hub's account today.")
    else:
        complain("→ Llame a su administración por un número conocido.", "→ Call its administration at a known number.")
