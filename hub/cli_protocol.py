"""`tinkuy protocol`: a version of a sharing protocol from a file on disk to the day it counts, and the proof afterwards."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cases.protocol_life import one_name
from hub.cli_base import JSON, YES, Exit, agree, ask, complain, end_with, new_app, new_file, read_file, say, show_json, show_rows, words
from hub.cli_choose import day
from hub.cli_policy_sources import NAME, Versions, pack_named, words_of
from hub.cli_policy_tables import show_findings
from hub.protocol_words import STAGES
from policies import packs
from policies.examples import EXPECTATIONS
from policies.findings import Finding, Severity
from policies.readable import Reader

app = new_app("Los protocolos para compartir: proponer, consultar, firmar. · Sharing protocols: propose, consult, sign.", Versions)
Name = Annotated[str, typer.Argument(metavar="NOMBRE[@VERSIÓN]", help="Por ejemplo shelter@2. · For example shelter@2.")]
FROM = (
    "Rige desde ese día (UTC; también 31/05/2027); por defecto hoy, o `effective` del documento si es después. · Counts from that day (UTC); "
    "default today, or the document's `effective` if later."
)
UNTIL = (
    "Último día de la consulta (UTC; también 31/05/2027); por defecto la víspera, u hoy si rige desde hoy. · Last day of consultation (UTC); "
    "default the day before, or today if it counts from today."
)
AsItIs = Annotated[bool, typer.Option("--as-it-is", help="Aunque parezca decir algo de alguien. · Even if it seems to tell of somebody.")]
Without = Annotated[bool, typer.Option("--without", help="Tapa lo que diga algo de alguien. · Cover what tells of somebody.")]
_DUE = {
    "sign": ("le toca firmar", "yours to sign"), "answer": ("le toca contestar", "yours to answer"),
    "comment": ("en consulta", "open for comments"), "": ("", ""),
}  # fmt: skip
_UNDER_WAY = ("proposed", "contested", "signed")
"""Stages in which a version is still on its way to count; `active` stands above, the others are over."""
_MOST = 64 * 1024


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Muestra los que rigen y los que están en camino · Show those that count and those under way"""
    answer = ask("protocol.list", as_json=as_json)
    if as_json:
        return show_json(answer)
    say("Rigen aquí:", "Counting here:")
    rows = [row | {"title": words(row["title"]["es"], row["title"]["en"]), "state": _stage(row["state"])} for row in answer["in_force"]]
    show_rows(rows, (("protocol", "PROTOCOLO", "PROTOCOL"), ("version", "VERSIÓN", "VERSION"), ("title", "TÍTULO", "TITLE"),
                     ("state", "ESTADO", "STATE"), ("expires", "VENCE", "ENDS")), titled=True)  # fmt: skip
    if answer["only_signed"]:
        say("Aquí solo vale lo firmado (protocols.only_signed).", "Only what is signed counts here (protocols.only_signed).")
    waiting, ended = ([row for row in answer["proposals"] if (row["state"] in _UNDER_WAY) is under] for under in (True, False))
    ended = [row for row in ended if row["state"] != "active" or not _counts(row, answer["in_force"])]
    if waiting:
        say("\nVersiones propuestas:", "\nProposed versions:")
        _rows(waiting)
    if ended:
        say("\nOtras versiones:", "\nOther versions:")
        _rows(ended)
    return None


