"""What she hears or reads is easy to hear and read (R9)."""

from __future__ import annotations

import re

import pytest
import textstat as textstat_module

from hub.base.i18n import placeholders
from hub.chat.person_texts import CONTACT_CARD, NOTICE_VERSION, NOTICES, SHEET, consent_notice, contact_card

textstat = textstat_module.textstat
CARD = {"place": "Centro Uno", "phone": "555 0100", "hours": "de lunes a viernes, de 8 a 4", "emergency": "555 0199"}
LEGAL = "consentimiento|titular|finalidad|tratamiento de datos|revocar|normativa|cifrad|protocolo|derivaci|víctima|denuncia"


@pytest.mark.parametrize("version", NOTICES)
def test_the_spanish_notices_are_easy(version: str) -> None:
    textstat.set_lang("es")
    lines = consent_notice("es", version)
    assert textstat.fernandez_huerta(" ".join(lines)) >= 70
    assert min(textstat.fernandez_huerta(line) for line in lines) >= 70


def test_the_spanish_contact_card_is_easy() -> None:
    textstat.set_lang("es")
    assert textstat.fernandez_huerta(" ".join(contact_card("es", address="la calle Uno 23", **CARD))) >= 70


@pytest.mark.parametrize("version", NOTICES)
def test_the_english_notices_are_short_sentences_of_short_words(version: str) -> None:
    """A Flesch score would need a dictionary that is fetched at run time."""
    sentences = [s for line in consent_notice("en", version) for s in re.split(r"(?<=[.?!])\s+", line)]
    words = re.findall(r"[a-z']+", " ".join(sentences).lower())
    assert len(words) / len(sentences) <= 12
    assert max(len(s.split()) for s in sentences) <= 20
    assert sum(len(w) > 6 for w in words) / len(words) < 0.08


@pytest.mark.parametrize("version", NOTICES)
def test_no_codes_nor_legal_words(version: str) -> None:
    assert not re.search(LEGAL, " ".join(consent_notice("es", version)), re.IGNORECASE)


@pytest.mark.parametrize("version", NOTICES)
def test_both_languages_say_as_much(version: str) -> None:
    assert len(consent_notice("es", version)) == len(consent_notice("en", version))
    assert consent_notice("qu", version) == consent_notice("es", version)


def test_the_notice_of_today_exists() -> None:
    assert NOTICE_VERSION in NOTICES
    with pytest.raises(KeyError):
        consent_notice("es", "0")


def test_the_sheet_of_who_knows_what_is_easy_in_every_line() -> None:
    textstat.set_lang("es")
    given = {
        "place": "El centro de salud", "fields": "su nombre, cómo llamarla", "until": "3 de mayo de 2027", "when": "2 de mayo de 2027",
        "today": "1 de mayo de 2027", "basis": "lo manda un juez", "by": "Ana",
    }  # fmt: skip
    for name, sheet in SHEET.items():
        assert [placeholders(a) for a in sheet.es] == [placeholders(b) for b in sheet.en], name
        said = " ".join(line.format(**given) for line in sheet.es)
        assert textstat.fernandez_huerta(said) >= 70, (name, textstat.fernandez_huerta(said))
        assert not re.search(LEGAL, said, re.IGNORECASE)


def test_the_card_says_nothing_of_what_happened() -> None:
    assert [placeholders(a) for a in CONTACT_CARD.es] == [placeholders(b) for b in CONTACT_CARD.en]
    card = " ".join(contact_card("es", **CARD))
    assert not re.search(r"violencia|maltrat|trabajo sexual|agres|mujer|salud mental|{", card)


def test_a_card_without_an_address_for_a_place_that_stays_unknown() -> None:
    assert len(contact_card("es", **CARD)) == len(contact_card("es", address="la calle Uno 23", **CARD)) - 1
