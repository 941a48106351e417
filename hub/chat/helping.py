"""Help that fits the room and the role: short, with the verbs that this person may use here (chat rule 2)."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.lifecycle import Side, State
from hub.chat import verbs
from hub.chat import wording as w
from hub.chat.admin_verbs import admin_help
from hub.chat.fold import fold, words
from hub.chat.here import Here
from hub.chat.plain import Block, Line, Message, code, listing, message, paragraph, strong

FIRST = 4
"""So many verbs are explained; the others are only named (chat rule 2)."""
DESK = (
    (mark("abrir"), mark("un caso nuevo: «abrir Luz, mañana a las 10»")),
    (mark("consentimiento"), mark("lo que ella acepta compartir; le pregunto paso a paso")),
    (mark("derivar"), mark("a otra institución: «derivar C-…»; primero ve todo lo que saldría")),
    (mark("casos"), mark("lo de hoy y lo que espera respuesta")),
    (mark("anotar"), mark("un dato: «anotar C-… riesgo: alto»")),
    (mark("control"), mark("un aviso de seguimiento: «control C-… en 3 días»")),
    (mark("ver"), mark("sus datos en el chat directo, por unos minutos: «ver C-…»")),
    (mark("quién sabe"), mark("qué institución tiene qué dato: «quién sabe C-…»; para dárselo: «quién sabe C-… para ella»")),
    (mark("retirar"), mark("lo compartido, todo o una parte: «retirar C-…»")),
    (mark("relato"), mark("lo que ella contó, una sola vez: «relato C-…» en el chat directo")),
    (mark("volver a preguntar"), mark("si hace falta que lo cuente otra vez, con su motivo: «volver a preguntar C-…»")),
    (mark("base legal"), mark("una ley u orden en lugar de su permiso: «base legal C-… orden de juzgado para hogar-luz porque …»")),
    (mark("quitar base legal"), mark("que ya no valga, y vuelva lo que salió por ella: «quitar base legal C-…»")),
    (mark("cerrar"), mark("el caso, con su resultado: «cerrar C-…»")),
    (mark("reunir"), mark("una sala con otras instituciones sobre un caso: «reunir C-… a csmc-comas y hogar-luz»")),
    (mark("sumar"), mark("una institución más a una sala: «sumar csmc-comas a S-…»; primero ve qué cambiaría para todas")),
    (mark("sacar"), mark("una institución de una sala: «sacar csmc-comas de S-…»")),
    (mark("entrar"), mark("usted misma a una sala: «entrar S-…»")),
    (mark("salir"), mark("usted misma de una sala: «salir S-…»")),
    (mark("quién ve"), mark("quién está en una sala, qué muestra su tarjeta y por qué no más: «quién ve S-…»")),
    (mark("responsables"), mark("quién lleva el caso, quién actúa y para cuándo: «responsables S-…»")),
    (mark("terminar reunión"), mark("cerrar una sala: «terminar reunión S-…»")),
    (mark("guardia"), mark("si está de guardia: «guardia sí» o «guardia no»")),
)
CASE = (
    (mark("consentimiento"), mark("lo que ella acepta compartir; le pregunto paso a paso")),
    (mark("derivar"), mark("a otra institución; primero ve todo lo que saldría")),
    (mark("decir: …"), mark("a la otra institución; sin «decir» queda entre ustedes")),
    (mark("ver"), mark("sus datos en el chat directo, por unos minutos")),
    (mark("anotar"), mark("un dato: «anotar riesgo: alto»")),
    (mark("control"), mark("un aviso de seguimiento: «control el lunes a las 10»")),
    (mark("quién sabe"), mark("qué institución tiene qué dato")),
    (mark("reunir"), mark("una sala con las instituciones que la atienden; primero ve qué leerían todas")),
    (mark("retirar"), mark("lo compartido, todo o una parte")),
    (mark("cerrar"), mark("el caso, con su resultado")),
)
OFFERED = (
    (mark("aceptar"), mark("tomar la derivación; sus datos llegan después")),
    (mark("rechazar"), mark("no tomarla; le pregunto el motivo")),
)
REFERRAL = (
    (mark("ver"), mark("sus datos en el chat directo, por unos minutos")),
    (mark("decir: …"), mark("a la otra institución; sin «decir» queda entre ustedes")),
    (mark("avance"), mark("avisar que ya la atienden, o que está en espera")),
    (mark("resultado"), mark("terminar y avisar cómo resultó")),
    (mark("pedir … para …"), mark("un dato más, y para qué")),
    (mark("compartir"), mark("con otra institución, si su dueña da permiso: «compartir a … por …: teléfono, nombre porque …»")),
    (mark("emergencia"), mark("un dato que no se comparte, si su vida corre peligro: «emergencia dirección porque …»")),
    (mark("devolver"), mark("devolverla; los datos se destruyen aquí")),
)
DIRECT = (
    (mark("ver C-…"), mark("sus datos, por unos minutos")),
    (mark("casos"), mark("lo de hoy y lo que espera respuesta")),
    (mark("guardia sí"), mark("si está de guardia: «guardia sí» o «guardia no»")),
    (mark("abrir"), mark("un caso nuevo: «abrir Luz, mañana a las 10»")),
)
ADMIN = mark("Esta sala recibe avisos. El personal, los enlaces y las llaves se manejan en el servidor, con la orden «tinkuy».")


def help_text(unit: Unit, here: Here, topic: str | None) -> Message:
    """Short help for this place, or about one verb."""
    if topic:
        return _about(unit, here, topic)
    if here.purpose == "admin":
        return message(paragraph(text(here.lang, ADMIN)), *admin_help(here.lang))
    rows = [(text(here.lang, verb), text(here.lang, what)) for verb, what in _rows(unit, here)]
    lines: list[Line] = [[code(verb), f" — {what}"] for verb, what in rows[:FIRST]]
    blocks: list[Block] = [paragraph(_how(here)), listing(lines)]
    if rows[FIRST:]:
        blocks.append(paragraph(text(here.lang, "También: {verbs}.", verbs=" · ".join(verb for verb, _ in rows[FIRST:]))))
    foot = text(here.lang, "Escríbalo a su manera; si dudo, pregunto. Para saber más de uno: «ayuda {verb}».", verb=rows[0][0].split()[0])
    return message(*blocks, paragraph(foot))


def _how(here: Here) -> str:
    if here.purpose.startswith("direct:"):
        return text(here.lang, "Aquí escriba solo la palabra:")
    if here.subject:
        return text(here.lang, "En este hilo escriba solo la palabra:")
    return text(here.lang, "En la sala escriba «!tk» y la palabra, por ejemplo «!tk abrir». En un hilo o en el chat directo, solo la palabra:")


def unclear_text(unit: Unit, here: Here, suggestions: tuple[str, ...], *, by_yes: bool = False) -> Message:
    """Not understood: the nearest verbs, or where to see them all. `by_yes`: a «sí» does it."""
    if not suggestions:
        return message(paragraph(text(here.lang, "No le entendí y no hice nada. Escriba «ayuda» para ver lo que se puede aquí.")))
    near = ", ".join(f"«{s}»" for s in suggestions)
    if by_yes:
        said = mark("No le entendí. ¿Quiso decir {words}? Si es eso, responda «sí». Escriba «ayuda» para ver todo. No hice nada.")
        return message(paragraph(text(here.lang, said, words=near)))
    return message(paragraph(text(here.lang, "No le entendí. ¿Quiso decir {words}? Escriba «ayuda» para ver todo. No hice nada.", words=near)))


def _rows(unit: Unit, here: Here) -> tuple[tuple[str, str], ...]:
    if here.purpose.startswith("direct:"):
        return DIRECT
    referral = unit.referrals.get(here.subject or "")
    if referral and referral.side is Side.RECIPIENT:
        return OFFERED if referral.state is State.RECEIVED else REFERRAL
    return CASE if here.subject else DESK


def _about(unit: Unit, here: Here, topic: str) -> Message:
    found = verbs.match_verb(words(topic))
    if found is None:
        return help_text(unit, here, None)
    lang, verb = here.lang, found[0]
    rows = (*_rows(unit, here), *DESK, *CASE, *OFFERED, *REFERRAL)
    about = next((what for row, what in rows if row.split()[0].rstrip(":") == verb.es.split()[0]), None)
    lines: list[Line] = [[strong(verb.label(lang)), f" — {text(lang, about)}"]] if about else []
    if verb.key == "refer":
        peers = ", ".join(w.named(unit, p.id) for p in unit.peers.all(state="confirmed", order="id"))
        lines.append(text(lang, "Instituciones enlazadas: {names}", names=peers or "—"))
        lines.append(text(lang, "También en una línea: «derivar C-… a institución por necesidad»."))
    if verb.key in ("set", "ask"):
        lines += _fields(unit, lang, [word.folded for word in words(topic)][found[1] :])
    return message(paragraph(*lines)) if lines else help_text(unit, here, None)


def _fields(unit: Unit, lang: str, named: list[str]) -> list[Line]:
    """The fields of the class that was named (`ayuda anotar salud`), else the classes: all sixty at once nobody reads."""
    classes = {fold(text(lang, names[0])): name for name, names in w.GROUPS.items()}
    chosen = next((classes[word] for word in named if word in classes), None)
    if chosen:
        return w.by_class(unit, [f.id for f in unit.pack.vocabulary.fields_in(chosen)], lang)
    line = mark("Hay datos de: {classes}. Para ver los de una clase: «ayuda anotar {one}».")
    return [text(lang, line, classes=", ".join(classes), one=next(iter(classes)))]
