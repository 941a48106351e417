"""`tinkuy peer` and `tinkuy manifest`: making two institutions known to each other.

Manifests are public files and may travel by any means. Trust comes from one act: two people compare a short code aloud.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli_base import JSON, YES, Exit, agree, ask, complain, end_with, new_app, new_file, read_file, say, show_facts, show_json, show_rows, words

app = new_app("Otras instituciones. · Other institutions.")
manifest_app = new_app("El manifiesto público de esta institución. · This institution's public manifest.")
_STATES = {
    "added": ("falta el código", "code to compare"),
    "confirmed": ("confirmada", "confirmed"),
    "linked": ("enlazada", "linked"),
    "frozen": ("DETENIDA", "FROZEN"),
}
_FACTS = {
    "institution": ("institución", "institution"),
    "name": ("nombre", "name"),
    "kind": ("tipo", "kind"),
    "state": ("enlace", "link"),
    "version": ("versión de su manifiesto", "version of its manifest"),
    "expires": ("el manifiesto vence", "the manifest ends"),
    "room": ("sala Matrix del enlace", "Matrix room of the link"),
    "unacked": ("enviados sin acuse", "sent and not acknowledged"),
    "frozen": ("por qué está detenido", "why it is stopped"),
    "fingerprint": ("huella de su identidad Matrix", "fingerprint of its Matrix identity"),
    "matrix_user": ("cuenta Matrix", "Matrix account"),
    "device_id": ("dispositivo Matrix", "Matrix device"),
    "digest": ("número del manifiesto, para compararlo por teléfono", "number of the manifest, to compare it by phone"),
    "threshold": ("cuántas raíces deben firmar", "how many roots must sign"),
}
MANIFEST_LIMIT = 64 * 1024
_NO_MANIFESTS = (
    (b"age-encryption.org/", "file.backup"),
    (b"tinkuy-root-v1 ", "file.secret"),
    (b"AGE-SECRET-KEY-", "file.secret"),
    (b"-----BEGIN", "file.secret"),
    (b"\x89PNG", "file.picture"),
    (b"\xff\xd8\xff", "file.picture"),
    (b"%PDF", "file.picture"),
    (b"PK\x03\x04", "file.picture"),
    (b"GIF8", "file.picture"),
    (b"RIFF", "file.picture"),
)
"""What people send instead of a manifest, by its first bytes. The hub would refuse it too; here it can be said what it is, and no secret moves."""
Institution = Annotated[str, typer.Argument(metavar="INSTITUCIÓN", help="Por ejemplo csmc-comas. · For example csmc-comas.")]


@app.command()
def show(institution: Institution, as_json: bool = JSON) -> None:
    """Muestra una institución conocida · Show one known institution"""
    found = [row for row in ask("peer.list", as_json=as_json) or [] if row.get("institution") == institution]
    if not found:
        complain(f"Este hub no conoce a `{institution}`.", f"This hub does not know `{institution}`.")
        raise typer.Exit(Exit.REFUSED)
    if as_json:
        return show_json(found[0])
    from hub.chat.stopped import because  # the chat's words bring half the house along: only this command needs them

    why = found[0].get("frozen")
    return show_facts(found[0] | {"state": _state(found[0]), "frozen": f"{because(words('es', 'en'), why)} ({why})" if why else None}, _FACTS)


@app.command()
def add(
    manifest: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="Su manifiesto. · Theirs.")],
    as_json: bool = JSON,
) -> None:
    """Agrega su manifiesto; falta comparar el código · Add its manifest; the code is still to be compared"""
    data = read_file(manifest, MANIFEST_LIMIT, as_json=as_json)
    if (kind := next((kind for start, kind in _NO_MANIFESTS if data.startswith(start)), None)) is not None:
        end_with(kind, Exit.USAGE, as_json=as_json, file=str(manifest))
    answer = ask("peer.add", {"manifest": base64.b64encode(data).decode()}, as_json=as_json)
    if as_json:
        return show_json(answer)
    name = _field(answer, "institution")
    say(
        f"Agregada: {name}. Ahora comparen el código en voz alta: tinkuy peer code {name}",
        f"Added: {name}. Now compare the code aloud: tinkuy peer code {name}",
    )
    return None


@app.command()
def code(institution: Institution, as_json: bool = JSON) -> None:
    """Muestra el código que dos personas comparan en voz alta · Show the code that two people compare aloud"""
    answer = ask("peer.code", {"institution": institution}, as_json=as_json)
    if as_json:
        return show_json(answer)
    typer.echo(_field(answer, "code"))
    _warn_listed(answer.get("listed"))
    say(
        "Si la otra institución ve el mismo código: tinkuy peer confirm. Si no, no confirme.",
        "If the other institution sees the same code: tinkuy peer confirm. If not, do not confirm.",
    )
    return None


@app.command()
def confirm(
    institution: Institution,
    code: Annotated[str, typer.Argument(metavar="CÓDIGO", help="El que leyó la otra persona. · The one she read out.")],
    as_json: bool = JSON,
) -> None:
    """Confirma que el código coincidió; entonces se crea la sala de enlace · Confirm the code; the link room is made then"""
    answer = ask("peer.confirm", {"institution": institution, "code": code}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(f"Confirmada: {institution}.", f"Confirmed: {institution}.")
    return None


@app.command()
def stop(institution: Institution, yes: bool = YES, as_json: bool = JSON) -> None:
    """Detiene un enlace: no sale ni entra nada hasta reabrirlo · Stop a link: nothing goes in or out until it is opened again"""
    if not yes and not as_json:
        say(
            "Hasta que se reabra el enlace: las derivaciones abiertas con ella quedan quietas, lo que una mujer retire no le llega, "
            "y sus firmas de protocolos no pueden venir.",
            "Until the link is opened again: open referrals with it stand still, what a woman withdraws does not reach it, "
            "and its signatures on protocols cannot come.",
        )
        agree(f"¿Detener el enlace con {institution}?", f"Stop the link with {institution}?")
    answer = ask("peer.stop", {"institution": institution}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(
        f"Detenido: {institution}. Se reabre comparando otra vez el código: tinkuy peer thaw",
        f"Stopped: {institution}. It opens again when the code is compared once more: tinkuy peer thaw",
    )
    return None


@app.command()
def thaw(
    institution: Institution,
    code: Annotated[str, typer.Argument(metavar="CÓDIGO", help="Comparado de nuevo en voz alta. · Compared aloud once more.")],
    as_json: bool = JSON,
) -> None:
    """Reabre un enlace detenido, tras comparar otra vez el código · Open a frozen link again, after comparing the code once more"""
    answer = ask("peer.thaw", {"institution": institution, "code": code}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(f"Reabierto: {institution}.", f"Open again: {institution}.")
    return None


@app.command()
def owns(
    institution: Institution,
    other: Annotated[str, typer.Argument(metavar="OTRA", help="La que no lo tiene. · The one that has it not.")],
    yes: bool = YES,
    as_json: bool = JSON,
) -> None:
    """Decide de quién es un dispositivo Matrix que dos instituciones dicen tener · Decide whose a Matrix device is that two say to have"""
    if not yes and not as_json:
        agree(
            f"Después de hablar con las dos por un número conocido: ¿es de {institution}, y no de {other}?",
            f"After speaking with both on known numbers: is it {institution}'s, and not {other}'s?",
        )
    answer = ask("peer.owns", {"institution": institution, "other": other}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(
        f"Decidido: es de {institution}. A nombre de {other} ya no vale. La lista de {institution} se toma cuando la repita, en minutos.",
        f"Decided: it is {institution}'s. In {other}'s name it counts no more. {institution}'s list is taken when it is repeated, within minutes.",
    )
    return None


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Muestra las instituciones y el estado del enlace · Show institutions and the state of each link"""
    rows = ask("peer.list", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    rows = [row | {"state": _state(row)} for row in rows]
    show_rows(
        rows,
        (
            ("institution", "INSTITUCIÓN", "INSTITUTION"),
            ("name", "NOMBRE", "NAME"),
            ("state", "ENLACE", "LINK"),
            ("expires", "VENCE", "EXPIRES"),
            ("unacked", "SIN ACUSE", "UNACKED"),
        ),
    )
    return None


@manifest_app.command("show")
def manifest_show(as_json: bool = JSON) -> None:
    """Muestra los datos del manifiesto · Show what the manifest says"""
    answer = ask("peer.manifest", as_json=as_json)
    if as_json:
        return show_json(answer)
    must, _, roots = answer.get("threshold", "").partition("/")
    told = {"threshold": words(f"{must} de {roots}", f"{must} of {roots}")} if roots else {}
    return show_facts({key: value for key, value in (answer | told).items() if key != "manifest"}, _FACTS)


@manifest_app.command("export")
def manifest_export(file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="Se crea. · Is created.")]) -> None:
    """Escribe el manifiesto en un archivo para entregarlo · Write the manifest to a file to hand over"""
    answer = ask("peer.manifest")
    new_file(file, base64.b64decode(_field(answer, "manifest"), validate=True))
    say(f"Escrito en {file}. Es público: puede ir por cualquier vía.", f"Written to {file}. It is public: any road will do.")


def _warn_listed(listed: Any) -> None:
    """What the network lists say against it, before anybody compares a code."""
    if listed == "unlisted":
        complain("OJO: no está en ninguna lista de red de este hub.", "MIND: it is on none of this hub's network lists.")
    if listed == "differs":
        complain(
            "OJO: la lista de red la nombra con otras raíces u otra cuenta Matrix. Aclárelo por un número conocido antes de confirmar.",
            "MIND: the network list names it with other roots or another Matrix account. Clear that up on a known number before you confirm.",
        )


def _state(row: Mapping[str, Any]) -> str:
    state = str(row.get("state", ""))
    return words(*_STATES.get(state, (state, state)))


def _field(answer: Any, key: str) -> str:
    return str(answer.get(key, "")) if isinstance(answer, dict) else str(answer)
