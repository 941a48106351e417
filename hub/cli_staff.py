"""`tinkuy staff`: who of this institution may speak to the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from hub.cli_base import JSON, PAIR, STAFF_ROLES, YES, Exit, agree, ask, complain, config, new_app, room_name, say, show_json, show_rows, words
from hub.cli_choose import choose

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
    role: Annotated[str, typer.Option(help="caseworker (acompañante), supervisor o administrator. · What she does.")] = "",
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
        "role": choose("--role", role, STAFF_ROLES, as_json=as_json) if role else settings.staff.default_role,
        "display": display,
        "on_duty": on_duty,
        "language": language or settings.staff.default_language or settings.institution.language,
    } | ({"fingerprint": fingerprint} if fingerprint else {})
    answer = ask("staff.add", args, as_json=as_json)
    _told(answer, as_json, "Inscrita", "Enrolled")
    if not as_json and "account" in answer:
        _told_account(answer)


def _told_account(answer: Mapping[str, Any]) -> None:
    """Of somebody whose key was not seen: no such account, one that never logged in, or nobody could tell."""
    user = answer.get("user_id", "")
    if answer["account"] is False:
        return complain(
            f"ATENCIÓN: el servidor Matrix no tiene ninguna cuenta {user}. Quedó inscrita de todos modos.\n"
            f"→ Si está mal escrita: tinkuy staff remove {user}, e inscríbala otra vez. Si no, que la creen y que ella entre.",
            f"WARNING: the homeserver has no account {user}. She is enrolled all the same.\n"
            f"→ If it is mistyped: tinkuy staff remove {user}, and enrol her again. If not, let it be made, and let her log in.",
        )
    if answer["account"]:
        return say(
            "La cuenta existe; su llave se fija cuando ella entre por primera vez.", "The account exists; her key is pinned at her first log-in.",
        )  # fmt: skip
    return say(
        "No se pudo comprobar si la cuenta existe: es de otro servidor, o el suyo no contesta.",
        "It could not be checked whether the account exists: it is of another server, or yours does not say.",
    )


@app.command()
def repin(
    user: User,
    fingerprint: Annotated[
        str, typer.Option(help="Su nueva clave, como ella la leyó en su teléfono. · Her new master key, as she read it on her phone.")
    ] = "",
    yes: bool = YES,
    as_json: bool = JSON,
) -> None:
    """Fija de nuevo su clave después de un cambio que ella confirma de viva voz · Pin again after a change that she confirms herself, aloud"""
    args = {"user_id": checked(user)} | ({"fingerprint": fingerprint} if fingerprint else {})
    if not fingerprint and not yes:
        _foretell_pin(ask("staff.show", {"user_id": user}, as_json=as_json), as_json=as_json)
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
def remove(user: User, yes: bool = YES, as_json: bool = JSON) -> None:
    """Da de baja, tras mostrar qué pasará: pierde el acceso en el acto · Off-board, after showing what will happen: access ends at once"""
    checked(user)
    if not yes:
        _foretell_departure(ask("staff.show", {"user_id": user}, as_json=as_json), as_json=as_json)
    answer = ask("staff.remove", {"user_id": user}, as_json=as_json)
    _told(answer, as_json, "Dada de baja", "Removed", key=False)
    if not as_json:
        _told_rooms(answer.get("rooms") or ())
        _told_what_moved(answer.get("moved") or {})
        _warn_of_few(answer)


def _who(person: Mapping[str, Any]) -> str:
    return f"{person.get('display') or person['user_id']} ({person['user_id']}), {_role(person)}"


def _role(person: Mapping[str, Any]) -> str:
    return words(*STAFF_ROLES.get(person.get("role", ""), (person.get("role", ""),) * 2))


def _rooms_named(person: Mapping[str, Any]) -> str:
    return ", ".join(room_name(room) for room in person["rooms"]) or words("ninguna", "none")


def _foretell_pin(person: Mapping[str, Any], *, as_json: bool) -> None:
    """Before a key is taken from the homeserver: whose, what is known of the present one, and what it will open."""
    if not as_json:
        known = words(*_PINS.get(person["pin"], (person["pin"],) * 2))
        rooms = _rooms_named(person)
        say(
            f"{_who(person)}. Su clave ahora: {known}.\nSin --fingerprint se toma la próxima que muestre el servidor, que puede no ser suya; "
            f"con ella se lee en: {rooms}. Sus casos y sus salas no cambian.",
            f"{_who(person)}. Her key now: {known}.\nWithout --fingerprint the next one that the homeserver shows is taken, which may not be hers; "
            f"it will read in: {rooms}. Her cases and rooms stay as they are.",
        )
    agree("¿Habló con ella y le dijo que cambió su clave?", "Did you speak with her, and did she say that she changed her key?", as_json=as_json)


def _foretell_departure(person: Mapping[str, Any], *, as_json: bool) -> None:
    """Before she goes: who, out of which rooms, and what moves to whom, by code."""
    if not as_json:
        say(f"{_who(person)}.\nSale de: {_rooms_named(person)}.", f"{_who(person)}.\nLeaves: {_rooms_named(person)}.")
        moved = person["would_move"]
        codes, to = _in_hand(moved), moved["to"]
        if not codes:
            say("No lleva nada: ni casos, ni derivaciones, ni controles.", "She has nothing in hand: no cases, referrals or check-ins.")
        else:
            rings = words(f"Controles por hacer: {moved['check_ins']}.", f"Check-ins to come: {moved['check_ins']}.")
            say(f"Pasa a {to}: {codes}. {rings}" if to else f"NADIE queda para llevar lo suyo: {codes}. {rings} Inscriba antes a otra persona.",
                f"Moves to {to}: {codes}. {rings}" if to else f"NOBODY is left to take what she has: {codes}. {rings} Enrol somebody else first.")
        _warn_of_few(person)
    agree(f"¿Dar de baja a {person['user_id']}?", f"Remove {person['user_id']}?", as_json=as_json)


def _warn_of_few(answer: Mapping[str, Any]) -> None:
    """She supervises alone, or nobody would be left to confirm what needs two people: said before she goes, and after."""
    stay = answer.get("stay") or {}
    if answer.get("role") == "supervisor" and stay.get("supervisors") == 0:
        complain(
            "ATENCIÓN: sin ella no queda supervisión. Lo que le sonaba a ella, y revisar las emergencias, pasa a la administración.\n"
            "→ Inscriba a otra: tinkuy staff add @cuenta:servidor --role supervisor",
            "WARNING: without her nobody supervises. What rang her, and the review of emergencies, falls to administrators.\n"
            "→ Enrol another one: tinkuy staff add @account:server --role supervisor",
        )
    if "staff" in stay and stay["staff"] < PAIR:
        complain(
            f"ATENCIÓN: sin ella el personal es de {stay['staff']}. Una emergencia la confirma y la revisa otra persona: no habrá quién.\n"
            "→ Inscriba a alguien más: tinkuy staff add @cuenta:servidor",
            f"WARNING: without her the staff is {stay['staff']}. Another person confirms and reviews an emergency: there will be none.\n"
            "→ Enrol somebody else: tinkuy staff add @account:server",
        )


def _in_hand(moved: Mapping[str, Any]) -> str:
    """Codes of cases and referrals; those whose aggressor is of this institution are counted, not named."""
    named = ", ".join((*moved.get("cases", ()), *moved.get("referrals", ())))
    more = f"(+{moved['unnamed']})" if moved.get("unnamed") else ""
    return " ".join(filter(None, (named, more)))


def _told_rooms(rooms: Sequence[Mapping[str, Any]]) -> None:
    """Room by room whether she is out; what is owed is tried until it is done."""
    out = ", ".join(room_name(one) for one in rooms if one["out"])
    if out:
        say(f"Fuera de: {out}. Sus llaves ya no abren nada que se diga desde ahora.", f"Out of: {out}. Her keys open nothing said from now on.")
    for one in rooms:
        if not one["out"]:
            complain(
                f"PENDIENTE: sigue en {room_name(one)} ({one['why']}). No recibe llaves; se intenta hasta sacarla. Mire: tinkuy rooms drift",
                f"OWED: still in {room_name(one)} ({one['why']}). She gets no keys; tried until she is out. See: tinkuy rooms drift",
            )


def _told_what_moved(moved: Mapping[str, Any]) -> None:
    """What she had in hand, by code, and who has it now; nobody is a warning."""
    codes, rings = _in_hand(moved), moved.get("check_ins", 0)
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
        [row | {"pin": words(*_PINS.get(row.get("pin", ""), (row.get("pin", ""),) * 2)), "role": _role(row)} for row in rows],
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
