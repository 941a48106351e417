"""`protocolo …` in the admin room: list, read, comment, answer, sign and refuse versions of protocols, by the administrators alone.

What binds the institution is asked back with numbers: the summary of what would be signed stands above them.
"""

from __future__ import annotations

import re

from hub.actions import protocols
from hub.actions.answer import seal_words
from hub.actions.common import remind
from hub.actions.ports import Unit
from hub.actions.protocol_changes import changes
from hub.actions.protocol_guard import AS_IT_IS
from hub.actions.protocol_state import find_proposal, said_of, shipped_of
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases.records import Question
from hub.chat.fold import fold
from hub.chat.here import Here
from hub.chat.options import LABELS
from hub.chat.plain import choices, message, paragraph, quote
from hub.chat.plain import value as clean
from hub.chat.posting import QUESTION_LIFE, ask, close_questions, numbered, put
from hub.chat.protocol_guarding import answered, holds
from hub.chat.protocol_views import NO_NAMES, document_of, list_of, missing, names_of, shown, title_of
from hub.exchange.records import ProtocolProposal

KIND = "protocol_act"
HELP = mark("cómo va cada protocolo: lista, ver, comentar, responder, firmar, rechazar; por ejemplo «protocolo firmar shelter@2»")
_NAMED = re.compile(
    r"([a-z][a-z0-9-]*)(?:(?:\s*[@#,]\s*|\s+)(?:v(?:ersi[oó]n|\.)?|n(?:[°º.]|[uú]mero))?\s*([0-9]{1,6}|[0-9a-f]{8,64})(?![\w-]))?\s*", re.IGNORECASE
)
_HALF_NAMED = re.compile(r"[@#,-]|v(ersi[oó]n)?\b|v\.|n[°º]|[^\W\d_]{0,2}\d", re.IGNORECASE)
"""What stands after a protocol's name as the beginning of a version that was not understood: no other version is meant instead."""
_ACTS = {
    "lista": "list", "list": "list", "": "list", "ver": "show", "show": "show", "estado": "show", "state": "show",
    "comentar": "comment", "comment": "comment", "responder": "answer", "answer": "answer", "firmar": "sign", "sign": "sign",
    "rechazar": "refuse", "refuse": "refuse",
}  # fmt: skip
THEN = frozenset(filter(None, _ACTS))


def do(unit: Unit, here: Here, said: str) -> None:
    """One of the verbs. Raises Refused as the actions do."""
    first, _, rest = said.strip().partition(" ")
    act = _ACTS.get(fold(first).strip(" ."))
    if act is None:
        msgid = mark("Puede escribir: protocolo lista | ver | comentar | responder | firmar | rechazar, y el nombre con su versión: «shelter@2».")
        _say(unit, here, msgid)
    elif act == "list":
        put(unit, here.place, list_of(unit, here.lang))
    else:
        _act(unit, here, act, rest.strip())


def _act(unit: Unit, here: Here, act: str, rest: str) -> None:
    named = _NAMED.match(rest)
    said = rest[named.end() :].strip(" :\n") if named else ""
    if named is None or (not named[2] and _HALF_NAMED.match(rest[named.end() :])) or (said and act == "sign"):
        raise Refused("protocol.which")
    name = f"{named[1]}@{named[2]}" if named[2] else named[1]
    shipped = shipped_of(unit, name) if act == "show" else None
    if shipped is not None:
        msgid = mark("«{title}», versión {version}: del paquete, sin firmas; vence el {ends}. Su texto: tinkuy protocol show {name} --text")
        _say(unit, here, msgid, title=shipped.title.get(here.lang), version=shipped.version, ends=shipped.expires, name=shipped.id)
        return
    row = find_proposal(unit, name)
    if act == "show":
        for part in shown(unit, row, here.lang):
            put(unit, here.place, part)
    elif act == "sign":
        _ask_to_sign(unit, here, row)
    elif not said:
        raise Refused("protocol.text", limit=2000)
    else:
        number, said = _numbered(unit, row, said) if act == "answer" else (0, said)
        _may_say(unit, act, row, number)
        if not holds(unit, here, act, f"{row.id}#{number}", f"{row.protocol}@{row.version}", said):
            _do_say(unit, here, act, row, number, said)


def _numbered(unit: Unit, row: ProtocolProposal, said: str) -> tuple[int, str]:
    number, _, words = said.partition(" ")
    if not number.strip(".:").isdecimal():
        raise Refused("protocol.no_comment", number=number[:10], count=len(said_of(unit, row.id).comments))
    return int(number.strip(".:")), words.strip()


