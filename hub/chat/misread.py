"""One part of a command was not understood, or is missing: which, how it is written, and the nearest readings."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.commands import BadArgument
from hub.chat import verbs
from hub.chat import wording as w
from hub.chat.names import find
from hub.chat.plain import Message, message, paragraph
from hub.chat.plain import value as clean


def bad_argument(unit: Unit, lang: str, command: BadArgument, *, by_yes: bool = False) -> Message:
    """One part was not understood or is missing: which, an example, and the nearest readings. `by_yes`: a «sí» takes the one there is."""
    given = clean(command.given, 60)
    missing = (not given or command.what == "yes_no") and command.what != "explicit"
    template = (MISSING.get(command.verb) if missing else None) or MISREAD.get(command.what, MISREAD["extra"])
    if command.what == "value" and find(given, w.field_names(unit)).id is not None:
        template = MISREAD["no_value"]
    verb = verbs.BY_KEY[command.verb].label(lang) if command.verb in verbs.BY_KEY else command.verb
    head = text(lang, template, given=given, verb=verb)
    names = suggested_names(unit, lang, command)
    offered = mark("El protocolo pide: {names}.") if command.what == "all_but" else mark("¿Quiso decir: {names}?")
    more = [text(lang, offered, names=", ".join(names))] if names else []
    more += [text(lang, "Si es eso, responda «sí».")] if by_yes else []
    return message(paragraph(head, *more))


def suggested_names(unit: Unit, lang: str, command: BadArgument) -> list[str]:
    """The nearest readings, as they are shown."""
    return [_suggested(unit, lang, command.what, s) for s in command.suggestions]


MISSING = {
    "set": mark("¿Qué dato anoto? Por ejemplo: «anotar riesgo: alto». Para ver los que hay: «ayuda anotar»."),
    "say": mark("Falta el mensaje. Escriba «decir: …»."),
    "share": mark("Escríbalo completo: «compartir a institución por necesidad: dato, dato porque …». No salió nada."),
    "duty": mark(
        "¿Su turno? Escriba «guardia sí» o «guardia no». La guardia del lenguaje la ve y la cambia administración en el servidor: tinkuy guard show."
    ),
}
"""A verb alone that needs more."""
MISREAD = {
    "date": mark("No entendí la fecha «{given}». Por ejemplo: mañana a las 10, el lunes, en 3 días."),
    "date_past": mark("Esa fecha ya pasó. Escriba una por venir, por ejemplo «mañana a las 10»."),
    "date_far": mark("Esa fecha queda demasiado lejos. Escriba una más cercana."),
    "institution": mark("No conozco la institución «{given}»; no salió nada. Para ver a cuáles se puede: «derivar» con el código del caso."),
    "need": mark("No entendí la necesidad «{given}». Escriba «derivar» con el código y le muestro las que hay."),
    "purpose": mark("No entendí para qué: «{given}». Escriba «consentimiento» con el código y le pregunto paso a paso."),
    "legal_basis": mark("No conozco la base legal «{given}»; no registré nada. Escriba «base legal» con el código y le muestro las que hay."),
    "mode": mark("No entendí «{given}». ¿Cómo lo dio: oral, escrito o por representante?"),
    "field": mark("No conozco el dato «{given}». Para ver los que hay: «ayuda anotar»."),
    "all_but": mark("No anoté nada. Con «todo menos …» se quita algo de lo que el protocolo pide; no entendí qué: {given}."),
    "after_but": mark(
        "No anoté nada: no entendí si «{given}» va con lo que ella acepta o con lo que no quiere. Los datos van al final: «a … para … campos todo "
        "menos …». Si a cada institución le da algo distinto, anote un consentimiento para cada una."
    ),
    "value": mark("No conozco «{given}» como respuesta a ese dato; no anoté nada. Pruebe con otra palabra."),
    "no_value": mark("Falta lo que anoto. Por ejemplo: «anotar {given}: …»."),
    "name": mark("Ese nombre es muy largo. Basta uno corto, puede ser inventado."),
    "explicit": mark("No envié nada: parecía una nota entre ustedes. Para enviarlo escriba «decir: …»."),
    "extra": mark("No entendí «{given}», así que no hice nada. Para ver cómo se escribe: «ayuda {verb}»."),
}
"""What was not understood, by `BadArgument.what`."""
_LISTS = {"need": "needs", "purpose": "purposes", "mode": "consent_modes", "legal_basis": "legal_bases"}


def _suggested(unit: Unit, lang: str, what: str, found: str) -> str:
    if what == "institution":
        return w.named(unit, found)
    if what in ("field", "all_but"):
        return w.field_label(unit, found, lang)
    lists = unit.pack.vocabulary.lists
    name = _LISTS.get(what) or next((f.codes for f in unit.pack.vocabulary.fields.values() if f.codes and found in lists[f.codes]), None)
    return w.term(unit, name, found, lang) if name else found
