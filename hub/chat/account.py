"""Her account, told once: a gentle dialogue in the direct chat; who already heard it and when; and why, when she is to be asked again (R23)."""

from __future__ import annotations

from hub.actions import account
from hub.actions.common import find_referral
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases import events as e
from hub.cases.answers import AGAIN_REASONS
from hub.cases.lifecycle import Side
from hub.cases.records import Account, Case, Question, Referral
from hub.chat import dialogue, talk
from hub.chat import wording as w
from hub.chat.cards import case_key, referral_key
from hub.chat.here import Here
from hub.chat.meant import case_code
from hub.chat.options import ask_her, put_choices
from hub.chat.plain import message, paragraph
from hub.chat.posting import Place, close_questions, put
from hub.chat.saying import desk_only, say
from hub.chat.told import told_line


def tell_account(unit: Unit, here: Here, command: c.TellAccount) -> tuple[c.Command, ...]:
    """`relato`: what is known of it; and when nothing is, or she is to be asked again, the dialogue. Never in the room where everybody reads."""
    desk_only(here)
    given = command.case or here.subject
    if given and (given.startswith("R-") or unit.referrals.get(given)):
        _held(unit, here, find_referral(unit, given))
        return ()
    case, known = account.provenance(unit, case_code(unit, here, given))
    again = known is not None and known.again_until is not None and known.again_until > unit.now
    if known is not None and not again and not command.words:
        _told(unit, here, case, known)
        return ()
    if not here.purpose.startswith("direct:"):
        raise Refused("account_in_direct", code=case.code)
    if command.words and command.teller:
        account.tell(
            unit, here.person.id, case.id, command.words, teller=command.teller, mode=command.mode, language=command.language
        )  # fmt: skip
        kept = mark("{code}: su relato quedó guardado, con quién lo oyó y cuándo. Así nadie tiene que preguntarle otra vez.")
        say(unit, here, kept, code=case.code)
        return ()
    return talk.begin(unit, here, dialogue.start_account(here.context, c.TellAccount(case=case.code, words=command.words)), case.id)


def _told(unit: Unit, here: Here, case: Case, known: Account) -> None:
    said = mark("{code}: ya lo contó ({source}). Está guardado: «ver {code} relato». Para preguntarle otra vez: «volver a preguntar {code}».")
    say(unit, here, said, code=case.code, source=account.source(unit, known))


def _held(unit: Unit, here: Here, referral: Referral) -> None:
    line = told_line(unit, referral, here.lang)
    if line is None:
        raise Refused("account_not_known", code=referral.code, institution=referral.peer)
    put(unit, here.place, message(paragraph(line)))


def ask_again(unit: Unit, here: Here, command: c.AskAgain) -> None:
    """`volver a preguntar`: the reason by number, unless it was said."""
    desk_only(here)
    given = command.code or here.subject
    referral = unit.referrals.get(given or "") or (unit.referrals.one(code=given) if given else None)
    if referral is not None and referral.side is Side.RECIPIENT:
        ref, code = referral.id, referral.code
    else:
        case, known = account.provenance(unit, case_code(unit, here, command.code))
        if known is None:
            raise Refused("not_told_yet", code=case.code)
        ref, code = case.id, case.code
    if command.reason is not None:
        account.ask_again(unit, here.person.id, ref, command.reason)
        return
    close_questions(unit, ref, ("again",))
    question = ask_her(unit, here, "again", ref, (*AGAIN_REASONS, "cancel"), code)
    head = text(here.lang, "{code}: ya lo contó una vez. ¿Por qué hace falta que lo cuente de nuevo? Quedará anotado.", code=code)
    put_choices(unit, here, question, head)


def choose_again(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, ("again",))
    if option == "cancel":
        say(unit, here, mark("{code}: bien, no se le pregunta otra vez."), code=question.code)
        return
    account.ask_again(unit, here.person.id, question.ref, option)


def tell_again(unit: Unit, event: e.AskedAgain) -> None:
    """That she is asked again and why, at whoever asks and at whoever she told first."""
    lang, reason = unit.me.language, text(unit.me.language, w.AGAIN[event.reason])
    case = unit.cases.get(event.about)
    referral = unit.referrals.get(event.about)
    if case is not None:
        said = mark("{code}: se le volverá a preguntar, porque {reason}. Escríbalo con «relato {code}» en el chat directo, hasta mañana.")
        put(unit, Place(purpose="desk", thread=case_key(case.id)), message(paragraph(text(lang, said, code=case.code, reason=reason))))
    elif referral is not None:
        mine = referral.side is Side.SENDER
        said = mark("{code}: {institution} le pregunta otra vez lo que ya contó aquí, porque {reason}. Quedó anotado en su caso.")
        said = said if mine else mark("{code}: anotado: se le vuelve a preguntar, porque {reason}. También lo sabe {institution}.")
        thread = case_key(referral.case) if referral.case else referral_key(referral.id)
        line = text(lang, said, code=referral.code, reason=reason, institution=w.institution(unit, referral.peer))
        put(unit, Place(purpose="desk", thread=thread), message(paragraph(line)))