def _counts(row: Mapping[str, Any], in_force: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the list of those that count shows this version already."""
    return any((each["protocol"], each["version"]) == (row["protocol"], row["version"]) for each in in_force)


@app.command()
def show(
    name: Name, text: Annotated[bool, typer.Option("--text", help="Solo el documento. · The document only.")] = False, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Muestra una versión: partes, firmas, comentarios; con --text, su documento · Show one version; with --text, its document"""
    if text:
        found = _text(name, as_json)
        return show_json(found) if as_json else typer.echo(found["text"], nl=False)
    answer = ask("protocol.show", {"protocol": name}, as_json=as_json)
    if as_json:
        return show_json(answer)
    if answer.get("shipped"):
        typer.echo(f"{answer['protocol']}@{answer['version']}  {_stage(answer['state'])}  {words(answer['title']['es'], answer['title']['en'])}")
        return say(f"  vence el {answer['expires']}; su texto: tinkuy protocol show {name} --text",
                   f"  ends {answer['expires']}; its text: tinkuy protocol show {name} --text")  # fmt: skip
    _told(answer)
    _comments(answer)
    return None


@app.command()
def draft(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="CARPETA|ARCHIVO", help="Nuevo; un archivo termina en .yaml. · New; a file ends in .yaml.")],
    as_json: bool = JSON,
) -> None:  # fmt: skip
    """Copia una versión bajo el número siguiente; a una carpeta, con sus ejemplos · Copy a version, numbered anew; to a folder with examples"""
    found = _text(name, as_json)
    known = [row["version"] for row in ask("protocol.history", {"protocol": found["protocol"]}, as_json=as_json)]
    version = max([found["version"], *known]) + 1
    lines = [f"version: {version}" if line.startswith("version:") else line for line in found["text"].splitlines()]
    document = file if file.suffix in (".yaml", ".yml") else file / NAME
    copied = {} if document == file else _shipped_examples(found["protocol"])
    for path, text in {document: "\n".join(lines) + "\n", **{file / each: text for each, text in copied.items()}}.items():
        new_file(path, text.encode(), as_json=as_json)
    if as_json:
        return show_json({"file": str(document), "protocol": found["protocol"], "version": version, "state": "draft", "examples": sorted(copied)})
    if copied:
        say(f"Sus ejemplos: {file}/RELEASE y {file}/WITHHOLD ({len(copied)}).", f"Its examples: {file}/RELEASE and {file}/WITHHOLD ({len(copied)}).")
    return say(
        f"Borrador: {document}, versión {version} de «{found['protocol']}», copiada de la {found['version']}. Cámbielo, y después:\n"
        f"tinkuy protocol check {document}",
        f"Draft: {document}, version {version} of `{found['protocol']}`, copied from {found['version']}. Change it, then:\n"
        f"tinkuy protocol check {document}",
    )


def _shipped_examples(protocol: str) -> dict[str, str]:
    """The examples that come with a protocol of the pack, by file; none for any other."""
    pack = pack_named(None)
    if protocol not in packs.load(pack).protocols:
        return {}
    return {f"{side}/{name}": text for side in EXPECTATIONS for name, text in packs.example_texts(pack, protocol, side).items()}