def _may_say(unit: Unit, act: str, row: ProtocolProposal, number: int) -> None:
    """Nobody chooses a number for words that could not leave anyway. Raises Refused as the actions do."""
    if act == "comment":
        protocols.may_comment(unit, row.id)
    elif act == "answer":
        protocols.may_answer(unit, row.id, number)


def _do_say(unit: Unit, here: Here, act: str, row: ProtocolProposal, number: int, said: str) -> None:
    """What the language guard has let pass, or she has decided about."""
    if act == "refuse":
        _ask_to_refuse(unit, here, row, said)
    elif act == "answer":
        protocols.answer(unit, here.person.id, row.id, number, said, guard=AS_IT_IS)
    else:
        protocols.comment(unit, here.person.id, row.id, said, guard=AS_IT_IS)
        _say(unit, here, NO_NAMES)


def chosen_words(unit: Unit, here: Here, question: Question, option: str) -> None:
    """She decided by number what becomes of words that carried something. Raises Refused as the actions do."""
    found = answered(unit, here, question, option)
    if found is not None:
        act, ref, said = found
        proposal, _, number = ref.partition("#")
        _do_say(unit, here, act, find_proposal(unit, proposal), int(number), said)


def _ask_to_sign(unit: Unit, here: Here, row: ProtocolProposal) -> None:
    protocols.may_sign(unit, row)
    found = document_of(unit, row)
    msgid = mark("Va a firmar «{title}», versión {version}, en nombre de la institución. No se puede retirar: solo otra versión la cambia.")
    head = text(here.lang, msgid, title=title_of(unit, row, here.lang), version=row.version)
    changes = changes_of(unit, row, here.lang) if found else ()
    left = tuple(name for name in missing(row, said_of(unit, row.id)) if name != unit.me.id)
    after = mark("Después falta: {names}.") if left else mark("Es la última firma que falta.")
    tail = text(here.lang, after, names=names_of(unit, left, here.lang))
    _question(unit, here, f"sign|{row.id}", row, [head, *changes, tail])


def _ask_to_refuse(unit: Unit, here: Here, row: ProtocolProposal, reason: str) -> None:
    msgid = mark("Va a rechazar «{title}», versión {version}: no regirá para nadie. Este es el motivo que leerán todas:")
    head = text(here.lang, msgid, title=title_of(unit, row, here.lang), version=row.version)
    owner, sealed = seal_words(unit, reason)
    remind(unit, "unsaid", owner, unit.now + QUESTION_LIFE)
    _question(unit, here, f"refuse|{row.id}|{owner}|{sealed}", row, [head], reason)


def _question(unit: Unit, here: Here, ref: str, row: ProtocolProposal, lines: list[str], said: str = "") -> None:
    for old in unit.questions.all(room=here.room, kind=KIND, state="open", asked=here.person.id):
        close_questions(unit, old.ref, (KIND,))
    question = ask(unit, here.room, KIND, ref, ("yes", "no"), f"{row.protocol}@{row.version}", asked=here.person.id)
    shown_ = choices(numbered(question, [text(here.lang, label) for label in LABELS[KIND]]))
    put(unit, here.place, message(paragraph(*lines), *([quote(clean(said))] if said else []), shown_))


def chosen(unit: Unit, here: Here, question: Question, option: str) -> None:
    """The administrator answered by number. Raises Refused as the actions do."""
    act, proposal, *words = question.ref.split("|")
    if option == "no":
        _say(unit, here, mark("De acuerdo, lo dejamos. No hice nada."))
    elif act == "sign":
        protocols.sign(unit, here.person.id, proposal)
    else:
        reason = unit.vault.open(words[0], "outbox|words", bytes.fromhex(words[1])).decode()
        protocols.refuse(unit, here.person.id, proposal, reason, guard=AS_IT_IS)  # asked about before she confirmed it
    close_questions(unit, question.ref, (KIND,))


def changes_of(unit: Unit, row: ProtocolProposal, lang: str) -> tuple[str, ...]:
    """What the version would newly show, and what it would hide; what does not fit a screen is on the command line, and that is said."""
    told = tuple(line.get(lang) for line in changes(unit, row))
    more = text(lang, "… y {n} cambios más: tinkuy protocol show {name}", n=len(told) - 12, name=f"{row.protocol}@{row.version}")
    return told if len(told) <= 12 else (*told[:12], more)


def _say(unit: Unit, here: Here, msgid: str, **params: object) -> None:
    put(unit, here.place, message(paragraph(text(here.lang, msgid, **params))))
