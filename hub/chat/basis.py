"""Legal bases, as people read them: what would leave without her permission, who confirms, and that she is to be told (R70, R76)."""

from __future__ import annotations

from hub.actions import legal_basis
from hub.actions.common import find_case, open_case_of, staff_member, supervisors
from hub.actions.legal_basis import Wish
from hub.actions.ports import Unit
from hub.actions.reach import calls_blindly
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases import events as e
from hub.cases.records import Case, LegalBasis, Question
from hub.chat import blind, dialogue, talk
from hub.chat import wording as w
from hub.chat.cards import case_key
from hub.chat.here import Here
from hub.chat.meant import case_code
from hub.chat.options import ask_her, basis_line, labels, put_choices
from hub.chat.plain import Block, choices, listing, message, paragraph, quote, strong
from hub.chat.posting import Place, ask, close_questions, numbered, put, room_of
from hub.chat.saying import desk_only, say
from policies.decision import Outcome

DESK = "desk"
MOVED = {
    "active": mark("{code} · base legal registrada: {line}. Registró {by}, confirmó {who}. Sale solo lo que el protocolo permite por ella."),
    "ended": mark("{code}: se quitó la base legal: {line}. Lo que salió solo por ella se pide de vuelta."),
    "expired": mark("{code}: terminó la base legal: {line}. Lo que salió solo por ella se pide de vuelta."),
    "lapsed": mark("{code}: la base legal no se confirmó: {line}. No salió nada."),
}
HOW = {Outcome.PRESENCE: mark(" (solo que hay algo anotado)"), Outcome.GENERALISE: mark(" (en parte)")}


def record_for(unit: Unit, here: Here, command: c.RecordBasis) -> tuple[c.Command, ...]:
    """`base legal`: the dialogue asks for what is missing; then what would leave is shown, to be confirmed by number."""
    desk_only(here)
    case = open_case_of(unit, case_code(unit, here, command.case))
    legal_basis.may_record(unit, here.person.id, case)
    if not (command.basis and command.recipients and command.why):
        known = c.RecordBasis(case=case.code, basis=command.basis, recipients=command.recipients, why=command.why, until=command.until)
        return talk.begin(unit, here, dialogue.start_basis(here.context, known), case.id)
    until = command.until.at if command.until else None
    wish = Wish(basis=command.basis, recipients=command.recipients, why=command.why, until=until)
    legal_basis.record_basis(unit, here.person.id, case.id, wish)
    return ()


def end_for(unit: Unit, here: Here, command: c.EndBasis) -> None:
    """`quitar base legal`: which one, by number."""
    desk_only(here)
    case = find_case(unit, case_code(unit, here, command.case))
    rows = legal_basis.recorded(unit, case.id)
    if not rows:
        raise Refused("basis_none", code=case.code)
    close_questions(unit, case.id, ("basis_end",))
    question = ask_her(unit, here, "basis_end", case.id, (*(row.id for row in rows), "keep"), case.code)
    put_choices(unit, here, question, text(here.lang, "{code}: ¿cuál se quita? Lo que salió solo por ella se pide de vuelta.", code=case.code))


def choose_confirm(unit: Unit, here: Here, question: Question, option: str) -> None:
    """Supervision, or the second person."""
    legal_basis.confirm_basis(unit, here.person.id, question.ref, agreed=option == "confirm")


def choose_end(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, ("basis_end",))
    if option == "keep":
        say(unit, here, mark("{code}: bien, no se quitó nada."), code=question.code)
        return
    legal_basis.end_basis(unit, here.person.id, option)


def tell_basis(unit: Unit, event: e.BasisMoved) -> None:
    """In the thread of her case, sealed under its key: it names what would leave and why."""
    row = unit.bases.get(event.basis)
    case = unit.cases.get(row.case) if row else None
    if row is None or case is None:
        return
    if event.what == "waiting":
        _ask_second(unit, row, case)
        return
    close_questions(unit, row.id, ("basis_confirm",))
    lang = unit.me.language
    line = basis_line(unit, row, lang)
    by, who = w.person(unit, row.by), w.person(unit, row.confirmed_by)
    blocks: list[Block] = [paragraph(text(lang, MOVED[event.what], code=case.code, line=line, by=by, who=who))]
    if event.what == "active":
        tell_her = mark("Cuénteselo a ella en cuanto sea seguro: qué salió, a quién y por qué. Está en «quién sabe {code}» y en su hoja.")
        blocks.append(paragraph(text(lang, tell_her, code=case.code)))
    ring = tuple(dict.fromkeys((case.lead, *supervisors(unit)))) if event.what == "active" else (row.by,) if event.what == "lapsed" else (case.lead,)
    put(unit, Place(purpose=DESK, thread=case_key(case.id)), message(*blocks), ring=ring, owner=case.id)


def _ask_second(unit: Unit, row: LegalBasis, case: Case) -> None:
    lang = unit.me.language
    asked = staff_member(unit, row.by)
    alone = asked.role == "supervisor"
    head = text(lang, "{code} · base legal por confirmar: {line}. La pide {by}:", code=case.code, line=basis_line(unit, row, lang), by=asked.display)
    blocks: list[Block] = [paragraph([strong(head)]), quote(legal_basis.reason_of(unit, row)), *_without_her(unit, row, lang)]
    foot = mark("Otra persona del equipo confirma en una hora con el número. Si nadie confirma, no sale nada.")
    foot = mark("Confirme en una hora con el número. Si nadie confirma, no sale nada.") if alone else foot
    question = ask(unit, room_of(unit, DESK), "basis_confirm", row.id, ("confirm", "cancel"), case.code)
    blocks += [paragraph(text(lang, foot)), choices(numbered(question, labels(unit, question, lang)))]
    ring = (row.by,) if alone else tuple(person for person in supervisors(unit) if person != row.by)
    put(unit, Place(purpose=DESK, thread=case_key(case.id)), message(*blocks), ring=ring, owner=case.id)


def _without_her(unit: Unit, row: LegalBasis, lang: str) -> list[Block]:
    """What newly leaves, by name and never by value, for each institution."""
    blocks: list[Block] = []
    for recipient, more in legal_basis.opens(unit, row).items():
        fields = [w.field_label(unit, name, lang) + (text(lang, HOW[more[name]]) if more[name] in HOW else "") for name in w.in_order(unit, more)]
        name = w.institution(unit, recipient)
        if not fields:
            blocks.append(paragraph(text(lang, "Ella no dio permiso. A {institution} hoy no le saldría nada más con esto.", institution=name)))
            continue
        said = text(lang, "Ella no dio permiso. Con esto saldría sin su permiso, a {institution}:", institution=name)
        blocks += [paragraph([strong(said)]), listing(fields)]
        if calls_blindly([field for field, outcome in more.items() if outcome is not Outcome.PRESENCE]):
            blocks.append(paragraph([strong(text(lang, blind.WARNING))]))
    return blocks
