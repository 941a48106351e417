"""Help that fits the room and the role: short, with the verbs that this person may use here (chat rule 2)."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.chat import verbs
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.plain import Line, Message, code, listing, message, paragraph

DESK = (
    ("abrir", mark("abrir un caso: «abrir Luz, mañana a las 10»")),
    ("consentimiento", mark("anotar lo que ella acepta compartir")),
    ("derivar", mark("derivar: «derivar C-… a institución por necesidad»; primero ve todo lo que saldría")),
    ("control", mark("programar un seguimiento: «control C-… en 3 días»")),
    ("quién sabe", mark("ver qué institución tiene qué dato")),
    ("retirar", mark("retirar lo compartido, todo o una parte")),
    ("ver", mark("ver los datos en su chat directo, por unos minutos")),
    ("casos", mark("ver lo pendiente")),
)
CASE = (
    ("anotar", mark("anotar un dato: «anotar riesgo: alto»")),
    ("consentimiento", mark("anotar lo que ella acepta compartir")),
    ("derivar", mark("derivar: «derivar a institución por necesidad»")),
    ("control", mark("programar un seguimiento: «control el lunes a las 10»")),
    ("quién sabe", mark("ver qué institución tiene qué dato")),
    ("retirar", mark("retirar lo compartido, todo o una parte")),
    ("decir: …", mark("escribir a la otra institución; sin «decir» queda entre ustedes")),
    ("cerrar", mark("cerrar el caso con su resultado")),
)
REFERRAL = (
    ("aceptar", mark("tomar la derivación")),
    ("rechazar", mark("no tomarla, con un motivo de la lista")),
    ("ver", mark("ver los datos en su chat directo, por unos minutos")),
    ("pedir … para …", mark("pedir un dato más y decir para qué")),
    ("decir: …", mark("escribir a la otra institución; sin «decir» queda entre ustedes")),
    ("avance en curso", mark("avisar que ya la atienden")),
    ("resultado", mark("terminar y avisar cómo resultó")),
    ("devolver", mark("devolverla; los datos se destruyen aquí")),
)
DIRECT = (
    ("ver C-…", mark("ver los datos de un caso, por unos minutos")),
    ("casos", mark("ver lo pendiente")),
    ("guardia sí", mark("decir si está de guardia: «guardia sí» o «guardia no»")),
    ("abrir", mark("abrir un caso: «abrir Luz, mañana a las 10»")),
)
ADMIN = (("ayuda", mark("esta sala recibe avisos; el personal, los enlaces y las llaves se manejan con la orden «tinkuy»")),)


def help_text(unit: Unit, here: Here, topic: str | None) -> Message:
    """Short help for this place, or about one verb."""
    if topic:
        return _about(unit, here, topic)
    rows = _rows(unit, here)
    start = text(here.lang, "Escriba aquí, con «!tk» delante en la sala o sin nada en un hilo o en el chat directo:")
    lines: list[Line] = [[code(verb), f" — {text(here.lang, what)}"] for verb, what in rows]
    foot = text(here.lang, "Puede escribirlo a su manera; si dudo, pregunto. «deshacer» y «cancelar» siempre valen.")
    return message(paragraph(start), listing(lines), paragraph(foot))


def unclear_text(unit: Unit, here: Here, suggestions: tuple[str, ...]) -> Message:
    """Not understood: the nearest verbs, or the short help."""
    if not suggestions:
        return help_text(unit, here, None)
    words = ", ".join(f"«{s}»" for s in suggestions)
    return message(paragraph(text(here.lang, "No le entendí. ¿Quiso decir {words}? Escriba «ayuda» para ver todo. No hice nada.", words=words)))


def _rows(unit: Unit, here: Here) -> tuple[tuple[str, str], ...]:
    if here.purpose.startswith("direct:"):
        return DIRECT
    if here.purpose == "admin":
        return ADMIN
    if here.subject and unit.referrals.get(here.subject):
        return REFERRAL
    return CASE if here.subject else DESK


def _about(unit: Unit, here: Here, topic: str) -> Message:
    matched = verbs.BY_KEY.get(topic)
    wanted = matched.es if matched else topic
    found = [what for verb, what in (*DESK, *CASE, *REFERRAL, *DIRECT) if verb.split()[0].rstrip(":") == wanted.split()[0]]
    lines: list[str] = [text(here.lang, found[0])] if found else []
    if wanted == "derivar":
        peers = [f"{w.institution(unit, p.id)} ({p.id})" for p in unit.peers.all(state="confirmed", order="id")]
        lines.append(text(here.lang, "Enlazadas: {names}", names=", ".join(peers) or "—"))
        needs = ", ".join(t.label.get(here.lang) for t in unit.pack.vocabulary.needs.values())
        lines.append(text(here.lang, "Necesidades: {needs}", needs=needs))
    if wanted == "anotar":
        lines.append(text(here.lang, "Datos: {fields}", fields=w.field_list(unit, list(unit.pack.vocabulary.fields), here.lang)))
    return message(paragraph(*lines)) if lines else help_text(unit, here, None)
