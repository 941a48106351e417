"""Spoken times: a corpus, and the laws (never in the past; the echo means the same instant)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases.commands import When
from hub.chat.when import Misread, read, understand, understand_until
from tests.chat.conftest import LIMA, NOW

CORPUS = """
en 3 días | 2026-11-24 09:00
en tres días | 2026-11-24 09:00
3 días | 2026-11-24 09:00
dentro de 3 dias | 2026-11-24 09:00
de aquí a 3 días | 2026-11-24 09:00
En 3 días. | 2026-11-24 09:00
en 3 días a las 4 de la tarde | 2026-11-24 16:00
en un día | 2026-11-22 09:00
en 2 horas | 2026-11-21 12:30
en dos horas | 2026-11-21 12:30
en 2h | 2026-11-21 12:30
en una hora | 2026-11-21 11:30
en una hora y media | 2026-11-21 12:00
en media hora | 2026-11-21 11:00
en 45 minutos | 2026-11-21 11:15
en quince minutos | 2026-11-21 10:45
en 1 hora y 20 minutos | 2026-11-21 11:50
en 48 horas | 2026-11-23 10:30
dentro de dos semanas | 2026-12-05 09:00
en veintiún días | 2026-12-12 09:00
en veinticinco días | 2026-12-16 09:00
en treinta y un días | 2026-12-22 09:00
en una quincena | 2026-12-06 09:00
en un mes | 2026-12-21 09:00
en 3 meses | 2027-02-21 09:00
en un año | 2027-11-21 09:00
mañana | 2026-11-22 09:00
MAÑANA | 2026-11-22 09:00
manana | 2026-11-22 09:00
mañana mismo | 2026-11-22 09:00
mañana a las 3 pm | 2026-11-22 15:00
mañana a las 3pm | 2026-11-22 15:00
mañana a las 3 p.m. | 2026-11-22 15:00
mañana a las 3 p. m. | 2026-11-22 15:00
mañana, a las 15:00 | 2026-11-22 15:00
mañana 15:00 | 2026-11-22 15:00
mañana a las 15h | 2026-11-22 15:00
mañana 15h30 | 2026-11-22 15:30
mañana a las 9 | 2026-11-22 09:00
mañana 9 | 2026-11-22 09:00
mañana a las 3 | 2026-11-22 15:00
mañana a las 03:00 | 2026-11-22 03:00
mañana a las 3 de la madrugada | 2026-11-22 03:00
mañana a las 10 de la mañana | 2026-11-22 10:00
mañana por la mañana | 2026-11-22 09:00
mañana en la mañana | 2026-11-22 09:00
mañana por la tarde | 2026-11-22 15:00
mañana por la noche | 2026-11-22 20:00
mañana temprano | 2026-11-22 08:00
mañana a primera hora | 2026-11-22 08:00
mañana al mediodía | 2026-11-22 12:00
mañana a las 12 | 2026-11-22 12:00
mañana a las 12 del mediodía | 2026-11-22 12:00
mañana a la una | 2026-11-22 13:00
mañana a la una y media | 2026-11-22 13:30
mañana a las cuatro y media | 2026-11-22 16:30
mañana a las 9 y cuarto | 2026-11-22 09:15
mañana a las 10 menos cuarto | 2026-11-22 09:45
mañana a las 9 y 20 | 2026-11-22 09:20
mañana a las 9 y media de la noche | 2026-11-22 21:30
mañana a las 9 en punto | 2026-11-22 09:00
mañana a eso de las 10 | 2026-11-22 10:00
mañana tipo 10 | 2026-11-22 10:00
mañana a las 9.30 | 2026-11-22 09:30
a las 10 de mañana | 2026-11-22 10:00
a las 3 pm mañana | 2026-11-22 15:00
pasado mañana | 2026-11-23 09:00
pasado mañana 9:30 | 2026-11-23 09:30
pasado mañana a las 9:30 | 2026-11-23 09:30
pasado mañana a las 9 de la mañana | 2026-11-23 09:00
hoy 18h | 2026-11-21 18:00
hoy a las 6 | 2026-11-21 18:00
hoy a las 6 de la tarde | 2026-11-21 18:00
hoy 18 | 2026-11-21 18:00
hoy día a las 4 | 2026-11-21 16:00
hoy a medianoche | 2026-11-22 00:00
esta noche | 2026-11-21 20:00
esta tarde | 2026-11-21 15:00
esta tarde a las 4 | 2026-11-21 16:00
esta noche a las 9 de la noche | 2026-11-21 21:00
a mediodía | 2026-11-21 12:00
al mediodía | 2026-11-21 12:00
a las 18 | 2026-11-21 18:00
18:00 | 2026-11-21 18:00
18h | 2026-11-21 18:00
a las 8 | 2026-11-22 08:00
a las 8 de la mañana | 2026-11-22 08:00
el lunes | 2026-11-23 09:00
lunes | 2026-11-23 09:00
Lun | 2026-11-23 09:00
este lunes | 2026-11-23 09:00
el próximo lunes | 2026-11-23 09:00
el lunes próximo | 2026-11-23 09:00
el lunes que viene | 2026-11-23 09:00
el lunes a las 10 | 2026-11-23 10:00
lunes 10:00 | 2026-11-23 10:00
el miércoles a las 11:15 | 2026-11-25 11:15
el viernes a las 4 de la tarde | 2026-11-27 16:00
viernes 4pm | 2026-11-27 16:00
el viernes por la noche | 2026-11-27 20:00
viernes a las 12 de la noche | 2026-11-28 00:00
el sábado | 2026-11-28 09:00
este sábado a las 6 | 2026-11-21 18:00
el domingo | 2026-11-22 09:00
10:00 del lunes | 2026-11-23 10:00
el lunes de la próxima semana | 2026-11-23 09:00
el jueves de la próxima semana a las 3 pm | 2026-11-26 15:00
la próxima semana | 2026-11-23 09:00
la semana que viene | 2026-11-23 09:00
el próximo mes | 2026-12-01 09:00
el mes que viene | 2026-12-01 09:00
fin de mes | 2026-11-30 09:00
a fines de enero | 2027-01-31 09:00
fin de año | 2026-12-31 09:00
23/11 10:00 | 2026-11-23 10:00
23/11 | 2026-11-23 09:00
23-11 10h | 2026-11-23 10:00
23/11/2026 10:00 | 2026-11-23 10:00
23/11/26 10:00 | 2026-11-23 10:00
23.11.2026 10:00 | 2026-11-23 10:00
el 23/11 a las 10 | 2026-11-23 10:00
2026-11-23 10:00 | 2026-11-23 10:00
2026-11-23T10:00 | 2026-11-23 10:00
2026-11-23T10:00:00 | 2026-11-23 10:00
2026-11-23 | 2026-11-23 09:00
23 de noviembre | 2026-11-23 09:00
el 23 de noviembre a las 10 | 2026-11-23 10:00
23 de Noviembre de 2026 | 2026-11-23 09:00
23 de noviembre del 2026 a las 5 de la tarde | 2026-11-23 17:00
lunes 23 de noviembre | 2026-11-23 09:00
lunes, 23 de noviembre, 10:00 | 2026-11-23 10:00
Lunes 23 de noviembre de 2026, a las 10:00 a. m. | 2026-11-23 10:00
23 nov 10:00 | 2026-11-23 10:00
1 de setiembre | 2027-09-01 09:00
primero de diciembre | 2026-12-01 09:00
1ro de diciembre | 2026-12-01 09:00
15 de enero | 2027-01-15 09:00
5/1 | 2027-01-05 09:00
29 de febrero | 2028-02-29 09:00
el 23 | 2026-11-23 09:00
el 23 a las 10 | 2026-11-23 10:00
el día 5 | 2026-12-05 09:00
el lunes 23 | 2026-11-23 09:00
mar 24 | 2026-11-24 09:00
lun 23 nov 10:00 (Lima) | 2026-11-23 10:00
mar 24 nov 10:00 (Lima) | 2026-11-24 10:00
lun 4 ene 2027 10:00 (Lima) | 2027-01-04 10:00
tomorrow | 2026-11-22 09:00
tomorrow at 3pm | 2026-11-22 15:00
today at 6 pm | 2026-11-21 18:00
tonight | 2026-11-21 20:00
the day after tomorrow | 2026-11-23 09:00
on Monday at 10 | 2026-11-23 10:00
next monday | 2026-11-23 09:00
in 3 days | 2026-11-24 09:00
in two weeks | 2026-12-05 09:00
in an hour | 2026-11-21 11:30
in half an hour | 2026-11-21 11:00
a week from now | 2026-11-28 09:00
November 23 at 10am | 2026-11-23 10:00
Nov 23rd | 2026-11-23 09:00
23 November 2026 10:00 | 2026-11-23 10:00
Monday 23 November at noon | 2026-11-23 12:00
tomorrow in the afternoon | 2026-11-22 15:00
next week | 2026-11-23 09:00
"""
PHRASES = [tuple(part.strip() for part in line.split(" | ")) for line in CORPUS.strip().splitlines()]

REFUSED = [
    ("ayer", Misread.UNKNOWN),
    ("", Misread.UNKNOWN),
    ("pronto", Misread.UNKNOWN),
    ("cuando pueda", Misread.UNKNOWN),
    ("en un rato", Misread.UNKNOWN),
    ("31/02", Misread.UNKNOWN),
    ("31 de abril", Misread.UNKNOWN),
    ("32/11", Misread.UNKNOWN),
    ("mañana a las 25", Misread.UNKNOWN),
    ("mañana a las 10:75", Misread.UNKNOWN),
    ("mañana a las 15 de la mañana", Misread.UNKNOWN),
    ("lunes 24 de noviembre", Misread.UNKNOWN),
    ("lunes 10", Misread.UNKNOWN),
    ("el lunes o el martes", Misread.UNKNOWN),
    ("abril", Misread.UNKNOWN),
    ("Luz", Misread.UNKNOWN),
    ("999 111 222", Misread.UNKNOWN),
    ("hoy", Misread.PAST),
    ("hoy a las 8", Misread.PAST),
    ("20/11", Misread.PAST),
    ("20 de noviembre", Misread.PAST),
    ("1/1/2020", Misread.PAST),
    ("2026-11-21 10:29", Misread.PAST),
    ("2026-11-21 10:30", Misread.PAST),
    ("en 0 minutos", Misread.PAST),
    ("esta mañana", Misread.PAST),
    ("en 40 años", Misread.FAR),
    ("1/1/2090", Misread.FAR),
    ("en 99999 años", Misread.UNKNOWN),
    ("9" * 200, Misread.UNKNOWN),
    ("\ud800\0", Misread.UNKNOWN),
]


def test_the_corpus_is_large() -> None:
    assert len(PHRASES) >= 120
    assert len(set(PHRASES)) == len(PHRASES)


@pytest.mark.parametrize(("phrase", "expected"), PHRASES)
def test_a_phrase_is_understood(phrase: str, expected: str) -> None:
    found = read(phrase, now=NOW, zone=LIMA)
    assert isinstance(found, When), found
    assert found.at.astimezone(LIMA).strftime("%Y-%m-%d %H:%M") == expected


@pytest.mark.parametrize(("phrase", "why"), REFUSED)
def test_a_phrase_is_refused(phrase: str, why: Misread) -> None:
    assert read(phrase, now=NOW, zone=LIMA) is why
    assert understand(phrase, now=NOW, zone=LIMA) is None


UNTIL = [
    ("3 meses", "2027-02-21 23:59"),
    ("hasta 3 meses", "2027-02-21 23:59"),
    ("por tres meses", "2027-02-21 23:59"),
    ("durante 90 días", "2027-02-19 23:59"),
    ("hasta el 31 de diciembre", "2026-12-31 23:59"),
    ("31/12", "2026-12-31 23:59"),
    ("un año", "2027-11-21 23:59"),
    ("hasta fin de año", "2026-12-31 23:59"),
    ("hoy", "2026-11-21 23:59"),
    ("6 months", "2027-05-21 23:59"),
    ("until 31 December", "2026-12-31 23:59"),
    ("dos semanas", "2026-12-05 23:59"),
]


@pytest.mark.parametrize(("phrase", "expected"), UNTIL)
def test_a_span_ends_with_its_last_day(phrase: str, expected: str) -> None:
    found = understand_until(phrase, now=NOW, zone=LIMA)
    assert isinstance(found, When), found
    assert found.at.astimezone(LIMA).strftime("%Y-%m-%d %H:%M") == expected


def test_for_ever_is_no_date() -> None:
    assert understand_until("indefinido", now=NOW, zone=LIMA) is Misread.UNKNOWN


def test_mar_is_tuesday_in_spanish_and_march_in_english() -> None:
    spanish, english = (understand("mar 24", now=NOW, zone=LIMA, language=lang) for lang in ("es", "en"))
    assert spanish is not None
    assert english is not None
    assert (spanish.at.month, english.at.month) == (11, 3)


def test_the_echo_speaks_the_language() -> None:
    spanish, english = (understand("23/11 10:00", now=NOW, zone=LIMA, language=lang) for lang in ("es", "en"))
    assert spanish is not None
    assert english is not None
    assert (spanish.echo, english.echo) == ("lun 23 nov 10:00 (Lima)", "Mon 23 Nov 10:00 (Lima)")


SANTIAGO, MADRID = ZoneInfo("America/Santiago"), ZoneInfo("Europe/Madrid")


def test_a_wall_time_that_is_skipped_moves_forward_by_the_gap() -> None:
    now = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
    found = understand("mañana a las 02:30", now=now, zone=MADRID)
    assert found is not None
    assert found.echo == "dom 28 mar 03:30 (Madrid)"


def test_of_a_wall_time_that_happens_twice_the_first_to_come_is_taken() -> None:
    before, between = datetime(2026, 10, 24, 12, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    first = understand("25/10 02:30", now=before, zone=MADRID)
    second = understand("25/10 02:30", now=between, zone=MADRID)
    assert first is not None
    assert second is not None
    assert (first.at, second.at) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert "UTC+02:00" in first.echo
    assert "UTC+01:00" in second.echo


moments = st.datetimes(datetime(2024, 1, 1), datetime(2035, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))
zones = st.sampled_from([LIMA, SANTIAGO, MADRID, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")])
languages = st.sampled_from(["es", "en"])
phrases = st.sampled_from([phrase for phrase, _ in PHRASES]) | st.builds(
    lambda n, unit: f"en {n} {unit}", st.integers(0, 400), st.sampled_from(["minutos", "horas", "días", "semanas", "meses"])
)


@given(phrases, moments, zones, languages)
def test_never_in_the_past_and_the_echo_means_the_same_instant(phrase: str, now: datetime, zone: ZoneInfo, language: str) -> None:
    found = understand(phrase, now=now, zone=zone, language=language)
    if found is not None:
        assert found.at > now
        again = understand(found.echo, now=now, zone=zone, language=language)
        assert again == found


@given(moments, st.integers(1, 60 * 24 * 3000), zones, languages)
def test_every_future_minute_can_be_named(now: datetime, minutes: int, zone: ZoneInfo, language: str) -> None:
    """Any echo of the hub can be typed back: the property above over all instants, clock changes included."""
    from hub.base.i18n import date

    at = now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
    again = understand(date(language, at, zone, now=now), now=now, zone=zone, language=language)
    assert again is not None
    assert again.at == at


@given(st.text(max_size=200), moments)
def test_any_text_is_answered(text: str, now: datetime) -> None:
    found = read(text, now=now, zone=LIMA)
    assert isinstance(found, Misread) or found.at > now


TIME_WORDS = "el la en 3 10 23 99 lunes mar nov de a las y media mañana pm 10:00 24:00 23/11 2026-02-30 próximo semana"
words = st.lists(st.sampled_from(TIME_WORDS.split()), max_size=7)


@given(words, moments, zones)
def test_any_mixture_of_time_words_is_answered(parts: list[str], now: datetime, zone: ZoneInfo) -> None:
    found = read(" ".join(parts), now=now, zone=zone)
    assert isinstance(found, Misread) or found.at > now
