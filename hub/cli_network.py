"""`tinkuy network`: who sits at a coordination table, as a file that its stewards sign together; and the homeserver's settings from it.

A draft travels from steward to steward by any means, gathers signatures, and is imported by every member. `sign` works on a machine
without a hub; the others ask the running one.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.base.kek import open_kek
from hub.cli_base import (
    JSON,
    YES,
    agree,
    ask,
    complain,
    config,
    end_with,
    new_app,
    new_file,
    read_file,
    say,
    show_facts,
    show_json,
    show_rows,
    words,
)
from hub.cli_choose import choose, names_of
from hub.cli_policy_sources import pack_named, words_of
from keys import succession
from keys.drafts import read_list_draft, sign_list
from keys.errors import KeysError
from keys.identity import load_identity
from keys.keyring import FileRows, Keyring
from keys.network import Roll
from keys.primitives import SigningKey
from keys.providers.file import read_private
from keys.statement import MAX_BYTES

app = new_app("La lista de la mesa: quiénes la integran, firmada en conjunto. · The table's list: who sits there, signed together.")
Institution = Annotated[str, typer.Argument(metavar="INSTITUCIÓN", help="Por ejemplo csmc-comas. · For example csmc-comas.")]
Table = typer.Option(None, "--table", metavar="MESA", help="Si hay más de una. · If there is more than one.")
Out = typer.Option(..., "--out", metavar="ARCHIVO", help="El borrador por firmar; se crea. · The draft to be signed; is made.")
Seat = typer.Option(
    None, "--community-signs/--community-may", help="Siempre firma un asiento comunitario, o no. · A community seat always signs, or not."
)
Root = typer.Option(None, "--root", metavar="ARCHIVO", help="La clave raíz; sin ella, la de este hub. · The root key; else this hub's.")
Steward = typer.Option(False, "--steward", help="También firma la lista. · Signs the list, too.")
_STATES = {
    "held": ("vale", "counts"),
    "offered": ("FALTA COMPARAR EL CÓDIGO", "CODE TO BE COMPARED"),
    "expired": ("VENCIDA", "EXPIRED"),
}
_LINKS = {
    "us": ("nosotras", "we"),
    "linked": ("enlazada", "linked"),
    "stopped": ("enlace DETENIDO", "link STOPPED"),
    "unknown": ("sin enlace", "not linked"),
    "differs": ("NO COINCIDE con su manifiesto", "DIFFERS from its manifest"),
    "no_hub": ("sin hub", "no hub"),
}
_FACTS = {
    "table": ("mesa", "table"),
    "name": ("nombre", "name"),
    "version": ("versión", "version"),
    "state": ("estado", "state"),
    "expires": ("vence", "expires"),
    "threshold": ("cuántas deben firmar", "how many must sign"),
    "stewards": ("firman", "stewards"),
    "community": ("con asiento comunitario", "with a community seat"),
    "community_signs": ("debe firmar un asiento comunitario", "a community seat must sign"),
    "gatekeepers": ("puede sola decidir o impedir", "alone can decide or block"),
}
_SEATS = (
    ("institution", "INSTITUCIÓN", "INSTITUTION"),
    ("name", "NOMBRE", "NAME"),
    ("territory", "TERRITORIO", "TERRITORY"),
    ("server", "SERVIDOR MATRIX", "MATRIX SERVER"),
    ("link", "ENLACE", "LINK"),
)


@app.command()
def show(table: str = Table, as_json: bool = JSON) -> None:
    """Muestra la lista: quiénes, quién firma, hasta cuándo · Show the list: who, who signs, until when"""
    found = ask("network.show", {"table": table}, as_json=as_json) or []
    if as_json:
        return show_json(found)
    if not found:
        return say("Este hub no tiene ninguna lista de red; funciona igual sin ella.", "This hub has no network list; it works without one.")
    for each in found:
        members = each.pop("members")
        must, _, all_ = each["threshold"].partition("/")
        told = {"threshold": words(f"{must} de estas {all_}", f"{must} of these {all_}")}
        show_facts(each | told | {"state": words(*_STATES.get(each["state"], (each["state"],) * 2))}, _FACTS)
        say("", "")
        show_rows([row | {"link": words(*_LINKS.get(row["link"], (row["link"],) * 2))} for row in members], _SEATS, titled=True)
    return None


@app.command()
def coverage(as_json: bool = JSON) -> None:
    """Muestra qué pasos de la ruta tienen a quién derivar, por territorio · Show which steps of the route have somebody, by territory"""
    found = ask("network.coverage", {}, as_json=as_json) or []
    if as_json:
        return show_json(found)
    for each in found:
        typer.echo("\n".join(_covered(each)) + "\n")
    return say("Contado por clase y territorio, como cada una lo dice. A qué población atiende ninguna lista lo dice: pregúntenlo en la mesa.",
               "Counted by kind and territory, as each states them. Whom they serve no list says: ask at the table.")  # fmt: skip


def _covered(each: Mapping[str, Any]) -> list[str]:
    def labels(terms: Iterable[Mapping[str, str]]) -> str:
        return ", ".join(dict.fromkeys(words(term["es"], term["en"]) for term in terms)) or "–"

    def seats(linked: bool) -> str:
        return ", ".join(f"{s['institution']} ({words(s['kind']['es'], s['kind']['en'])})" for s in each["seats"] if s["linked"] is linked) or "–"

    nobody = labels(one["need"] for one in each["needs"] if one["nobody"])
    steps = labels(kind for one in each["needs"] for kind in one["missing"])
    lines = [
        each["territory"] or words("sin territorio", "no territory"),
        f"  {words('enlazadas', 'linked')}: {seats(True)}",
        f"  {words('en la lista, sin enlace', 'listed, not linked')}: {seats(False)}",
        f"  {words('nadie enlazado para', 'nobody linked for')}: {nobody}",
        f"  {words('pasos de la ruta sin nadie enlazado', 'steps of the route with nobody linked')}: {steps}",
    ]
    if each["one_voice"]:
        alone = "es la única organización comunitaria aquí; sienten a otra", "is the only community organisation here; seat another"
        lines.append(f"  {words('OJO', 'MIND')}: {each['one_voice']} {words(*alone)}.")
    elif not each["community"]:
        lines.append(f"  {words('OJO: ninguna organización comunitaria aquí.', 'MIND: no community organisation here.')}")
    return lines


@app.command()
def make(
    table: Annotated[str, typer.Argument(metavar="MESA", help="Por ejemplo mesa-lima-norte. · For example mesa-lima-norte.")],
    name: Annotated[str, typer.Option("--name", metavar="NOMBRE", help="Como lo dice la gente. · As people call it.")],
    steward: Annotated[list[str], typer.Option("--steward", metavar="INSTITUCIÓN", help="Firma la lista; repita. · Signs the list; repeat.")],
    threshold: Annotated[int, typer.Option("--threshold", min=1, max=9, help="Cuántas deben firmar. · How many must sign.")],
    member: Annotated[list[str] | None, typer.Option("--member", metavar="INSTITUCIÓN", help="La integra; repita. · Sits there; repeat.")] = None,
    community: bool = Seat,
    out: Path = Out,
    as_json: bool = JSON,
) -> None:  # fmt: skip
    """Redacta la primera lista de una mesa, para firmar · Draft the first list of a table, to be signed"""
    args = {
        "table": table, "name": name, "members": member or [], "stewards": steward, "threshold": threshold, "community_signs": community is not False,
    }  # fmt: skip
    _draft(ask("network.make", args, as_json=as_json), out, as_json=as_json)


@app.command()
def add(
    institution: Institution,
    table: str = Table,
    steward: bool = Steward,
    kind: str = typer.Option(None, "--kind", metavar="TIPO", help="Solo si no tiene hub. · Only if it has no hub."),
    name: str = typer.Option(None, "--name", metavar="NOMBRE", help="Solo si no tiene hub. · Only if it has no hub."),
    territory: str = typer.Option(None, "--territory", metavar="LUGAR", help="Solo si no tiene hub. · Only if it has no hub."),
    out: Path = Out,
    as_json: bool = JSON,
) -> None:
    """Redacta la lista siguiente con una institución más, o con sus datos de hoy · Draft the next list with one more, or with its data of today"""
    if kind:
        kind = choose("--kind", kind, names_of(words_of(pack_named(None)).kinds.values()), as_json=as_json)
    args = {"institution": institution, "table": table, "steward": steward, "kind": kind, "name": name, "territory": territory}
    _draft(ask("network.add", args, as_json=as_json), out, as_json=as_json)


@app.command()
def remove(institution: Institution, table: str = Table, out: Path = Out, as_json: bool = JSON) -> None:
    """Redacta la lista siguiente sin una institución; ningún enlace se corta · Draft the next list without one; no link is cut"""
    _draft(ask("network.remove", {"institution": institution, "table": table}, as_json=as_json), out, as_json=as_json)


@app.command()
def renew(
    table: str = Table,
    threshold: int = typer.Option(None, "--threshold", min=1, max=9, help="Otra cantidad de firmas. · Another number of signatures."),
    community: bool = Seat,
    out: Path = Out,
    as_json: bool = JSON,
) -> None:  # fmt: skip
    """Redacta la lista siguiente por otro año, con las mismas · Draft the next list for another year, with the same members"""
    _draft(ask("network.renew", {"table": table, "threshold": threshold, "community_signs": community}, as_json=as_json), out, as_json=as_json)


@app.command()
def sign(
    file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="El borrador. · The draft.")],
    root: Path = Root,
    yes: bool = YES,
) -> None:
    """Firma un borrador con una raíz; el archivo queda con una firma más · Sign a draft with a root; the file gains a signature"""
    data = read_file(file, MAX_BYTES)
    try:
        roll = read_list_draft(data)[1]
        key = _root_here() if root is None else succession.read_root(read_private(root, "root key file"))
    except KeysError as error:
        end_with(error.code)
    _tell_roll(roll)
    if not any(key.public in steward.roots for steward in roll.stewards):
        say("Esta raíz no es de ninguna de las que firman esta versión; solo cuenta si firmaba la anterior.",
            "This root is of none of the stewards of this version; it counts only if it signed for the one before.")  # fmt: skip
    if not yes:
        agree("¿Es lo que acordó la mesa?", "Is this what the table agreed on?")
    _write(file, sign_list(data, key))
    say(f"Firmada. Lleve {file.name} a quien falte, o impórtela: tinkuy network import {file.name}",
        f"Signed. Take {file.name} to whoever is missing, or import it: tinkuy network import {file.name}")  # fmt: skip


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="ARCHIVO…", help="Con firmas de unas y otras. · With signatures of one and another.")],
    as_json: bool = JSON,
) -> None:
    """Toma una lista firmada; la primera espera a que comparen el código · Take a signed list; a first one waits for its code to be compared"""
    answer = ask("network.import", {"files": [_b64(read_file(path, MAX_BYTES, as_json=as_json)) for path in files]}, as_json=as_json)
    if as_json:
        return show_json(answer)
    table, version = answer["table"], answer["version"]
    if answer["state"] == "offered":
        return say(f"Recibida: {table}, versión {version}. Compare el código con alguien de la mesa: tinkuy network code",
                   f"Received: {table}, version {version}. Compare the code with somebody of the table: tinkuy network code")  # fmt: skip
    return say(f"Vale la versión {version} de {table}. Ahora el servidor: tinkuy network synapse --out CARPETA",
               f"Version {version} of {table} counts. Now the homeserver: tinkuy network synapse --out FOLDER")  # fmt: skip


@app.command()
def code(table: str = Table, as_json: bool = JSON) -> None:
    """Muestra el código de la lista, para leerlo en voz alta · Show the list's code, to be read aloud"""
    answer = ask("network.code", {"table": table}, as_json=as_json)
    if as_json:
        return show_json(answer)
    typer.echo(answer["code"])
    return say("Quien tenga la misma lista ve el mismo código. Si lo lee igual: tinkuy network confirm CÓDIGO",
               "Whoever holds the same list sees the same code. If she reads it out alike: tinkuy network confirm CODE")  # fmt: skip


