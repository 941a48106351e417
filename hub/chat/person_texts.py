"""What the person herself may hear or read: the consent notice and the contact card (R9, R12, R19).

Kept as data, apart from what caseworkers read: short sentences, everyday words, no codes, no legal terms. The tests hold the
Spanish to a Fernández-Huerta score of at least 70 and the English to short sentences of short words. A notice that was read to
somebody never changes: a new wording is a new version, and every consent remembers which one she heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub.base import i18n

NOTICE_VERSION = "1"
"""The consent notice that is read out today; goes into the consent record (`Consent.notice`)."""


@dataclass(frozen=True, kw_only=True)
class PersonText:
    """One text in both languages, a sentence or two per line, so that it can be read aloud with pauses."""

    es: tuple[str, ...]
    en: tuple[str, ...]

    def lines(self, language: str) -> tuple[str, ...]:
        """The lines in `language`; Spanish when unknown."""
        return self.en if i18n.language(language) == "en" else self.es


NOTICES: Mapping[str, PersonText] = MappingProxyType(
    {
        "1": PersonText(
            es=(
                "Lo que usted nos cuenta es privado.",
                "Nadie más lo sabe si usted no quiere.",
                "Para que otro lugar la ayude, le damos unos datos. Solo los que le hacen falta.",
                "Usted elige a quién, qué datos y hasta qué día.",
                "Puede decir que no. La vamos a atender igual.",
                "Puede cambiar de idea cuando quiera. Nos avisa y ese lugar borra lo que le dimos.",
                "Lo que alguien ya leyó o anotó en papel no se puede borrar.",
                "Si una ley pide guardar algo, se lo diremos.",
                "Si su vida corre peligro, tal vez demos aviso. Se lo diremos a usted.",
                "No le pedimos papeles. Todo es gratis.",
                "¿Me cuenta con sus palabras qué entendió? ¿Tiene dudas?",
            ),
            en=(
                "What you tell us is private.",
                "No one else knows it if you do not want them to.",
                "To let another place help you, we give them a few facts. Only the ones they need.",
                "You choose who gets them, which ones, and up to what day.",
                "You can say no. We will help you all the same.",
                "You can change your mind at any time. Tell us, and that place deletes what we gave them.",
                "What someone has read or put on paper can not be taken back.",
                "If a law says they must keep some of it, we will tell you.",
                "If your life is in danger, we may have to warn someone. We will tell you.",
                "We do not ask for papers. It is all free.",
                "Can you tell me in your own words what you heard? Is there something you want to ask?",
            ),
        ),
    }
)
"""Every notice ever read out, by version."""

SHEET: Mapping[str, PersonText] = MappingProxyType(
    {
        "head": PersonText(es=("Quién sabe qué de usted, hoy {today}",), en=("Who knows what about you, today {today}",)),
        "nobody": PersonText(es=("Nadie más que nosotras sabe de usted.",), en=("No one but us knows about you.",)),
        "active": PersonText(es=("{place} sabe esto: {fields}. Lo guarda hasta el {until}.",),
                             en=("{place} knows this: {fields}. They keep it until {until}.",)),
        "recalled": PersonText(es=("A {place} ya le pedimos que lo borre. Falta que nos diga que lo hizo.",),
                               en=("We asked {place} to delete it. They still have to tell us that they did.",)),
        "overdue": PersonText(es=("A {place} ya le pedimos que lo borre. Se tarda mucho en decir que lo hizo. Lo vamos a llamar.",),
                              en=("We asked {place} to delete it. They take too long to tell us that they did. We will call them.",)),
        "destroyed": PersonText(es=("{place} ya borró lo que le dimos. Nos lo firmó el {when}.",),
                                en=("{place} has deleted what we gave them. They signed that on {when}.",)),
        "retained": PersonText(es=("{place} tiene que guardar lo que le dimos hasta el {until}: {basis}. Luego lo borra.",),
                               en=("{place} has to keep what we gave them until {until}: {basis}. Then they delete it.",)),
        "emergency": PersonText(es=("{place} vio esto por una emergencia: {fields}. Lo pidió {by}. Se borra solo el {until}.",),
                                en=("{place} saw this in an emergency: {fields}. {by} asked for it. It is deleted on {until}.",)),
        "by_law": PersonText(es=("{place} sabe esto sin que usted diera permiso: {fields}. Por qué: {basis}. Lo guarda hasta el {until}.",),
                             en=("{place} knows this though you did not agree: {fields}. Why: {basis}. They keep it until {until}.",)),
        "foot": PersonText(es=("Puede cambiar de idea cuando quiera. Nos avisa y pedimos que lo borren.",
                               "Lo que alguien ya leyó o anotó en papel no se puede borrar."),
                           en=("You can change your mind at any time. Tell us, and we ask them to delete it.",
                               "What someone has read or put on paper can not be taken back.")),
        "foot_kept": PersonText(es=("Puede cambiar de idea cuando quiera. Nos avisa y pedimos que borren lo que no tienen que guardar.",
                                    "Lo que alguien ya leyó o anotó en papel no se puede borrar."),
                                en=("You can change your mind at any time. Tell us, and we ask them to delete what they do not have to keep.",
                                    "What someone has read or put on paper can not be taken back.")),
    }
)  # fmt: skip
"""The answer to "who has what of me", to print or read aloud (R75). No code and no name of hers; the kinds of facts are named."""

CONTACT_CARD = PersonText(
    es=(
        "{place}",
        "Llame al {phone}. Atienden {hours}.",
        "Vaya a {address}.",
        "Es gratis. No le piden papeles.",
        "Si corre peligro, llame ya al {emergency}.",
        "Puede volver cuando quiera.",
    ),
    en=(
        "{place}",
        "Call {phone}. They are there {hours}.",
        "Go to {address}.",
        "It is free. They do not ask for papers.",
        "If you are in danger, call {emergency} now.",
        "You can come back at any time.",
    ),
)
"""What she takes with her (R19). Says nothing of what happened to her nor what the place is for: safe to carry."""


def consent_notice(language: str, version: str = NOTICE_VERSION) -> tuple[str, ...]:
    """The lines to read to her before she agrees. Raises `KeyError` for a version that never was."""
    return NOTICES[version].lines(language)


def contact_card(language: str, *, place: str, phone: str, hours: str, emergency: str, address: str = "") -> tuple[str, ...]:
    """The lines of the card; the address line is left out where the address must stay unknown (a shelter)."""
    wanted = (line for line in CONTACT_CARD.lines(language) if address or "{address}" not in line)
    return tuple(line.format(place=place, phone=phone, hours=hours, emergency=emergency, address=address) for line in wanted)
