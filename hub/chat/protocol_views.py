"""What administrators read about the versions of protocols: announcements, the list, one version with its parties, comments and answers."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.actions.protocol_state import Said, said_of, waits_for_us
from hub.base.i18n import mark, text
from hub.cases.events import ProtocolMoved
from hub.cases.protocol_life import OPEN, Stage
from hub.chat import wording as w
from hub.chat.plain import Block, Message, listing, message, messages, paragraph, quote, strong
from hub.chat.plain import value as clean
from hub.chat.posting import Place, put
from hub.exchange.records import ProtocolProposal
from keys import protocolword as pw
from policies import document
from policies.protocol import Protocol

ADMIN, DESK = Place(purpose="admin"), Place(purpose="desk")
STAGES = {
    "proposed": mark("propuesta"),
    "contested": mark("en disputa: hay dos documentos con este número"),
    "signed": mark("firmada por todas"),
    "active": mark("vigente"),
    "superseded": mark("reemplazada"),
    "expired": mark("vencida"),
    "refused": mark("rechazada"),
    "lapsed": mark("sin efecto: no firmaron todas a tiempo"),
}
TOLD = {
    "proposed": mark("{by} propone la versión {version} de «{title}», desde el {starts}. Para leerla: «protocolo ver {name}»."),
    "signature": mark("{by} firmó «{title}», versión {version}. Faltan: {missing}."),
    "refusal": mark("{by} no está de acuerdo con «{title}», versión {version}: no regirá. Lo que dice:"),
    "comment": mark("{by} comenta «{title}», versión {version} («protocolo ver {name}»):"),
    "late": mark(
        "El comentario de esta institución sobre «{title}», versión {version}, llegó cuando {by} ya había firmado, y su firma cierra la consulta: "
        "no cuenta en la consulta ni detiene la firma. Propóngalo para la siguiente versión; o, si así no debe regir, «protocolo rechazar {name} "
        "MOTIVO»."
    ),
    "answer": mark("{by} responde a un comentario sobre «{title}», versión {version}:"),
    "contested": mark(
        "Hay dos documentos distintos como «{title}», versión {version}. Ninguno se puede firmar. Llame a las dos administraciones y rechace el que "
        "no sea: «protocolo lista»."
    ),
    "signed": mark("«{title}», versión {version}: firmada por todas. Rige desde el {starts}."),
    "active": mark("«{title}», versión {version}, rige desde hoy entre {parties}."),
    "superseded": mark("«{title}», versión {version}: la reemplazó una versión más nueva."),
    "expired": mark("«{title}», versión {version}, venció: por ella ya no sale nada. Lo entregado conserva su plazo."),
    "lapsed": mark("«{title}», versión {version}: sin efecto. No firmó a tiempo: {missing}."),
    "waits": mark("«{title}», versión {version}, espera la firma de esta institución; quedan {days} días. «protocolo firmar {name}»."),
    "ends": mark("«{title}», versión {version}, vence en {days} días. Vencida, por ella no sale nada: conviene proponer la siguiente."),
}
NO_NAMES = mark("No escriba aquí datos de ninguna persona: los comentarios viajan a todas las instituciones y se guardan para siempre.")


def tell_protocol(unit: Unit, event: ProtocolMoved) -> None:
    """Say in the admin room what moved, and at the desk when another version counts from now on (R96)."""
    row = unit.proposals.get(event.proposal)
    template = TOLD.get(event.what)
    if row is None or template is None:
        return
    lang, said = unit.me.language, said_of(unit, row.id)
    blocks: list[Block] = [paragraph(text(lang, template, **_params(unit, row, said, event, lang)))]
    blocks += [quote(clean(event.text))] if event.text else []
    if _asks(unit, row, said, event):
        blocks += _next(unit, row, said, lang)
    for part in messages(*blocks):
        put(unit, ADMIN, part, ring=_ring(unit, row, said, event))
    if event.what == "active":
        line = mark("Desde hoy rige otro protocolo para compartir: «{title}», versión {version}. Lo que cambia se ve al derivar.")
        put(unit, DESK, message(paragraph(text(lang, line, **_params(unit, row, said, event, lang)))))


def _asks(unit: Unit, row: ProtocolProposal, said: Said, event: ProtocolMoved) -> bool:
    """Whether somebody here may now do something that she could not do before."""
    due = waits_for_us(unit, row, said)
    return event.what == "proposed" or (event.what in ("answer", "signature") and due == "sign") or (event.what == "comment" and due == "answer")


def _ring(unit: Unit, row: ProtocolProposal, said: Said, event: ProtocolMoved) -> tuple[str, ...]:
    due = event.what in ("waits", "contested") or (event.what in ("proposed", "comment") and event.by != unit.me.id and waits_for_us(unit, row, said))
    return tuple(p.id for p in unit.staff.all(role="administrator", removed_at=None)) if due else ()


def _params(unit: Unit, row: ProtocolProposal, said: Said, event: ProtocolMoved, lang: str) -> dict[str, object]:
    return {
        "by": _author(unit, said, event), "title": title_of(unit, row, lang), "version": row.version, "name": f"{row.protocol}@{row.version}",
        "starts": row.starts, "missing": names_of(unit, missing(row, said), lang), "parties": names_of(unit, row.parties, lang), "days": event.days,
    }  # fmt: skip


def _author(unit: Unit, said: Said, event: ProtocolMoved) -> str:
    """The institution; and for a comment that came by a contribution code what its author is called."""
    voice = next((each.voice for each in said.comments if each.id == event.word), "")
    return f"{_name(unit, event.by)} ({voice})" if voice else _name(unit, event.by)


def _next(unit: Unit, row: ProtocolProposal, said: Said, lang: str) -> list[Block]:
    """What to type now."""
    name = f"{row.protocol}@{row.version}"
    due = waits_for_us(unit, row, said)
    if due == "answer":
        number = said.comments.index(said.unanswered[0]) + 1
        return [paragraph(text(lang, "Para contestarlo: «protocolo responder {name} {number} SU RESPUESTA».", name=name, number=number))]
    if due == "sign":
        return [paragraph(text(lang, "Para firmarla: «protocolo firmar {name}». Para no aceptarla: «protocolo rechazar {name} MOTIVO».", name=name))]
    if due == "comment":
        msgid = mark("Consulta abierta hasta el {until}, o hasta que firme {seat}. Para comentar: «protocolo comentar {name} SU COMENTARIO».")
        return [paragraph(text(lang, msgid, until=row.consulted, seat=_name(unit, row.seat), name=name), text(lang, NO_NAMES))]
    return []


def list_of(unit: Unit, lang: str) -> Message:
    """Every protocol that counts here, and every version that is under way."""
    lines = []
    for protocol in sorted(unit.pack.protocols.values(), key=lambda p: p.id):
        how = text(lang, "firmada") if _is_signed(unit, protocol) else text(lang, "del paquete, sin firmas")
        lines.append(f"{protocol.id}@{protocol.version} · {protocol.title.get(lang)} · {how}")
    blocks: list[Block] = [paragraph([strong(text(lang, "Rigen aquí:"))]), listing(lines)]
    rows = [row for row in unit.proposals.all(order="at") if row.stage in OPEN or row.stage == Stage.SIGNED]
    if rows:
        shown = [f"{r.protocol}@{r.version} · {text(lang, STAGES[r.stage])} · {_who_is_missing(unit, r, lang)}" for r in rows]
        blocks += [paragraph([strong(text(lang, "En camino:"))]), listing(shown)]
    return message(*blocks)


def shown(unit: Unit, row: ProtocolProposal, lang: str) -> tuple[Message, ...]:
    """One version: who proposes it and why, who signed and who did not, what was said about it."""
    said = said_of(unit, row.id)
    paper = unit.papers.get(row.id)
    why = pw.claimed_proposal(paper.statement).why if paper else ""
    head = f"«{title_of(unit, row, lang)}» · {row.protocol}@{row.version} · {text(lang, STAGES[row.stage])}"
    lines = [
        text(lang, "La propone {by}; rige desde el {starts}; vence el {ends}.", by=_name(unit, row.proposer), starts=row.starts, ends=row.expires),
        text(lang, "Voz de la comunidad: {seat}. Consulta hasta el {until}. Se firma hasta el {closes}.", seat=_name(unit, row.seat),
             until=row.consulted, closes=row.closes),
    ]  # fmt: skip
    parties = [f"{_name(unit, name)}: {_standing(unit, row, said, name, lang)}" for name in row.parties]
    blocks: list[Block] = [paragraph([strong(head)], *lines), quote(clean(why)), listing(parties)]
    answers = {answer.to: answer for answer in said.answers}
    for number, each in enumerate(said.comments, start=1):
        who = f"{_name(unit, each.institution)}, {each.voice}" if each.voice else _name(unit, each.institution)
        blocks += [paragraph(text(lang, "Comentario {number}, de {who}:", number=number, who=who)), quote(clean(each.text))]
        if each in said.late:
            blocks.append(paragraph(text(lang, "Llegó cuando la consulta ya estaba cerrada: no detiene la firma.")))
        if each.id in answers:
            blocks += [paragraph(text(lang, "Respuesta:")), quote(clean(answers[each.id].text))]
        elif each not in said.late:
            blocks.append(paragraph(text(lang, "Sin respuesta todavía.")))
    return messages(*blocks, *_next(unit, row, said, lang))


def missing(row: ProtocolProposal, said: Said) -> tuple[str, ...]:
    """Who has not signed; a signature whose comments are not all here and answered does not count yet."""
    return tuple(name for name in row.parties if name not in said.signed)


def _who_is_missing(unit: Unit, row: ProtocolProposal, lang: str) -> str:
    names = missing(row, said_of(unit, row.id))
    return text(lang, "falta: {names}", names=names_of(unit, names, lang)) if names else text(lang, "desde el {starts}", starts=row.starts)


def _standing(unit: Unit, row: ProtocolProposal, said: Said, name: str, lang: str) -> str:
    if name in said.signed:
        return text(lang, "firmó")
    if name in {word.institution for word in said.refusals}:
        return text(lang, "no está de acuerdo")
    if not known(unit, name):
        return text(lang, "no es par nuestra: aquí no se puede comprobar su firma")
    return text(lang, "no ha firmado ({days} días)", days=(unit.now.date() - row.at.date()).days)


def known(unit: Unit, name: str) -> bool:
    """Whether we could believe a signature of this institution."""
    peer = unit.peers.get(name)
    return name == unit.me.id or (peer is not None and peer.state == "confirmed")


def title_of(unit: Unit, row: ProtocolProposal, lang: str) -> str:
    """The document's own title; its id when the document cannot be read here."""
    found = document_of(unit, row)
    return found.title.get(lang) if found else row.protocol


def document_of(unit: Unit, row: ProtocolProposal) -> Protocol | None:
    """The document as this hub reads it."""
    paper = unit.papers.get(row.id)
    try:
        return document.read(paper.document.decode("utf-8"), unit.pack.vocabulary)[0] if paper else None
    except UnicodeDecodeError:
        return None


def _is_signed(unit: Unit, protocol: Protocol) -> bool:
    return any(each.protocol is protocol for each in unit.pack.signed)


def _name(unit: Unit, institution: str) -> str:
    return unit.me.name if institution == unit.me.id else w.institution(unit, institution)


def names_of(unit: Unit, names: tuple[str, ...], lang: str) -> str:
    """Institutions as people call them."""
    return ", ".join(_name(unit, name) for name in names) or text(lang, "nadie")
