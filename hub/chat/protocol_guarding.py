"""Words about a protocol that carry what nobody should read there: they wait, sealed, until the administrator says by number what becomes of them."""

from __future__ import annotations

from dataclasses import replace

from hub.actions import protocol_guard
from hub.actions.answer import seal_words
from hub.actions.common import forget_reminders, remind
from hub.actions.erase import drop_words
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.records import Question
from hub.chat import guarding
from hub.chat.here import Here
from hub.chat.options import CONFIRMED_WITHIN, LABELS
from hub.chat.plain import choices, message, paragraph
from hub.chat.posting import ask, close_questions, numbered, put

VALUES, WORDS = "protocol_values", "protocol_words"
"""As the two kinds of `guarding`: without it, as it is, or not at all; and where it is (also) about how it is said, not at all or as it is."""
KINDS = {VALUES: guarding.VALUES, WORDS: guarding.WORDS}
FOR_ALL = mark("Los comentarios viajan a todas las instituciones y se guardan para siempre.")


def holds(unit: Unit, here: Here, act: str, ref: str, named: str, said: str) -> bool:
    """Whether these words wait for an answer instead of leaving now. `act` and `ref` say what they were meant for, `named` which version."""
    verdict = protocol_guard.seen(unit, said)
    if not verdict.found:
        return False
    protocol_guard.count(unit, verdict)
    kind = WORDS if verdict.words else VALUES
    owner, sealed = seal_words(unit, said)
    question = ask(unit, here.room, kind, f"{act}|{ref}|{owner}|{sealed}", guarding.OPTIONS[KINDS[kind]], named, asked=here.person.id)
    question = replace(question, expires_at=unit.now + CONFIRMED_WITHIN)
    unit.questions.put(question)
    remind(unit, "unsaid", owner, question.expires_at)
    seen = protocol_guard.classes(unit, verdict, here.lang)
    head = text(here.lang, "{name}: todavía no salió. Veo {classes}.", name=named, classes=seen)
    why = [text(here.lang, FOR_ALL)] if kind == VALUES else guarding.kinder(unit, here.lang, verdict.words)
    shown = choices(numbered(question, [text(here.lang, label) for label in LABELS[kind]]))
    put(unit, here.place, message(paragraph(" ".join([head, *why])), shown))
    return True


def answered(unit: Unit, here: Here, question: Question, option: str) -> tuple[str, str, str] | None:
    """What it was meant for (act, ref) and the words as they shall leave; None when they shall not."""
    act, ref, owner, sealed = question.ref.split("|")
    said = unit.vault.open(owner, "outbox|words", bytes.fromhex(sealed)).decode()
    close_questions(unit, question.ref)
    forget_reminders(unit, owner, ("unsaid",))
    drop_words(unit, owner)
    if option == "cancel":
        put(unit, here.place, message(paragraph(text(here.lang, "{code}: no salió. Escríbalo de otra manera cuando quiera.", code=question.code))))
        return None
    how = protocol_guard.WITHOUT if option == "without" else protocol_guard.AS_IT_IS
    return act, ref, protocol_guard.may_leave(unit, said, how)
