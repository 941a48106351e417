"""`tinkuy staff verify`: the administrator's side of a verification by emoji, at the terminal (ADR 0017)."""

from __future__ import annotations

import sys
import time
from typing import Any

import typer

from hub.cli_base import JSON, Exit, ask, complain, say, setting, show_json, words
from hub.cli_staff import User, checked

PATIENCE_S = 600.0
LOOK_EVERY_S = 0.5
WAITING = ("none", "verified", "done", "broken", "ended")
"""States in which the newest verification is an old one: she has not asked yet."""
_WHY = {
    "timeout": ("se acabó el tiempo", "time ran out"),
    "differs": ("los dibujos no eran los mismos", "the emoji were not the same"),
    "mac": ("su programa probó otra llave que la fijada", "her client proved another key than the pinned one"),
    "served": ("el servidor mostró otra llave", "the homeserver showed another key"),
    "hers": ("su programa la detuvo", "her client stopped it"),
    "device": ("la pidió desde un dispositivo sin verificar", "she asked from an unverified device"),
    "blocked": ("su llave está bloqueada: primero `tinkuy staff repin`", "her key is blocked: `tinkuy staff repin` first"),
    "restart": ("el hub se reinició", "the hub was restarted"),
}


def verify(user: User, as_json: bool = JSON) -> None:
    """Verifica su llave con emojis, con ella delante o al teléfono · Verify her key by emoji, with her there or on the telephone"""
    who = checked(user)
    first = ask("staff.verify", {"user_id": who}, as_json=as_json)
    _tell(
        "Pídale que toque «Verificar» en su conversación con Tinkuy. Espero hasta 10 minutos (Ctrl-C para dejarlo).",
        "Ask her to tap «Verify» in her chat with Tinkuy. I wait for up to 10 minutes (Ctrl-C to stop).",
    )
    old = first.get("id") if first["state"] in WAITING else None
    shown = _wait(who, old, ("shown",))
    if shown["state"] == "shown":
        ask("staff.compare", {"id": shown["id"], "same": _same(shown)}, as_json=as_json)
        shown = _wait(who, old, ())
    if as_json:
        show_json(shown)
    elif shown["pin"] == "verified" and shown["state"] in ("verified", "done"):
        say("Su llave quedó verificada.", "Her key is verified.")
    else:
        es, en = _WHY.get(shown["why"], ("vuelvan a empezar", "begin again"))
        complain(f"No se verificó: {es}. Su llave sigue como estaba.", f"Not verified: {en}. Her key stays as it was.")
    if shown["state"] not in ("verified", "done"):
        raise typer.Exit(Exit.REFUSED)


def _wait(who: str, old: str | None, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Look until a verification newer than `old` is in a wanted state or over."""
    end, told = time.monotonic() + PATIENCE_S, False
    while time.monotonic() < end:
        now: dict[str, Any] = ask("staff.verify", {"user_id": who})
        if now.get("id") != old and now["state"] in (*wanted, "verified", "done", "broken", "ended"):
            return now
        if now["state"] == "ready" and not told:
            told = True
            _tell("La pidió. Que toque ahora «Verificar con emojis».", "She asked. Let her tap «Verify by emoji» now.")
        time.sleep(LOOK_EVERY_S)
    complain("No llegó ningún pedido suyo en 10 minutos.", "No request of hers came within 10 minutes.")
    raise typer.Exit(Exit.REFUSED)


def _same(shown: dict[str, Any]) -> bool:
    _tell(
        "Ella debe ver estos siete dibujos, en este orden. Que los lea en voz alta; hay un minuto:",
        "She must see these seven emoji, in this order. Let her read them aloud; you have one minute:",
    )
    for one in shown["emoji"]:
        typer.echo(f"  {one['emoji']}  {one['en' if setting.get().english else 'es']}", err=True)
    yes, no = ("s", "si", "sí", "y", "yes"), ("n", "no")
    while True:
        typer.echo(words("¿Son los mismos? [s/n] ", "Are they the same? [y/n] "), nl=False, err=True)
        said = sys.stdin.readline()
        if said.strip().casefold() in yes:
            return True
        if not said or said.strip().casefold() in no:  # the end of the input is no yes
            return False


def _tell(es: str, en: str) -> None:
    typer.echo(words(es, en), err=True)