@app.command()
def confirm(
    code: Annotated[str, typer.Argument(metavar="CÓDIGO", help="El que leyó la otra persona. · The one she read out.")],
    table: str = Table,
    as_json: bool = JSON,
) -> None:
    """Confirma que el código coincidió: la lista vale desde ahora · Confirm that the code agreed: the list counts from now on"""
    answer = ask("network.confirm", {"code": code, "table": table}, as_json=as_json)
    if as_json:
        return show_json(answer)
    return say(f"Vale la versión {answer['version']} de {answer['table']}. Las siguientes llegan solas por los enlaces.",
               f"Version {answer['version']} of {answer['table']} counts. Later ones come over the links by themselves.")  # fmt: skip


@app.command()
def drop(
    table: Annotated[str, typer.Argument(metavar="MESA", help="La mesa. · The table.")],
    yes: bool = YES,
    as_json: bool = JSON,
) -> None:
    """Deja de usar la lista de una mesa; ningún enlace se corta · Stop using a table's list; no link is cut"""
    if not yes and not as_json:
        agree(f"¿Dejar de usar la lista de {table}?", f"Stop using the list of {table}?")
    answer = ask("network.drop", {"table": table}, as_json=as_json)
    if as_json:
        return show_json(answer)
    return say(f"La lista de {table} ya no se usa aquí.", f"The list of {table} is not used here any more.")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="Se crea. · Is created.")],
    table: str = Table,
) -> None:
    """Escribe la lista firmada en un archivo, para entregarla · Write the signed list to a file, to hand over"""
    answer = ask("network.export", {"table": table})
    new_file(file, base64.b64decode(answer["list"], validate=True))
    say(f"Escrita en {file}: {answer['table']}, versión {answer['version']}. Es para las instituciones de la mesa.",
        f"Written to {file}: {answer['table']}, version {answer['version']}. It is for the table's institutions.")  # fmt: skip


