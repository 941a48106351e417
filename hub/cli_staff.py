"""`tinkuy staff`: who of this institution may speak to the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.cli_base import JSON, Exit, ask, complain, config, new_app, say, show_json, show_rows, words

app = new_app("Personal de la institución. · Staff of the institution.")
User = Annotated[str, typer.Argument(metavar="@USUARIO:SERVIDOR", help="Su cuenta Matrix. · Her Matrix account.")]
_PINS = {
    "unseen": ("su llave todavía no se vio: revise que la cuenta exista", "her key has not been seen yet: check that the account exists"),
    "seen": ("vista por primera vez", "at first sight"),
    "given": ("huella recibida", "fingerprint given"),
    "verified": ("verificada en persona", "verified in person"),
    "blocked": ("BLOQUEADA: el servidor muestra otra", "BLOCKED: the homeserver shows another"),
}
_USER = re.compile(r"@[^\s:]{1,200}:[^\s]{1,200}")


@app.command()
def add(
    user: User,
    role: Annotated[str, typer.Option(help="caseworker, supervisor, administrator, …")] = "",
    language: Annotated[str, typer.Option(help="es | en")] = "",
    display: Annotated[str, typer.Option(help="Cómo la nombran las colegas. · How colleagues call her.")] = "",
    fingerprint: Annotated[str, typer.Option(help="Su clave maestra, por otra vía. · Her master key, by another road.")] = "",
    on_duty: Annotated[bool, typer.Option("--on-duty/--off-duty", help="De turno desde ya. · On duty from now.")] = False,
    as_json: bool = JSON,
) -> None:
    """Inscribe a una persona y fija su clave maestra · Enrol a person and pin her master key"""
    settings = config()
    args = {
        "user_id": checked(user),
        "role": role or settings.staff.default_role,
        "display": display,
        "on_duty": on_duty,
        "language": language or settings.staff.default_language or settings.institution.language,
    } | ({"fingerprint": fingerprint} if fingerprint else {})
    _told(ask("staff.add", args, as_json=as_json), as_json, "Inscrita", "Enrolled")


@app.command()
def repin(
    user: User,
    fingerprint: Annotated[
        str, typer.Option(help="Su nueva clave, como ella la leyó en su teléfono. · Her new master key, as she read it on her phone.")
    ] = "",
    as_json: bool = JSON,
) -> None:
    """Fija de nuevo su clave después de un cambio que ella confirma de viva voz · Pin again after a change that she confirms herself, aloud"""
    args = {"user_id": checked(user)} | ({"fingerprint": fingerprint} if fingerprint else {})
    answer = ask("staff.repin", args, as_json=as_json)
    _told(answer, as_json, "Clave fijada de nuevo", "Pinned again")
    if not as_json and not fingerprint:
        say(
            "ATENCIÓN: se toma la que muestre el servidor; eso todavía no prueba que sea suya. Compárenla hoy, en persona o por teléfono: "
            f"tinkuy staff verify {user}",
            f"NOTE: whatever the homeserver shows is taken; that does not yet prove that it is hers. Compare it today, in person or by phone: "
            f"tinkuy staff verify {user}",
        )


@app.command()
def remove(user: User, as_json: bool = JSON) -> None:
    """Da de baja: pierde el acceso en el acto · Off-board: access ends at once"""
    answer = ask("staff.remove", {"user_id": checked(user)}, as_json=as_json)
    _told(answer, as_json, "Dada de baja", "Removed", key=False)
    if not as_json:
        _told_what_moved(answer.get("moved") or {})


def _told_what_moved(moved: Mapping[str, Any]) -> None:
    """What she had in hand, by code, and who has it now; nobody is a warning."""
    codes, rings = ", ".join((*moved.get("cases", ()), *moved.get("referrals", ()))), moved.get("check_ins", 0)
    if not codes:
        return say("No llevaba nada: ni casos, ni derivaciones, ni controles.", "She had nothing in hand: no cases, referrals or check-ins.")
    if to := moved.get("to"):
        return say(
            f"Lo que llevaba está ahora a cargo de {to}: {codes}. Controles por hacer: {rings}. Avísele hoy.",
            f"What she had in hand is now with {to}: {codes}. Check-ins to come: {rings}. Tell her today.",
        )
    return complain(
        f"ATENCIÓN: NADIE lleva lo que estaba a su cargo: {codes}. Controles por hacer, que no le suenan a nadie: {rings}.\n"
        "→ Inscriba hoy a una persona y lo recibe en el acto: tinkuy staff add  (lead_nobody)",
        f"WARNING: NOBODY has what she had in hand: {codes}. Check-ins to come, which ring nobody: {rings}.\n"
        "→ Enrol a person today, who takes it at once: tinkuy staff add  (lead_nobody)",
    )


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Muestra a todas con su rol, turno y nivel de confianza · Show everyone with role, duty and trust level"""
    rows = ask("staff.list", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    show_rows(
        [row | {"pin": words(*_PINS.get(row.get("pin", ""), (row.get("pin", ""),) * 2))} for row in rows],
        (
            ("user_id", "CUENTA", "ACCOUNT"),
            ("role", "ROL", "ROLE"),
            ("display", "NOMBRE", "NAME"),
            ("language", "IDIOMA", "LANGUAGE"),
            ("on_duty", "DE TURNO", "ON DUTY"),
            ("pin", "CLAVE", "KEY"),
        ),
    )
    return None


@app.command()
def duty(
    user: User,
    on: Annotated[bool, typer.Option("--on/--off", help="De turno o no. · On duty or not.")],
    as_json: bool = JSON,
) -> None:
    """Pone o quita el turno · Set or end duty"""
    answer = ask("staff.duty", {"user_id": checked(user), "on_duty": on}, as_json=as_json)
    _told(answer, as_json, "De turno" if on else "Fuera de turno", "On duty" if on else "Off duty", key=False)


def checked(user: str) -> str:
    """The account, or the end with 2 when it does not look like one."""
    if not _USER.fullmatch(user):
        complain("La cuenta debe tener la forma @usuario:servidor.", "The account must look like @user:server.")
        raise typer.Exit(Exit.USAGE)
    return user


def _told(answer: Any, as_json: bool, es: str, en: str, *, key: bool = True) -> None:
    if as_json:
        return show_json(answer)
    level = answer.get("pin", "") if key and isinstance(answer, dict) else ""
    tail = f" ({words(*_PINS[level])})" if level in _PINS else ""
    say(f"{es}{tail}.", f"{en}{tail}.")
    return None