@app.command()
def check(file: Annotated[Path, typer.Argument(metavar="ARCHIVO")], as_json: bool = JSON) -> None:
    """Revisa un borrador: errores con línea, y si su número es nuevo · Check a draft: errors by line, and whether its number is new"""
    answer = ask("protocol.check", {"document": _encoded(read_file(file, _MOST, as_json=as_json))}, as_json=as_json)
    good = answer["ok"] and answer["newer"]
    if as_json:
        show_json(answer | {"state": "checked" if good else "draft"})
        raise typer.Exit(Exit.DONE if good else Exit.REFUSED)
    show_findings(str(file), [_finding(each) for each in answer["findings"]], Reader(words_of(pack_named(None)), words("es", "en")))
    if not answer["ok"]:
        complain("Tiene errores: así no se puede proponer.", "It has errors: it cannot be proposed like this.")
        raise typer.Exit(Exit.REFUSED)
    if not answer["newer"]:
        end_with("protocol.not_newer", protocol=answer["protocol"], version=answer["version"], known=answer["known"])
    seat = Reader(words_of(pack_named(None)), words("es", "en")).kind(answer["seat"])
    return say(
        f"Revisado: «{answer['protocol']}» versión {answer['version']}, sin errores. Para proponerlo: tinkuy protocol propose {file} "
        f"--with INSTITUCIÓN … --seat INSTITUCIÓN --why \"…\"  (la voz de la comunidad: {seat})",
        f"Checked: `{answer['protocol']}` version {answer['version']}, no errors. To propose it: tinkuy protocol propose {file} "
        f"--with INSTITUTION … --seat INSTITUTION --why \"…\"  (community seat: {seat})",
    )


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(metavar="ARCHIVO")],
    with_: Annotated[list[str], typer.Option("--with", metavar="INSTITUCIÓN", help="Quién más firma; se repite. · Who else signs; repeat it.")],
    seat: Annotated[str, typer.Option(metavar="INSTITUCIÓN", help="Quién tiene la voz de la comunidad. · Who holds the community seat.")],
    why: Annotated[str, typer.Option(metavar="TEXTO", help="Por qué, en una frase que leen todas. · Why, in a sentence that all read.")],
    from_: Annotated[str, typer.Option("--from", metavar="AAAA-MM-DD", help=FROM)] = "",
    until: Annotated[
        str, typer.Option(metavar="AAAA-MM-DD", help=UNTIL),
    ] = "",
    without: Without = False, as_it_is: AsItIs = False, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Pone una versión ante sus partes: consulta y después firmas · Put a version before its parties: consultation, then signatures"""
    given = {"document": _encoded(read_file(file, _MOST, as_json=as_json)), "parties": [*with_, seat], "seat": seat, "why": why,
             "starts": from_ and day("--from", from_, "UTC", as_json=as_json),
             "consulted": until and day("--until", until, "UTC", as_json=as_json),
             **_guard(without=without, as_it_is=as_it_is)}  # fmt: skip
    answer = ask("protocol.propose", given, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(
        f"Propuesta: «{answer['protocol']}» versión {answer['version']}, desde el {answer['starts']}. Consulta hasta el {answer['consulted']}, "
        f"o hasta que firme {answer['seat']}.\nDeben firmar: {', '.join(answer['missing'])}. Se firma hasta el {answer['closes']}.",
        f"Proposed: `{answer['protocol']}` version {answer['version']}, from {answer['starts']}. Consultation until {answer['consulted']}, "
        f"or until {answer['seat']} signs.\nMust sign: {', '.join(answer['missing'])}. Signing closes on {answer['closes']}.",
    )
    for name in answer.get("stopped", ()):
        complain(
            f"ATENCIÓN: {name} todavía no la recibió: su enlace está detenido. Ábranlo de nuevo (tinkuy peer thaw) y le llega sola.",
            f"NOTE: {name} has not received it yet: its link is stopped. Open it again (tinkuy peer thaw), and it arrives by itself.",
        )
    if answer["consulted"] >= answer["starts"]:
        complain(
            "ATENCIÓN: rige desde el último día de la consulta: casi no hay tiempo para comentar. La próxima vez dé un plazo con --from y --until.",
            "NOTE: it counts from the last day of consultation: there is hardly time to comment. Give more time with --from and --until next time.",
        )
    return None


@app.command()
def comments(name: Name, as_json: bool = JSON) -> None:
    """Muestra los comentarios con su número y su respuesta · Show the comments with number and answer"""
    answer = ask("protocol.show", {"protocol": name}, as_json=as_json)
    return show_json(answer["comments_said"]) if as_json else _comments(answer, empty=True)


@app.command()
def comment(
    name: Name, text: Annotated[str, typer.Argument(metavar="TEXTO", help="Ningún dato de ninguna persona. · Nothing about any person.")],
    code: Annotated[str, typer.Option(metavar="CÓDIGO", help="De contribución: sin nombre. · Of contribution: nameless.")] = "",
    without: Without = False, as_it_is: AsItIs = False, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Comenta una versión en consulta; viaja a todas y se guarda · Comment on a version; it travels to all and is kept"""
    answer = ask("protocol.comment", {"protocol": name, "text": text, "code": code, **_guard(without=without, as_it_is=as_it_is)}, as_json=as_json)
    return show_json(answer) if as_json else say("Comentado. Lo contesta quien la propuso.", "Commented. Whoever proposed it answers.")