def _draft(answer: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    new_file(out, base64.b64decode(answer["draft"], validate=True))
    if as_json:
        return show_json(answer)
    say(f"Borrador en {out}: {answer['table']}, versión {answer['version']}, con {', '.join(answer['members'])}.",
        f"Draft in {out}: {answer['table']}, version {answer['version']}, with {', '.join(answer['members'])}.")  # fmt: skip
    for each in answer["missing"]:
        previous = each["whose"] == "previous"
        who = ", ".join(each["of"])
        say(f"  Deben firmar {each['count']} de las que firman {'hasta ahora' if previous else 'desde ahora'}: {who}",
            f"  {each['count']} of the {'present' if previous else 'coming'} stewards must sign: {who}")  # fmt: skip
        if each["seat"]:
            say("  Entre ellas, un asiento comunitario.", "  A community seat among them.")
    if answer["gatekeepers"]:
        who = ", ".join(answer["gatekeepers"])
        complain(f"  OJO: sola puede decidir o impedir cambios: {who}. Con más firmantes o asientos nadie es portera.",
                 f"  MIND: alone can decide or block changes: {who}. With more stewards or seats nobody keeps the gate.")  # fmt: skip
    return say(f"Se firma así: tinkuy network sign {out}", f"Sign it with: tinkuy network sign {out}")


def _tell_roll(roll: Roll) -> None:
    say(f"{roll.name} ({roll.table}), versión {roll.version}, hasta {roll.expires:%Y-%m-%d}.",
        f"{roll.name} ({roll.table}), version {roll.version}, until {roll.expires:%Y-%m-%d}.")  # fmt: skip
    show_rows([{**vars(each), "name": each.display_name} for each in roll.members], _SEATS[:4], titled=True)
    seat = words(", una de ellas comunitaria" if roll.community_signs else "", ", one of them of the community" if roll.community_signs else "")
    stewards = ", ".join(each.institution for each in roll.stewards)
    say(f"Firman {roll.threshold} de: {stewards}{seat}.", f"{roll.threshold} of these sign: {stewards}{seat}.")


def _root_here() -> SigningKey:
    settings = config()
    identity = load_identity(Keyring(settings.institution.id, open_kek(settings.keys), FileRows(settings.keyring_file)))
    if identity.root is None:
        end_with("network.no_root")
    return identity.root


def _write(file: Path, data: bytes) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(file)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
