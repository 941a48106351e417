"""A plain wish in a thread (`derívala a Comas`, `relato: …`) that is no firm command: asked back with what to type, and nothing done (I02).

Only what begins like a wish to us: an imperative of one of our verbs, best with its pronoun, or the name of a field and a colon. Where an imperative
may as well tell what somebody else does (`deriva la doctora`), what follows must fit it; a question is talk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.chat import grammar, suggested
from hub.chat import wording as w
from hub.chat.context import Context
from hub.chat.fold import Word, fold, words
from hub.chat.here import Here
from hub.chat.meant import referral_code
from hub.chat.names import find
from hub.chat.plain import message, paragraph
from hub.chat.rest import single
from hub.chat.saying import Doers, reply
from hub.chat.verbs import conjugated, skip_polite

_PRONOUN = re.compile(r"(?:la|lo|las|los|le|les|me|nos)$")
_INFINITIVES = {
    "set": (("anotar", None), ("apuntar", None), ("registrar", None), ("agregar", None), ("corregir", "corrig")),
    "refer": (("derivar", None), ("referir", "refier"), ("remitir", None)),
    "withdraw": (("retirar", None), ("revocar", None)),
    "close": (("cerrar", "cierr"),),
}


def _imperatives(infinitive: str, strong: str | None) -> set[str]:
    """The forms in which somebody is told to do it: neither «derivo» nor «derivamos», which tell what is done."""
    every = conjugated(infinitive, strong)
    bare = {form for form in every if not _PRONOUN.search(form) and not form.endswith(("mos", "o"))}
    return {form for form in every if form in bare or _PRONOUN.sub("", form) in bare} - {infinitive}


_FORMS = {form: key for key, verbs in _INFINITIVES.items() for verb in verbs for form in _imperatives(*verb)}
_TELL = frozenset(form for form in _FORMS if re.fullmatch(r"\w+[aei]r(?:la|lo|las|los|le|les|me|nos)", form))
"""`derivarla mañana sería bueno`: what is thought of doing."""
_SAY = frozenset({"dile", "diles", "digale", "digales", "decirle", "decirles", "decile", "deciles", "escribele", "escribeles"})
_BARE = {
    "set": re.compile(r"(?:anota|anote|apunta|apunte|agrega|agregue)\b.*"),
    "refer": re.compile(r"\w+(?: (?:a|al|por|ya|caso|el caso)\b.*)?"),
    "withdraw": re.compile(r"\w+(?: (?:todo|(?:el |su )?(?:consentimiento|permiso))\b.*)?"),
    "close": re.compile(r"\w+(?: (?:ya|nomas|(?:el |este |su )?caso)\b.*)?"),
}
"""What a bare imperative needs around it: the same word tells what a third person does."""
_UNDO = re.compile(r"(?:no|uy|ay|ups|perdon|espera),? (?:deshacer|deshaz|deshazlo|undo)|me equivoque(?:,? \S+){0,3}")
_NO_MORE = re.compile(r"(?:ella |la senora )?(?:ya )?no quiere (?:que|q|k) (?:\w+ )?(?:sepa|sepan|vean|vea|tengan|compartan|compartamos|sepamos)\b.*")
LONGEST = 160


def wish(unit: Unit, here: Here, said: str) -> c.Command | None:
    """What somebody seems to want of us, or None for talk."""
    plain, every = fold(said)[:LONGEST], words(said)
    found = every if every and every[0].folded in ("ya", "y", "me") else skip_polite(every)  # `ya anoté`: it is done
    if not found or here.subject is None:
        return None
    if _wants_to_say(said, found) and referral_code(unit, here, None):
        return c.BadArgument(verb="say", what="explicit", given="")
    if set(said) & set("?¿"):
        return None
    if _UNDO.fullmatch(plain):
        return c.Wish(verb="undo")
    if unit.cases.get(here.subject) is None:  # what follows is hers to do who has the case
        return None
    if _NO_MORE.fullmatch(plain):
        return c.Wish(verb="withdraw")
    return _label(said, here.context) or _told(said, found)


def _wants_to_say(said: str, found: Sequence[Word]) -> bool:
    first, *more = [word.folded for word in found]
    if first in _SAY:
        return not set(said) & set("?¿") and bool(more)
    return first == "decir" and bool(more) and more[0] not in grammar.NOTE_WORDS and not said.lstrip().startswith("¿")


def _label(said: str, context: Context) -> c.Wish | None:
    """`relato: …`: the name of a field, and what is to be noted."""
    name, colon, value = said.partition(":")
    if not colon or not value.strip() or len(name.split()) > 4 or not fold(name):
        return None
    field = find(name, single(context)).id
    return c.Wish(verb="set", field=field, instead=f"anotar {said.strip()}") if field else None


def _told(said: str, found: Sequence[Word]) -> c.Wish | None:
    """`anota …`, `derívala …`: with its pronoun it is a wish; bare, only where what follows fits."""
    first, rest = found[0].folded, said[found[0].end :]
    key = _FORMS.get(first)
    past = said[found[0].start : found[0].end].lower().endswith(("é", "í"))
    if key is None or past or ((first in _TELL or not _PRONOUN.search(first)) and not _BARE[key].fullmatch(fold(said[found[0].start :]))):
        return None
    infinitive = {"set": "anotar", "refer": "derivar", "withdraw": "retirar", "close": "cerrar"}[key]
    return c.Wish(verb=key, instead=f"{infinitive}{rest}" if key in ("set", "refer") else "")


SAID = {
    "set": mark("{code}: no anoté nada. ¿Lo anoto? Escriba «anotar», el dato, dos puntos y lo que va: «anotar {field}: …»."),
    "refer": mark("{code}: no derivé nada. ¿La derivo? Escriba «derivar» y le muestro a dónde se puede; primero verá lo que saldría."),
    "withdraw": mark("{code}: no retiré nada. Si ella ya no quiere que lo tengan, escriba «retirar»; primero le muestro qué se detiene."),
    "close": mark("{code}: no lo cerré. Si ya terminó, escriba «cerrar» y le pregunto cómo."),
    "undo": mark("No deshice nada. Para quitar lo último escriba solo «deshacer» (1 minuto); un dato se corrige anotándolo otra vez."),
}
"""Never her words: only what to type."""


def _wish(unit: Unit, here: Here, command: c.Wish) -> None:
    case = unit.cases.get(here.subject or "")
    field = w.low(w.field_label(unit, command.field or "mental_health_summary", here.lang))
    whole = grammar.parse(command.instead, here.context) if command.instead else None
    by_yes = isinstance(whole, c.SetField | c.Refer) and suggested.offer(unit, here, command.instead)
    more = " " + text(here.lang, "Si es eso, responda «sí».") if by_yes else ""
    said = text(here.lang, SAID[command.verb], code=case.code if case else "", field=field)
    reply(unit, here, message(paragraph(said + more)))


DOERS: Doers = {c.Wish: _wish}
