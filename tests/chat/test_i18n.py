"""Languages: English complete, placeholders equal, dates with weekday, time and city."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.base import i18n
from hub.chat import verbs
from hub.chat.fold import words

LIMA = ZoneInfo("America/Lima")
AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def test_english_is_complete_and_its_placeholders_are_equal() -> None:
    used = i18n.used_messages()
    assert len(used) > 40
    assert i18n.gaps("en", used) == []


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2026-11-23T15:00:00+00:00", "2026-11-23 10:00 (Lima)"),
        ("2026-11-23T10:00", "2026-11-23 10:00 (Lima)"),
        ("1970-01-01T00:00:00+00:00", ("nunca", "never")),
        ("?", "?"),
    ],
)
def test_a_time_beside_any_language_has_its_zone_and_the_beginning_of_time_is_never(iso: str, shown: object) -> None:
    assert i18n.stamped(iso, "America/Lima") == shown


def test_every_spanish_sentence_is_a_sound_template() -> None:
    for msgid in i18n.used_messages():
        for sentence in (msgid,) if isinstance(msgid, str) else msgid:
            i18n.placeholders(sentence)


def test_the_catalogue_holds_no_sentence_that_nobody_speaks() -> None:
    spoken = {m if isinstance(m, str) else m[0] for m in i18n.used_messages()}
    kept = {m.id if isinstance(m.id, str) else m.id[0] for m in i18n.catalogue("en") if m.id}
    assert kept - spoken == set()


def _commands(sentence: str) -> list[str]:
    """The keys of the verbs that a sentence tells people to write, in order."""
    quoted = [q.replace("!tk ", "") for q in re.findall(r"«([^«»]*)»|“([^“”]*)”", sentence) for q in q if q]
    found = [verbs.match_verb(words(re.sub(r"\{\w+\}|…", " ", q))) for q in quoted]
    return [match[0].key for match in found if match is not None]


def test_what_an_english_sentence_tells_people_to_write_is_understood() -> None:
    """Each quoted command is the same command in both languages: help must never teach a word that is then not understood."""
    taught = 0
    for message in i18n.catalogue("en"):
        if isinstance(message.id, str) and isinstance(message.string, str):
            spanish, english = _commands(message.id), _commands(message.string)
            assert english == spanish, message.id
            taught += len(spanish)
    assert taught > 30


@pytest.mark.parametrize("label", ["abrir", "anotar", "casos", "control", "derivar", "devolver", "quién sabe", "retirar", "ver C-…", "decir: …"])
def test_a_verb_named_alone_is_the_same_verb_in_english(label: str) -> None:
    spanish, english = _commands(f"«{label}»"), _commands(f"“{i18n.text('en', label)}”")
    assert spanish == english != []


def test_an_unknown_language_is_spanish() -> None:
    assert i18n.text("qu", "Sí") == i18n.text("es", "Sí") == "Sí"
    assert i18n.text("en", "Sí") == "Yes"
    assert i18n.language("EN-gb") == "en"
    assert i18n.language(None) == "es"


def test_braces_in_a_value_stay_braces() -> None:
    """I06: a value is never a template."""
    assert i18n.text("es", "Entendí: {when}.", when="{when.__class__} %s {0}") == "Entendí: {when.__class__} %s {0}."


def test_a_missing_parameter_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        i18n.text("es", "Entendí: {when}.")


@pytest.mark.parametrize("sentence", ["{0}", "{}", "{a.b}", "{a!r}", "{a:>5}", "{a[0]}"])
def test_only_plain_names_are_placeholders(sentence: str) -> None:
    with pytest.raises(ValueError, match="placeholder"):
        i18n.placeholders(sentence)


def test_plurals() -> None:
    assert i18n.plural("es", "{n} caso", "{n} casos", 1) == "1 caso"
    assert i18n.plural("es", "{n} caso", "{n} casos", 0) == "0 casos"
    assert i18n.plural("en", "{n} cosa que nadie tradujo", "{n} cosas que nadie tradujo", 2) == "2 cosas que nadie tradujo"


def test_dates_carry_weekday_date_time_and_city() -> None:
    assert i18n.date("es", AT, LIMA) == "lun 23 nov 2026 10:00 (Lima)"
    assert i18n.date("es", AT, LIMA, now=AT) == "lun 23 nov 10:00 (Lima)"
    assert i18n.date("en", AT, LIMA, now=AT) == "Mon 23 Nov 10:00 (Lima)"
    assert i18n.date("es", AT, ZoneInfo("America/Mexico_City"), now=AT) == "lun 23 nov 09:00 (Mexico City)"


def test_a_time_that_happens_twice_shows_its_offset() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    first, second = (i18n.date("es", datetime(2026, 10, 25, hour, 30, tzinfo=UTC), madrid) for hour in (0, 1))
    assert "UTC+02:00" in first
    assert "UTC+01:00" in second
    assert "02:30" in first
    assert "02:30" in second


def test_extraction_reads_calls_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'text(lang, "uno")\nself.t("dos" if x else "tres")\nplural(lang, "{n} a", "{n} b", n)\nmark("cuatro")\n'
        '# text(lang, "no")\nsqlalchemy.text("select 1")\ntext(lang, variable)\n',
        encoding="utf-8",
    )
    assert set(i18n.used_messages(tmp_path)) == {"uno", "dos", "tres", "cuatro", ("{n} a", "{n} b")}


def test_gaps_are_found() -> None:
    assert i18n.gaps("en", ["esta frase no existe"]) == ["no translation: 'esta frase no existe'"]
