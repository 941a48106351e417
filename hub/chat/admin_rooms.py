"""Rooms in the admin room: what was found, told in a sentence; and `salas`, `salas plan`, `salas reparar` for enrolled administrators."""

from __future__ import annotations

from dataclasses import replace

from hub.actions import room_findings
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.events import InvitationRefused, RoomFound
from hub.cases.records import Question, RoomFinding
from hub.chat import wording as w
from hub.chat.fold import fold
from hub.chat.here import Here, answer
from hub.chat.plain import choices, listing, message, paragraph, strong
from hub.chat.posting import Place, ask, close_questions, numbered, put
from hub.chat.room_words import finding, outcome, sentences, why_invited

REPAIR = "rooms_repair"
HELP = mark("las salas: «salas» quién está en cada una y qué no está bien, «salas plan» qué se haría, «salas reparar»")
OPTIONS = ("repair", "cancel")
LABELS = (mark("reparar ahora"), mark("ahora no"))
ADMIN = Place(purpose="admin")
MOST = 12
"""Findings that are listed; the terminal shows them all."""
_QUIET = frozenset({"departed"})
"""Mended on the way, as whoever off-boarded her was told at the terminal."""
_ELSEWHERE = frozenset({"master_changed"})
"""Told at more length when it comes and when it goes (`key_changed`, `staff_repinned`); here it only stands in the lists."""


def tell_room(unit: Unit, event: RoomFound) -> None:
    """A finding, mended or not; a stranger, or a device of the hub's own account that is not ours, rings the administrators."""
    if event.what in _ELSEWHERE or (event.what in _QUIET and not event.why and not event.over):
        return
    ring = tuple(p.id for p in unit.staff.all(role="administrator", removed_at=None)) if event.what in ("stranger", "own_ghost") else ()
    named = replace(event, purpose=room_findings.called(unit, event.purpose))
    put(unit, ADMIN, message(paragraph(sentences(unit.me.language, named))), ring=() if event.over else ring)


def tell_invitation(unit: Unit, event: InvitationRefused) -> None:
    """Somebody knocked and was turned down, and why."""
    lang = unit.me.language
    said = text(
        lang, "{user} invitó a este hub a una sala y no entré: {why}. Si debía poder, hable con su administración. Todas: tinkuy rooms invitations",
        user=event.user, why=why_invited(lang, event.why, event.detail),
    )  # fmt: skip
    put(unit, ADMIN, message(paragraph(f"{said} [invite_refused]")))


def do(unit: Unit, here: Here, said: str) -> None:
    """One of the verbs; what is no verb of ours shows how the rooms are."""
    _VERBS.get(" ".join(fold(said).split()), _glance)(unit, here)


def chosen(unit: Unit, here: Here, question: Question, option: str) -> None:
    """An administrator answered whether to mend now."""
    close_questions(unit, question.ref, (REPAIR,))
    if option == "cancel":
        return answer(unit, here, message(paragraph(text(here.lang, "De acuerdo. No toqué nada."))))
    count = room_findings.ask_repair(unit, here.person.id)
    return answer(unit, here, message(paragraph(text(here.lang, "Reparando ({count}). Le digo aquí cómo quedó cada una.", count=count))))


def _glance(unit: Unit, here: Here) -> None:
    """How many rooms there are, who is in them, and what is not right."""
    lang, standing = here.lang, room_findings.standing(unit)
    people = unit.staff.all(removed_at=None)
    admins = sum(one.role == "administrator" for one in people)
    rooms = unit.rooms.all(order="purpose")
    links = [room.purpose.partition(":")[2] for room in rooms if room.purpose.startswith("link:")]
    lines = [
        text(lang, "Equipo: {count} personas y el hub. Administración: {admins} y el hub.", count=len(people), admins=admins),
        text(lang, "Directas: {count}, cada una de una persona y el hub.", count=sum(room.purpose.startswith("direct:") for room in rooms)),
        text(lang, "Enlaces, solo de hub a hub: {who}.", who=", ".join(links) or "–"),
    ]
    coordination = [room for room in rooms if room.purpose.startswith("coordination")]
    if coordination:
        lines.append(text(lang, "De coordinación: {count}.", count=len(coordination)))
    wrong = text(lang, "Todas están como deben.") if not standing else text(lang, "Por arreglar: {count}.", count=len(standing))
    head = [strong(text(lang, "Salas: {count}. {wrong}", count=len(rooms), wrong=wrong))]
    knocked = unit.invitations.count()
    tail = [text(lang, "Invitaciones rechazadas que recuerdo: {count} (tinkuy rooms invitations).", count=knocked)] if knocked else []
    more = text(lang, "Quién está y quién puede estar en cada una: tinkuy rooms show. Para arreglar: «salas reparar».")
    blocks = [listing([_line(unit, lang, row) for row in standing[:MOST]])] if standing else []
    answer(unit, here, message(paragraph(head, *lines), *blocks, paragraph(*tail, more)))


def _plan(unit: Unit, here: Here) -> None:
    """What stands, and who can end it."""
    lang, standing = here.lang, room_findings.standing(unit)
    if not standing:
        return answer(unit, here, message(paragraph(text(lang, "No hay nada que arreglar: las salas están como deben."))))
    shown = [f"{_line(unit, lang, row)} {outcome(lang, row.purpose, row.what, row.why)}".strip() for row in standing[:MOST]]
    rest = [paragraph(text(lang, "Y {count} más: tinkuy rooms drift", count=len(standing) - MOST))] if len(standing) > MOST else []
    return answer(unit, here, message(paragraph([strong(text(lang, "Por arreglar:"))]), listing(shown), *rest))


def _repair(unit: Unit, here: Here) -> None:
    """Show what would be mended and ask for a number."""
    lang = here.lang
    rows = [row for row in room_findings.standing(unit) if row.purpose != room_findings.DEVICES]
    if not rows:
        return answer(unit, here, message(paragraph(text(lang, "No hay nada que yo pueda arreglar: las salas están como deben."))))
    close_questions(unit, REPAIR)
    question = ask(unit, here.room, REPAIR, REPAIR, OPTIONS, text(lang, "salas"), asked=here.person.id)
    head = paragraph([strong(text(lang, "Voy a arreglar esto, sin leer ningún mensaje:"))])
    shown = listing([_line(unit, lang, row) for row in rows[:MOST]])
    return answer(unit, here, message(head, shown, choices(numbered(question, [text(lang, label) for label in LABELS]))))


def _line(unit: Unit, lang: str, row: RoomFinding) -> str:
    since = text(lang, "Desde {when}.", when=w.moment(unit, lang, row.found_at))
    return f"{finding(lang, room_findings.called(unit, row.purpose), row.what, row.about)} {since}"


_VERBS = {"": _glance, "plan": _plan, "reparar": _repair, "repair": _repair}
THEN = frozenset(filter(None, _VERBS))
