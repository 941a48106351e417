"""What people see of the language guard: a question before words leave, advice in private, a message taken out of the room.

Words for another institution wait, sealed, until she says by number: without it, as it is, or not at all (`leaving`). In rooms the guard comes
after the fact (`watch`): it tells her alone, in her direct chat, by class and never by repeating what she wrote; where the room is set to `redact`
the hub takes the message out first. When somebody may be in danger everything goes at once, and advice comes after.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import unescape
from typing import Any

from hub.actions import answer as answers
from hub.actions import guard, work
from hub.actions.answer import seal_words
from hub.actions.common import find_referral, forget_reminders, remind
from hub.actions.erase import drop_words, redact_event
from hub.actions.guard import Room
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.commands import AskField, Command, Relay, Say, SetField
from hub.cases.records import Question, Referral
from hub.chat import wording as w
from hub.chat.address import without_quotes
from hub.chat.heard import Heard
from hub.chat.here import Here
from hub.chat.options import ask_her, put_choices
from hub.chat.plain import Line, message, paragraph, quote
from hub.chat.posting import Place, close_questions, put
from hub.chat.stopped import sent
from policies.guard import Found, Verdict, load, without

VALUES, WORDS = "guard_values", "guard_words"
"""The two kinds of question: about what leads to her, asked where she writes; and about how it is said, asked in her direct chat."""
_REPLY = re.compile(r"> (?:\* )?<@[^>\s]+>")
"""How the quote of a reply begins, which clients write by themselves."""
_QUOTED = re.compile(r"^\s*<mx-reply>.*?</mx-reply>", re.DOTALL)
_BREAK = re.compile(r"<(?:/?(?:p|div|li|ul|ol|blockquote|tr|td|th|table|pre|h[1-6])|br|hr)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[/!a-zA-Z][^<>]*>")
OPTIONS = {VALUES: ("without", "as_is", "cancel"), WORDS: ("cancel", "as_is")}


# --- before words leave


def leaving(unit: Unit, here: Here, referral: Referral, said: str, field: str = "") -> bool:
    """Whether these words wait for an answer of hers instead of leaving now. `field`: they say what that field is asked for."""
    verdict = guard.seen_leaving(unit, referral, said)
    guard.count(unit, verdict.found)
    if not verdict.found:
        return False
    if guard.is_urgent(unit, referral, verdict):
        _after(unit, here, referral.code, verdict)
        return False
    hers = unit.rooms.one(purpose=here.direct.purpose)
    if verdict.values or hers is None:
        _ask(unit, here, referral, said, field, verdict, VALUES if verdict.values else WORDS)
        return True
    if hers.id != here.room:
        put(unit, here.place, message(paragraph(text(here.lang, "{code}: no salió todavía. Le escribí en su chat directo.", code=referral.code))))
    alone = replace(here, room=hers.id, purpose=hers.purpose, place=here.direct, lang=here.person.language)
    _ask(unit, alone, referral, said, field, verdict, WORDS)
    return True


def _ask(unit: Unit, here: Here, referral: Referral, said: str, field: str, verdict: Verdict, kind: str) -> None:
    """The question with its numbers. The words wait sealed under a key of their own, which dies if she does not send them."""
    owner, sealed = seal_words(unit, said)
    question = ask_her(unit, here, kind, f"{referral.id}|{owner}|{sealed}|{field}", OPTIONS[kind], referral.code)
    remind(unit, "unsaid", owner, question.expires_at)
    peer = w.institution(unit, referral.peer)
    head = text(here.lang, "{code}: todavía no salió hacia {institution}. Veo {classes}.", code=referral.code, institution=peer,
                classes=classes(unit, here.lang, verdict.values or verdict.words))  # fmt: skip
    why = _withheld(unit, here.lang, verdict, peer) if verdict.values else " ".join(kinder(unit, here.lang, verdict.words))
    put_choices(unit, here, question, " ".join(filter(None, (head, why))))


def _withheld(unit: Unit, lang: str, verdict: Verdict, peer: str) -> str:
    if any(one.sort == "known" for one in verdict.values):
        return text(lang, "Su permiso o el protocolo no lo dan a {institution}.", institution=peer)
    return text(lang, "Lo que identifica a alguien va por «derivar» o «pedir», no en el mensaje.")


def chosen(unit: Unit, here: Here, question: Question, option: str) -> None:
    """She said what becomes of them."""
    referral_id, owner, sealed, field = question.ref.split("|")
    close_questions(unit, question.ref)
    forget_reminders(unit, owner, ("unsaid",))
    if option == "cancel":
        drop_words(unit, owner)
        put(unit, here.place, message(paragraph(text(here.lang, "{code}: no salió. Escríbalo de otra manera cuando quiera.", code=question.code))))
        return
    referral = find_referral(unit, referral_id)
    said = unit.vault.open(owner, "outbox|words", bytes.fromhex(sealed)).decode()
    if option == "without":
        verdict = guard.seen_leaving(unit, referral, said)
        said = without(said, verdict.values, text(unit.me.language, "(dato reservado)"))
    shown = [quote(said)] if option == "without" else []
    if field:
        answers.ask_field(unit, here.person.id, referral.id, field, said)
        told = [text(here.lang, "{code}: pedido.", code=referral.code)]
    else:
        work.say(unit, here.person.id, referral.id, said)
        told = sent(unit, here.lang, referral)
    drop_words(unit, owner)
    put(unit, here.place, message(paragraph(*told), *shown))


def _after(unit: Unit, here: Here, code: str, verdict: Verdict) -> None:
    """It went at once, for somebody may be in danger: what was in it is said afterwards, to her alone."""
    lang = here.person.language
    lines: list[Line] = [
        text(lang, "{code}: salió de inmediato porque parece urgente. Llevaba {classes}.", code=code, classes=classes(unit, lang, verdict.found)),
        *kinder(unit, lang, verdict.words),
    ]
    put(unit, here.direct, message(paragraph(*lines)))


# --- in rooms, after the fact


def overhear(unit: Unit, here: Here, heard: Heard, act: Command | str | None) -> None:
    """What was just said in a room of ours. What waits for an answer of its own, or answers us, is not looked at twice."""
    if here.purpose == "admin" or isinstance(act, str | Say | Relay | AskField):
        return
    said = words_of(heard.content, replied=heard.reply is not None)
    if said is None or (act is not None and not isinstance(act, SetField)):
        return
    room = Room(id=here.room, purpose=here.purpose, subject=here.subject)
    watch(unit, room, (unit.me.id,), said, by=here.person.id, event=None if act else here.event, only_words=act is not None or room.of == "direct")


def watch(
    unit: Unit, room: Room, institutions: Iterable[str], said: str, *, by: str, event: str | None = None, only_words: bool = False
) -> Verdict:  # fmt: skip
    """Look at what `by` said in a room with people of these institutions, and advise her or take it out, as the room's class is set.

    For any room with people. `event`: what may be redacted. Somebody else's staff are their own hub's to advise. Returns what was seen.
    """
    mode, person = guard.mode_of(unit, room.of), unit.staff.get(by)
    if mode == guard.OFF or person is None or person.removed_at is not None:
        return Verdict()
    verdict = guard.seen_in(unit, room, institutions, said)
    found = verdict.words if only_words else verdict.found
    if not found:
        return verdict
    guard.count(unit, found)
    gone = mode == guard.REDACT and event is not None and not verdict.urgent
    if gone and event is not None:
        redact_event(unit, room.purpose, room.id, event)
    told = found if gone else guard.fresh(unit, by, room, found)
    if told:
        put(unit, Place(purpose=f"direct:{by}"), message(paragraph(*_advice(unit, person.language, room, told, gone=gone))))
    return verdict


def _advice(unit: Unit, lang: str, room: Room, found: Sequence[Found], *, gone: bool) -> list[Line]:
    where = {"desk": mark("la mesa"), "coordination": mark("la sala de coordinación")}.get(room.of, mark("este chat"))
    seen = mark("Retiré de {room} su mensaje: tenía {classes}.") if gone else mark("Solo para usted: en {room} escribió {classes}.")
    lines: list[Line] = [text(lang, seen, room=text(lang, where), classes=classes(unit, lang, found)), *kinder(unit, lang, found)]
    values = [one for one in found if one.sort != "words"]
    if values and room.of == "coordination":
        lines.append(text(lang, "No todas las instituciones presentes pueden saberlo. Nombre el caso por su código."))
    elif values:
        lines.append(text(lang, "En la sala queda en cada dispositivo. Anótelo aquí con «anotar C-…»: así queda sellado y se puede destruir."))
    lines.append(text(lang, "Escríbalo otra vez sin eso." if gone else "Puede borrar su mensaje y escribirlo de otra manera, o dejarlo así."))
    return lines


def words_of(content: Mapping[str, Any], *, replied: bool) -> str | None:
    """Everything she wrote that some client shows: words, caption, file name, place, and both sides of an edit, each once.

    Nothing is skipped for its form. Only a reply's own quote is: it stands already where it was said.
    """
    if str(content.get("msgtype")).startswith("m.key."):
        return None
    said: dict[str, str] = {}
    for given in (content, content.get("m.new_content")):
        for words in _shown(given, replied=replied) if isinstance(given, Mapping) else ():
            said.setdefault("".join(filter(str.isalnum, words)), words)
    return "\n\n".join(words for words in said.values() if words.strip()) or None


def _shown(given: Mapping[str, Any], *, replied: bool) -> Iterator[str]:
    for name in ("body", "filename", "geo_uri", "org.matrix.msc1767.text", "m.text"):
        words = given.get(name)
        if isinstance(words, str):
            words = words.removeprefix("geo:").replace(",", ", ") if name == "geo_uri" else words
            yield without_quotes(words) if replied and _REPLY.match(words) else words
    html = given.get("formatted_body")
    if isinstance(html, str):
        yield unescape(_TAG.sub("", _BREAK.sub("\n", _QUOTED.sub("", html, count=1) if replied else html)))


# --- words


def classes(unit: Unit, lang: str, found: Sequence[Found]) -> str:
    """What was seen, by class and each once: «un teléfono, su nombre legal»."""
    names = load(unit.pack.id).labels
    said = (_class(unit, lang, one) if one.sort == "known" or one.what not in names else names[one.what].get(lang) for one in found)
    return ", ".join(dict.fromkeys(said))


def _class(unit: Unit, lang: str, one: Found) -> str:
    return text(lang, "un dato del caso ({field})", field=w.low(w.field_label(unit, one.what, lang)))


def kinder(unit: Unit, lang: str, found: Sequence[Found]) -> list[str]:
    """The kinder sentence of each rule, once."""
    lexicon = load(unit.pack.id)
    rules = dict.fromkeys(one.rule for one in found if one.rule)
    return [rule.kinder.get(lang) for rule in map(lexicon.rule, rules) if rule]
