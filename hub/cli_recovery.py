"""`tinkuy keys recovery-key`: the hub's identity in its account's secret storage, under a key that is shown once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hub.cli_base import JSON, YES, Exit, agree, ask, complain, say, show_json, words


def recovery_key(
    check: Annotated[bool, typer.Option("--check", help="Comprueba una clave (la lee de la entrada). · Check one, read from input.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Quita lo guardado. · Remove what is stored.")] = False,
    yes: bool = YES,
    as_json: bool = JSON,
) -> None:
    """Guarda la identidad del hub bajo una clave de recuperación · Keep the hub's identity under a recovery key"""
    if check:
        return _check(as_json)
    if remove:
        ask("keys.recovery.forget", as_json=as_json)
        return show_json({"ok": True}) if as_json else say("Quitado.", "Removed.")
    if not yes:
        agree(
            "Quien tenga esta clave y la cuenta podrá hacerse pasar por el hub ante el personal. ¿Guardar la identidad en el servidor?",
            "Whoever has this key and the account can pose as the hub before your staff. Store the identity on the homeserver?",
        )
    written = ask("keys.recovery.keep", as_json=as_json)["recovery_key"]
    if as_json:
        return show_json({"recovery_key": written})
    say(
        "Clave de recuperación, se muestra una sola vez. Escríbala en papel y guárdela como la llave maestra (KEK):",
        "Recovery key, shown only once. Write it on paper and keep it as you keep the key-encryption key:",
    )
    typer.echo(f"\n  {written}\n")
    say("Compruébela ahora: tinkuy keys recovery-key --check", "Check it now: tinkuy keys recovery-key --check")
    return None


def _check(as_json: bool) -> None:
    typer.echo(words("Escriba la clave de recuperación: ", "Type the recovery key: "), nl=False, err=True)
    good = ask("keys.recovery.check", {"recovery_key": sys.stdin.readline()}, as_json=as_json)["ok"]
    if as_json:
        show_json({"ok": good})
    elif good:
        say("Correcta: abre exactamente la identidad de este hub.", "Right: it opens exactly this hub's identity.")
    else:
        complain("No abre lo guardado: hay un error al copiarla, o es de antes.", "It does not open what is stored: a slip, or an older one.")
    if not good:
        raise typer.Exit(Exit.REFUSED)