@app.command()
def answer(
    name: Name, number: Annotated[int, typer.Argument(metavar="NÚMERO", help="Del comentario. · Of the comment.")],
    text: Annotated[str, typer.Argument(metavar="TEXTO")], without: Without = False, as_it_is: AsItIs = False, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Contesta un comentario, como institución que propuso la versión · Answer a comment, as the institution that proposed the version"""
    given = {"protocol": name, "number": number, "text": text, **_guard(without=without, as_it_is=as_it_is)}
    found = ask("protocol.answer", given, as_json=as_json)
    left = found["unanswered"]
    return show_json(found) if as_json else say(f"Contestado. Sin respuesta quedan: {left}.", f"Answered. Without an answer: {left}.")


@app.command()
def codes(name: Name, count: Annotated[int, typer.Option(min=1, max=100)] = 5, as_json: bool = JSON) -> None:
    """Códigos para que personas comenten sin dar su nombre; solo la voz de la comunidad · Codes for nameless comments; community seat only"""
    found = ask("protocol.codes", {"protocol": name, "count": count}, as_json=as_json)
    if as_json:
        return show_json(found)
    for each in found["codes"]:
        typer.echo(each)
    return complain(
        "Cada uno sirve una vez. No anote a quién lo da. Con lo que ella le diga: "
        f"tinkuy protocol comment {one_name(name)} \"LO QUE DICE\" --code CÓDIGO",
        "Each serves once. Do not note whom you give it to. With what she tells you: "
        f"tinkuy protocol comment {one_name(name)} \"WHAT SHE SAYS\" --code CODE",
    )


@app.command()
def diff(name: Name, as_json: bool = JSON) -> None:
    """Qué cambia frente a la que rige · What changes against the version that counts"""
    found = ask("protocol.changes", {"protocol": name}, as_json=as_json)
    return show_json(found) if as_json else _changes(found)


@app.command()
def sign(
    name: Name, yes: bool = YES, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Firma una versión en nombre de la institución, tras mostrar qué cambia · Sign a version for the institution, after showing what changes"""
    which = {"protocol": ask("protocol.sign", {"protocol": name, "ask": True}, as_json=as_json)["id"]}  # what is shown is what is signed
    if not yes:
        found = ask("protocol.changes", which, as_json=as_json)
        if not as_json:
            _told(found)
            _changes(found)
        agree("¿Firmar en nombre de la institución? No se puede retirar.", "Sign for the institution? It cannot be taken back.", as_json=as_json)
    done = ask("protocol.sign", which, as_json=as_json)
    if as_json:
        return show_json(done)
    if done["missing"]:
        return say(f"Firmada. Faltan: {', '.join(done['missing'])}.", f"Signed. Missing: {', '.join(done['missing'])}.")
    return say(f"Firmada por todas. Rige desde el {done['starts']}.", f"Signed by all. Counts from {done['starts']}.")


@app.command()
def refuse(
    name: Name, reason: Annotated[str, typer.Option(metavar="TEXTO", help="Lo leen todas. · All read it.")],
    without: Without = False, as_it_is: AsItIs = False, yes: bool = YES, as_json: bool = JSON,
) -> None:  # fmt: skip
    """No está de acuerdo: la versión no regirá para nadie · Do not agree: the version will count for nobody"""
    if not yes and not as_json:
        found = ask("protocol.changes", {"protocol": name})
        name, shown = found["id"], f"{found['protocol']}@{found['version']}"
        agree(
            f"{shown} no regirá para nadie, tampoco para quien ya firmó, y su número no se usa más. ¿Rechazarla?",
            f"{shown} will count for nobody, nor for whoever signed already, and its number is used no more. Refuse it?",
        )
    found = ask("protocol.refuse", {"protocol": name, "reason": reason, **_guard(without=without, as_it_is=as_it_is)}, as_json=as_json)
    return show_json(found) if as_json else say("Rechazada. Todas leen el motivo.", "Refused. All read why.")


@app.command()
def status(
    name: Annotated[str, typer.Argument(metavar="[NOMBRE[@VERSIÓN]]", help="Solo ese. · That one only.", show_default=False)] = "",
    as_json: bool = JSON,
) -> None:  # fmt: skip
    """Qué falta, de quién y desde cuándo · What is missing, whose and since when"""
    protocol, _, version = one_name(name).partition("@")
    rows = [row for row in ask("protocol.list", as_json=as_json)["proposals"] if row["state"] in _UNDER_WAY]
    rows = [row for row in rows if protocol in ("", row["protocol"]) and version in ("", str(row["version"]))]
    if as_json:
        return show_json(rows)
    if not rows and protocol:
        return say(f"De «{one_name(name)}» nada está en camino. Todas sus versiones: tinkuy protocol history {protocol}",
                   f"Of `{one_name(name)}` nothing is under way. All its versions: tinkuy protocol history {protocol}")  # fmt: skip
    if not rows:
        return say("Nada está en camino.", "Nothing is under way.")
    for row in rows:
        _told(row)
    return None


@app.command()
def history(name: Name, as_json: bool = JSON) -> None:
    """Todas las versiones de un protocolo, con sus firmas · Every version of a protocol, with its signatures"""
    rows = ask("protocol.history", {"protocol": name}, as_json=as_json)
    if as_json:
        return show_json(rows)
    for row in rows:
        signed = ", ".join(f"{each['institution']} {each['at'][:10]}" for each in row["signatures"])
        typer.echo(f"{row['protocol']}@{row['version']}  {_stage(row['state'])}  {signed}".rstrip())
    return None


def _guard(*, without: bool, as_it_is: bool) -> dict[str, str]:
    """What becomes of words in which the hub sees something of somebody: held, unless one of the two is said."""
    return {"guard": "without" if without else "as_it_is"} if without or as_it_is else {}


def _told(row: Any) -> None:
    """One version in a few lines."""
    typer.echo(f"{row['protocol']}@{row['version']}  {_stage(row['state'])}  {words(*_DUE[row['waits_for_us']])}".rstrip())
    say(f"  propone {row['proposer']}; rige desde el {row['starts']}; vence el {row['expires']}",
        f"  proposed by {row['proposer']}; counts from {row['starts']}; ends {row['expires']}")  # fmt: skip
    if row.get("why"):
        say(f"  por qué: {_plain(row['why'])}", f"  why: {_plain(row['why'])}")
    say(f"  consulta hasta el {row['consulted']}, o hasta que firme {row['seat']} (voz de la comunidad); se firma hasta el {row['closes']}",
        f"  consulted until {row['consulted']}, or until {row['seat']} (community seat) signs; signing closes {row['closes']}")  # fmt: skip
    say(f"  firmaron: {', '.join(row['signed']) or 'nadie'}", f"  signed: {', '.join(row['signed']) or 'nobody'}")
    if row["missing"] and row["state"] in ("proposed", "contested", "lapsed", "refused"):
        say(f"  faltan desde hace {row['days']} días: {', '.join(row['missing'])}", f"  missing for {row['days']} days: {', '.join(row['missing'])}")
    for name in row["unknown"]:
        say(f"  {name} no es par de este hub: su firma no se puede comprobar aquí",
            f"  {name} is no peer of this hub: its signature cannot be checked here")  # fmt: skip
    for name in [name for name in row.get("stopped", ()) if name in row["missing"]]:
        say(f"  {name}: su enlace está detenido; hasta reabrirlo no le llega nada y su firma no puede venir (tinkuy peer thaw)",
            f"  {name}: its link is stopped; until it is opened nothing reaches it, and its signature cannot come (tinkuy peer thaw)")  # fmt: skip
    for each in row.get("refusals", ()):
        say(f"  {each['institution']} no está de acuerdo: {_plain(each['why'])}", f"  {each['institution']} does not agree: {_plain(each['why'])}")
    if row["unanswered"]:
        say(f"  comentarios sin respuesta: {row['unanswered']}", f"  comments without an answer: {row['unanswered']}")


def _comments(answer: Any, *, empty: bool = False) -> None:
    for each in answer["comments_said"]:
        who = f"{each['institution']} {each['voice']}".strip()
        typer.echo(f"  {each['number']}. {who}, {each['at'][:10]}: {_plain(each['text'])}")
        waits = words("llegó con la consulta cerrada: no detiene la firma", "came after the consultation: it stops nobody from signing")
        waits = waits if each["late"] else words("sin respuesta todavía", "no answer yet")
        typer.echo(f"     → {_plain(each['answer']) or waits}")
    if empty and not answer["comments_said"]:
        say("No hay comentarios.", "There are no comments.")


def _changes(found: Any) -> None:
    say("Qué cambia frente a la que rige aquí:", "What changes against the version that counts here:")
    for each in found["changes"]:
        typer.echo(f"  {words(each['es'], each['en'])}")


def _rows(rows: list[Any]) -> None:
    shown = [row | {"state": _stage(row["state"]), "who": ", ".join(row["missing"]), "due": words(*_DUE[row["waits_for_us"]])} for row in rows]
    show_rows(shown, (("protocol", "PROTOCOLO", "PROTOCOL"), ("version", "VERSIÓN", "VERSION"), ("state", "ESTADO", "STATE"),
                      ("starts", "DESDE", "FROM"), ("who", "FALTAN", "MISSING"), ("due", "AQUÍ", "HERE")), titled=True)  # fmt: skip


def _text(name: str, as_json: bool) -> Any:
    return ask("protocol.text", {"protocol": name}, as_json=as_json)


def _finding(each: Mapping[str, Any]) -> Finding:
    return Finding(
        line=each["line"], column=each["column"], code=each["code"], severity=Severity(each["severity"]), message_es=each["es"],
        message_en=each["en"], suggestion=each["suggestion"] or None, about=each["about"],
    )  # fmt: skip


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _stage(state: str) -> str:
    return words(*STAGES.get(state, (state, state)))


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
