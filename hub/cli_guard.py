"""`tinkuy guard`: how the language guard behaves in each class of rooms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from hub.cli_base import JSON, ask, new_app, say, show_json, show_rows, words
from hub.cli_choose import choose
from hub.cli_policy_sources import pack_named
from policies.guard import load

app = new_app("La guardia del lenguaje: qué hace en cada clase de sala. · The language guard: what it does in each class of rooms.")
_ROOMS = {
    "desk": ("la sala del equipo", "the desk"),
    "coordination": ("las salas de coordinación", "coordination rooms"),
    "direct": ("los chats directos", "direct chats"),
}
_ALSO_ROOMS = {
    "desk": ("equipo", "sala del equipo", "mesa", "la mesa", "sala de trabajo", "desk room"),
    "coordination": ("coordinación", "salas de coordinación", "sala de coordinación", "coordination room"),
    "direct": ("directa", "directas", "directo", "chats directos", "chat directo", "direct chat"),
}
_ALSO_MODES = {
    "advise": ("aconsejar", "aconseja", "advises"),
    "redact": ("retirar", "retira", "takes out", "take out"),
    "off": ("callada", "callar", "silencio", "silent", "no"),
}
"""Other names that people type; the ones above are said to them."""
_MODES = {
    "advise": ("aconseja en privado", "advises in private"),
    "redact": ("retira el mensaje y aconseja", "takes the message out and advises"),
    "off": ("callada (lo que sale a otra institución se pregunta igual)", "silent (what leaves for another institution is asked about all the same)"),
}


def _said(table: Mapping[str, tuple[str, str]], name: str) -> str:
    """What it is called."""
    return words(*table[name]) if name in table else name


def _seen(name: str) -> str:
    """What the guard saw, as it says it to people; `known` is any value of a case."""
    labels = load(pack_named(None)).labels
    if name == "known":
        return words("un dato del caso", "a value of the case")
    return labels[name].get(words("es", "en")) if name in labels else name


@app.command()
def show(as_json: bool = JSON) -> None:
    """Muestra qué hace la guardia y cuánto vio, por clase · Show what the guard does and how much it saw, by class"""
    answer = ask("guard.show", as_json=as_json)
    if as_json:
        return show_json(answer)
    rows = [{"room": _said(_ROOMS, row["room"]), "mode": _said(_MODES, row["mode"])} for row in answer["rooms"]]
    show_rows(rows, (("room", "sala", "room"), ("mode", "qué hace", "what it does")))
    if answer["seen"]:
        show_rows([row | {"class": _seen(row["class"])} for row in answer["seen"]], (("class", "clase", "class"), ("count", "veces", "times")))
    else:
        say("Todavía no vio nada.", "It has seen nothing yet.")
    return None


@app.command("set")
def set_(
    room: Annotated[str, typer.Argument(metavar="SALA", help="equipo, coordinación o directa. · desk, coordination or direct.")],
    mode: Annotated[str, typer.Argument(metavar="MODO", help="aconseja, retira o callada. · advises, takes out or silent.")],
    as_json: bool = JSON,
) -> None:
    """Cambia qué hace en una clase de sala · Change what it does in a class of rooms"""
    room = choose("SALA", room, {code: (*called, *_ALSO_ROOMS[code]) for code, called in _ROOMS.items()}, as_json=as_json)
    mode = choose("MODO", mode, {code: (*called, *_ALSO_MODES[code]) for code, called in _MODES.items()}, as_json=as_json)
    answer = ask("guard.set", {"room": room, "mode": mode}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(f"En {_ROOMS[room][0]}, desde ahora {_MODES[mode][0]}.", f"In {_ROOMS[room][1]}, from now on it {_MODES[mode][1]}.")
    return None
