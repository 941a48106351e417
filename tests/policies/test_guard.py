"""The language guard: what it sees, what it leaves alone, and that nothing typed makes it fail, slow or talkative."""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.errors import PackError
from policies.guard import Known, Verdict, load, look, without
from policies.guard.folding import MOST
from policies.guard.lexicon import Lexicon, parse
from policies.guard.verdict import IDENTIFIERS, WORDS
from policies.packs import load as load_pack

PE = load("pe")
CHAT = Path(__file__).parents[2] / "bench" / "data" / "chat_pe.jsonl"
PHONE, NAME, DOCUMENT = "900123456", "Rosa Elena Inventada Quispe", "40000017"
HERS = (
    Known(field="legal_name", value=NAME), Known(field="phone", value=PHONE), Known(field="document_number", value=DOCUMENT),
    Known(field="address", value="Jr. Las Inventadas 345, Comas"), Known(field="birth_date", value="1994-05-03"),
    Known(field="email", value="rosa.inv@gmail.com"), Known(field="case_file_number", value="01234-2026-0-1801-JR-FT-05"),
    Known(field="trusted_contact", value="Julia Inventada Ramos, su hermana, 900 777 888"),
)  # fmt: skip


def classes(text: str, known: tuple[Known, ...] = ()) -> set[str]:
    return {found.what for found in look(text, PE, known).found}


def fields(text: str) -> set[str]:
    return {found.what for found in look(text, PE, HERS).found if found.sort == "known"}


SEEN = [
    ("dni", "su dni es 40000017"), ("dni", "Dni40000017"), ("dni", "40000017 verifiquen"), ("dni", "dni cuatro cero cero cero cero cero uno siete"),
    ("ce", "carné de extranjería 001000234"), ("ptp", "CPP 006000122"), ("passport", "pasaporte AB100023"), ("ruc", "20131312955"),
    ("foreign", "cédula V-12.000.345"), ("record", "historia clínica 200045"), ("phone", "llámala: 9 0 0 1 2 3 4 5 6"),
    ("phone", "+57 310 000 0123"), ("phone", "(044) 200 012"), ("phone", "９００1２３４５６"), ("phone",
    "novecientos no: nueve cero cero uno dos tres cuatro cinco seis"),
    ("phone", "su cel es 900\n123\n456"), ("phone", "900123\n456"), ("phone", "9OO123456"),
    ("phone", "900📞123📞456"), ("phone", "900 guion 123 guion 456"),
    ("phone", "novecientos, ciento veintitrés, cuatrocientos cincuenta y seis"), ("phone", "9·0·0·1·2·3·4·5·6"),
    ("phone", "la señora está en el CEM, 900 123 456"), ("phone", "vino al hospital 900123456"),
    ("phone", "fue a la comisaría, su casa: 01 536 1234"),
    ("email", "rosa.inv arroba gmail punto com"), ("card", "4111-1111-1111-1111"), ("account", "CCI 002-191-000012345678-90"),
    ("address", "vive en Jr. Las Inventadas 345"), ("address", "AA.HH. Los Inventados Mz K Lt 8"), ("address", "-12.046373, -77.042754"),
    ("address", "C/ Los Inventados, 14, 3º B"),
    ("address", "vive en Ctra. de la Inventada, s/n"), ("address", "Domicilio: Los Inventados 345"), ("address", "dirección: los inventados 345"),
    ("address", "Avda. de los Inventados n.º 12"), ("address", "Paseo de la Inventada 23, piso 2"), ("address", "vive en plaza inventada 14"),
    ("address", "Pza. Inventada, 3, 4º izq."), ("address", "Plaza Inventada 40"), ("address", "Carretera Inventada km 18,5"),
    ("birth_date", "nació el 3 de mayo de 1994"), ("birth_date", "03/05/1994"), ("mxid", "@rosa:csmc.example"),
    ("url", "facebook.com/rosa.inventada"), ("url", "ig @rosa.inv"), ("name", "se llama Rosa Inventada"),
    ("name", "vino Juana Pérez por lo de su hijo"), ("name", "vino juana perez"), ("name", "hola, vino juana perez"),
    ("name", "quispe mamani rosa pidió albergue"), ("name", "tengo cita para Carla Inventada"), ("name", "la sra. Quispe llamó"),
    ("conciliation", "que conversen ellos dos y lo vean"), ("conciliation", "mejor que desista de la denuncia"),
    ("blame", "eso le pasa por meterse con él"),
    ("stigma", "llegó un travelo"), ("blame", "algo habrá hecho"), ("looks", "¿cómo estaba vestida?"),
    ("conflation", "si es trabajadora sexual seguro es trata"), ("conciliation", "propongo conciliación con el esposo"),
]  # fmt: skip
DISGUISED = [
    ("phone", "nueve, doble cero, uno dos tres, cuatro cinco seis"),
    ("phone", "nueve triple cero doble uno dos tres cuatro"),
    ("dni", "dni cuatro, triple cero, triple cero, siete"),
    ("dni", "su dni: cuatro cero cero, doble cero, doble cero uno"),
    ("phone", "cel nueve doble 0 123 456"),
    ("phone", "nueve ochenta y siete, seis cincuenta y cuatro, tres veintiuno"),
    ("phone", "nueve, doble cero, tres cuarenta y cinco, doble seis, uno"),
    ("birth_date", "nació el tres de mayo del noventa y uno"),
    ("birth_date", "nació el tres de mayo de mil novecientos noventa y uno"),
    ("birth_date", "cumple el veintiuno de setiembre"),
    ("birth_date", "nacida un primero de enero del dos mil uno"),
    ("birth_date", "nació el treinta y uno de agosto de 1990"),
    ("birth_date", "nació el 3 de mayo del noventa y uno"),
    ("birth_date", "el tres de mayo de mil novecientos noventa y uno"),
    ("dni", "dni40000017"),
    ("phone", "cel900123456"),
    ("phone", "tel:900-123-456ok"),
    ("phone", "900123456ok"),
    ("phone", "llamar900123456porfa"),
    ("dni", "documento40000017gracias"),
    ("phone", "x900123456"),
    ("phone", "Rosa900123456"),
    ("phone", "whatsapp900123456"),
    ("phone", "wsp900123456"),
    ("phone", "num900123456"),
    ("phone", "9001234l0"),
    ("phone", "9oo1234l0"),
    ("phone", "9OO I23 456"),
    ("phone", "900 l23 456"),
    ("phone", "9OO-123-456"),
    ("phone", "٩٠٠١٢٣٤٥٦"),
    ("phone", "９００１２３４５６"),
    ("dni", "dni ４００００ ０１７"),
    ("phone", "9\u200b0\u200b0\u200b1\u200b2\u200b3\u200b4\u200b5\u200b6"),
    ("phone", "900\u2060123\ufeff456"),
    ("phone", "9\xad00123456"),
    ("phone", "900ㅤ123ㅤ456"),
    ("phone", "9ᅟ00123456"),
    ("phone", "९००१२३४५६"),
    ("phone", "𝟗𝟎𝟎𝟏𝟐𝟑𝟒𝟓𝟔"),
    ("phone", "cel 90012\n3456"),
    ("dni", "su dni es 4000\n0017"),
    ("phone", "900 123\n456"),
    ("phone", "su celular: 900-\n123-456"),
    ("dni", "DNI 40000\n017"),
    ("ce", "carné de extranjería 00100\n0234"),
    ("card", "tarjeta 4111 1111\n1111 1111"),
]  # fmt: skip
"""Numbers and birthdays spelt with «doble», in words, glued to words, in other digits, with unseen signs, over two lines."""
LEFT_ALONE = [
    "C-7QK4M y R-2M8PA", "shelter@2 y mental-health@12", "Ley N° 30364, art. 124-B", "D.S. 009-2016-MIMP", "línea 100, 105 y 1818", "0800-10828",
    "a las 16:45, o 8:00 a.m.", "la audiencia es el 15/12/2026", "S/ 1,500.00 y 20000 soles", "exp. 01234-2026-0-1801-JR-FT-05",
    "el CEM queda en Jr. Camaná 616",
    "comisaría de Av. Alfonso Ugarte 1234", "una rosa, una luz, una cruz", "dos o tres veces, nueve personas", "n° de operación 98765432",
    "2024-2025",
    "no se concilia en casos de violencia", "rechazó la conciliación", "el trabajo sexual no es trata", "dijo que él la llamó «puta»",
    "necesita ropa de abrigo", "la operaron de la rodilla", "no es su culpa", "https://www.gob.pe/mimp", "la central es (01) 419-7260",
    "192.168.1.20", "el CEM Comas: 01 536 1234", "la fiscalía: 01-625-5555 anexo 1234", "llame al hospital: 5580186",
    "el celular del CEM es 987 654 321",
    "nuestro cel 987 654 321 para coordinar", "mesadepartes@mimp.gob.pe", "horario 0900 1300 1400 1800", "el 1º de mayo", "lunes\n900\n1000\n1100",
    "900\n250\n30", "novecientos doce mil soles",
    "nos vemos en la av. Brasil a las 10", "la av. Brasil el 12", "marcador CA 15,3 elevado", "AV de 0,5 en ojo derecho", "en la calle desde el 2019",
    "un paseo de 3 horas", "la cuesta 20", "camino 2 horas", "la plaza 2 de mayo", "Domicilio: no quiso darlo", "dirección: 3 cuadras del mercado",
    "av. Brasil 300 soles", "tto c/ paracetamol 500 mg", "Camino 3 cuadras", "la AV corregida era de 1",
    "doble cero", "a triple turno, doble guardia", "habitación doble 900", "EXP900123456", "OT900123456", "a900123456bf3", "lote40000017b",
    "taller el tres de mayo del dos mil veintiséis", "una de mayo y dos de junio", "el primero de mayo", "lunes\n4000\n0017", "llamar:\n900\n1000",
    "son 900 o 1000", "100 i 200", "ninguno de mayo", "1º de mayo", "dos lucas o tres",
    "la lic. Ana Torres está de turno", "coordinen con Silvia Morales del CEM", "el hospital María Auxiliadora", "aeropuerto Jorge Chávez",
    "Saludos, Ana Torres", "hola Patricia Salazar", "la alcaldesa María Jara", "el Marco Legal", "Segundo Turno", "Luz Verde",
    "rosas y flores", "rosa flores", "San Juan de Lurigancho", "Paciente: Mujer de 30 años", "vino la paciente. Los resultados mañana",
    "julio campos",
    "Remitido por: Dr. Ignacio Manuel Castillo", "conversen las dos psicólogas", "lleguen a un acuerdo con el albergue",
    "cítenlos a los dos por separado", "sellado el 14/02/2008", "notaría, av. Inventada 310",
    "eso pasa por falta de personal", "quién le manda el oficio",
]  # fmt: skip


@pytest.mark.parametrize(("what", "text"), SEEN)
def test_it_is_seen(what: str, text: str) -> None:
    assert classes(text) == {what}


@pytest.mark.parametrize(("what", "text"), DISGUISED)
def test_it_is_seen_in_disguise(what: str, text: str) -> None:
    assert classes(text) == {what}


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_it_is_left_alone(text: str) -> None:
    assert classes(text) == set()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("legal_name", "quispe, rosa no vino"), ("legal_name", "ROSAINVENTADA"), ("legal_name", "R o s a  I n v e n t a d a"), ("legal_name",
        "dile a Inventada"),
        ("legal_name", "Rósa Ìnventada"), ("phone", "900-12-34-56"), ("phone", "nueve cero cero uno dos tres cuatro cinco seis"), ("phone",
        "+51 900123456"),
        ("phone", "900\n123\n456"), ("phone", "novecientos ciento veintitrés cuatrocientos cincuenta y seis"), ("document_number", "DNI 4000\n0017"),
        ("document_number", "dni 4OOOOO17"),
        ("document_number", "40.000.017"), ("address", "por las inventadas n° 345"), ("birth_date", "del 3/5/94"), ("birth_date",
        "3 de mayo del 1994"),
        ("email", "rosa.inv @gmail.con"), ("email", "rosa inv arroba gmail punto com"), ("case_file_number", "1234 2026 0 1801 JR FT 05"),
        ("birth_date", "el tres de mayo del noventa y cuatro"), ("phone", "nueve doble cero uno dos tres cuatro cinco seis"),
        ("document_number", "4_0_0_0_0_0_1_7"), ("document_number", "su dni 4O.OOO.O17"), ("legal_name", "i n v e n t a d a"),
        ("legal_name", "vino Ιnνεnτadα"), ("legal_name", "vıno ınventada"), ("address", "las inventadas trescientos cuarenta y cinco"),
        ("address", "Las Inventadas tres cuatro cinco"), ("address", "Las Inventadas, al 345"), ("address", "inventadas altura del 345"),
        ("address", "las inventadas, puerta 345"), ("birth_date", "el 3º de mayo de 1994"), ("birth_date", "3.º de mayo de 1994"),
        ("trusted_contact", "llamen al 900777888"), ("trusted_contact", "Julia Inventada sabe"),
    ],
)  # fmt: skip
def test_a_known_value_is_seen_however_it_is_written(field: str, text: str) -> None:
    assert field in fields(text)


LIKE_HERS = ("una rosa roja", "900", "el 3 de mayo hay taller", "jr. otro 345", "inventario de cosas", "la avenida 345", "900 soles y 123456 intis")


@pytest.mark.parametrize("text", LIKE_HERS)
def test_what_is_only_like_a_known_value_is_left_alone(text: str) -> None:
    assert fields(text) == set()


def _edit(text: str, place: int, kind: int, char: str) -> str:
    place %= len(text)
    swapped = text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :]
    return [text[:place] + text[place + 1 :], text[:place] + char + text[place:], text[:place] + char + text[place + 1 :], swapped][kind]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 40), st.integers(0, 3), st.sampled_from("0123456789"), st.sampled_from(["es {}", "{}", "cel:{} ok", "yo {} y tú"]))
def test_any_one_slip_in_a_telephone_is_forgiven(place: int, kind: int, digit: str, frame: str) -> None:
    assert "phone" in fields(frame.format(_edit(PHONE, place, kind, digit)))


@settings(max_examples=300, deadline=None)
@given(st.permutations(NAME.split()), st.integers(0, 60), st.integers(0, 3), st.sampled_from("abceimorsu"), st.booleans())
def test_any_one_slip_in_a_name_in_any_order_is_forgiven(parts: list[str], place: int, kind: int, letter: str, small: bool) -> None:
    said = _edit(" ".join(parts), place, kind, letter)
    assert "legal_name" in fields(f"ayer vino {said.lower() if small else said} a la cita")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([PHONE, DOCUMENT]))
def test_groups_may_be_cut_anywhere(seed: int, number: str) -> None:
    cut = random.Random(seed)
    said = "".join(digit + cut.choice(["", "", " ", "-", ".", " - "]) for digit in number)
    assert fields(f"anota {said} gracias") & {"phone", "document_number"}


CODES = st.one_of(
    st.from_regex(r"\A[CR]-[2-9A-HJKMNP-TV-Z]{5}\Z"), st.from_regex(r"\A[a-z]{3,12}(-[a-z]{3,8})?@[1-9][0-9]?\Z"),
    st.from_regex(r"\A(Ley|D\.S\.|art\.) [0-9]{2,5}\Z"),
    st.from_regex(r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z"), st.from_regex(r"\AS/ ?[1-9][0-9]{0,6}(\.[0-9]{2})?\Z"),
    st.from_regex(r"\A[1-9][0-9]{0,4} soles\Z"),
    st.sampled_from(["línea 100", "1818", "105", "0800-10828", "exp. 01234-2026-0-1801-JR-FT-05"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(CODES, min_size=1, max_size=5))
def test_codes_laws_times_and_amounts_are_never_somebody(parts: list[str]) -> None:
    assert classes("; ".join(parts)) == set()


ANYTHING = st.one_of(
    st.text(max_size=300), st.text("0123456789 .-+()@:/aemzlt,", max_size=300), st.lists(st.sampled_from([t for _, t in SEEN])).map(" ".join),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(ANYTHING)
def test_any_text_gives_a_verdict_within_it(text: str) -> None:
    verdict = look(text, PE, HERS, HERS[:2])
    for found in verdict.found:
        assert 0 <= found.start < found.end <= len(text)
        assert found.what in (*IDENTIFIERS, *WORDS) or found.sort == "known"
    places = [(one.start, one.end) for one in verdict.values]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
    assert all(found.start >= 0 for found in look(text, Lexicon()).found)


WORST = [
    "9", "9 ", "-9", "+9", "1/1/", "@", "a@", "a.", "mz ", "jr a ", "Rosa ", "se llama Rosa ", "(", "que conversen ", "nueve ", "rosaelen",
    "quisp mamani", "ﷺ", ".com",
    "http://", "ley ", "resolucion a", "a arroba ", "a punto ", "40000017 ", "e\u0301\u0302", "«", "900123 ", "a-",
    "y e s e n i a ", "4_0_", "4O.OOO.", "cuatro claveles ", "inventadas ", "no hay peligro. ", "¡ayuda ",
    "\u200b9",
    "9 9 9 ", "a a a ", "0123456789", "calle calle calle ", "calle 1 ", "1/1/94 ", "nacio 1/1/94 ", "vive en calle 5 ",
    "@abc ig ", "“puta” ", "conciliar ", "fuera de peligro ", "Mz K Lt 8 ", "Juana Perez ", "uno de mayo del dos mil ",
    "domicilio: Los a ", "900-l23 ", "la comisaria: 01 536 1234 ", "n. ", "se llama ",
]  # fmt: skip


@pytest.mark.timeout(120)
def test_no_text_as_long_as_is_looked_at_is_slow() -> None:
    """Some forty of the worst, one after the other; a pattern that goes back over what it read would not end within the time."""
    for unit in WORST:
        look((unit * MOST)[:MOST], PE, HERS)


def test_twice_the_text_costs_about_twice_the_steps() -> None:
    """Counted, not timed: calls of our own functions on twice the worst text."""
    def steps(text: str) -> int:
        count = 0

        def tick(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(tick)
        try:
            look(text, PE, HERS, HERS[:2])
        finally:
            sys.setprofile(None)
        return count

    for unit in WORST:
        once, twice = steps(unit * 300), steps(unit * 600)
        assert twice < 2.2 * once, unit


def test_signs_that_nobody_sees_take_no_room_from_the_words() -> None:
    assert classes("\u200b" * (MOST + 1) + "su dni es 40000017") == {"dni"}


def test_what_is_too_long_to_be_read_counts_as_seen_and_goes_when_it_is_taken_out() -> None:
    text = "a " * (MOST // 2 + 1) + "su dni es 40000017"
    assert classes(text) == {"unread"}
    assert not look(text, PE).urgent
    assert "40000017" not in without(text, look(text, PE).values, "(…)")
    assert classes("a " * (MOST // 2)) == set()
    assert classes(" " * MOST + "40000017") == {"unread"}


def test_danger_is_heard_however_long_the_text_is() -> None:
    assert look("a " * (2 * MOST) + "manden ambulancia", PE).urgent


def test_nothing_that_is_printed_shows_what_was_written() -> None:
    verdict = look(f"{NAME} {PHONE} 4111 1111 1111 1111", PE, HERS)
    assert verdict.found
    shown = repr((verdict, HERS, verdict.found)) + str(verdict)
    assert not any(part in shown for part in ("Rosa", "Inventada", PHONE, "4111", DOCUMENT, "gmail"))


def test_what_they_may_have_is_no_identifier_to_them() -> None:
    phone = Known(field="phone", value=PHONE)
    assert look("su cel 900 123 456", PE, (), (phone,)) == Verdict()
    assert {one.what for one in look("su cel 900 123 456 o 900 999 888", PE, (), (phone,)).found} == {"phone"}
    assert {one.sort for one in look("su cel 900 123 456", PE, (phone,), ()).found} == {"known"}


def test_without_takes_out_exactly_what_was_seen() -> None:
    text = "llame al 900 123 456 o a rosa.inv@gmail.com, porfa 🙏"
    assert without(text, look(text, PE).values, "(…)") == "llame al (…) o a (…), porfa 🙏"


DANGER = ("la está golpeando", "manden ambulancia", "está en peligro", "tiene un cuchillo", "vengan ya", "AUXILIO", "ahora mismo", "se quiere matar")


@pytest.mark.parametrize("text", DANGER)
def test_danger_is_heard(text: str) -> None:
    assert look(text, PE).urgent


STILL_DANGER = (
    "Emergencia: mujer herida en av. Los Inventados 123, llamen", "EMERGENCIA!! Mujer herida", "emergencia mujer golpeada",
    "No responde, corre peligro.", "no responde corre peligro", "No puede salir. PELIGRO.", "no sale, hay peligro",
    "Aún no está fuera de peligro, vayan", "todavía no se encuentra fuera de peligro", "está fuera, de peligro de muerte",
    "PELIGR0", "no hay - peligro",
    "¿Por qué no vienen? Emergencia.", "La policía no llega. Urgente: llamen", "no contesta!!! urgente", "no tiene adónde ir y hay peligro",
    "sin armas pero golpeándola", "nadie la ve. Sin\npeligro no llamaría", "No hay. Peligro", "por: ahora",
)  # fmt: skip
"""Danger beside words that calm elsewhere."""


@pytest.mark.parametrize("text", STILL_DANGER)
def test_nothing_calms_over_a_sign_nor_over_other_words(text: str) -> None:
    assert look(text, PE).urgent


CRIES = (
    "socorro", "SOCORRO!", "¡Ayuda! está sola", "Ayuda!!!", "ayuda por favor, ayudenla", "ayudenme", "él quiere matarla", "dijo que la va a matar",
    "amenaza con matar a todos", "amenazó con quemar la casa", "intentó ahorcarla", "jura que la mata", "está herida", "hay una mujer herida",
    "sangra mucho", "esta sangrando", "se muere", "esta muriendose", "muriéndose", "se está muriendo", "puede morir", "perdió el conocimiento",
    "no reacciona", "no despierta", "esta inconciente", "se desmayó", "la esta estrangulando", "la estranguló", "quiso estrangularla",
    "la esta ahorcando", "ahorcandola", "le prendió fuego", "le quiere prender fuego", "la quiere quemar viva", "la quemó con agua", "quemandola",
    "se cortó las venas", "se quiere cortar las venas", "se tomó un montón de pastillas", "tomó pastillas", "tomó veneno", "se envenenó",
    "la violaron hace una hora", "la violo anoche", "la están violando", "violandola", "quiere violarla", "viene para acá armado",
    "está armado", "un sujeto armado", "sacó una pistola", "con un cuchillo", "la amenaza con una navaja", "la tiene encerrada", "la encerró",
    "está encerrada", "encerrandola", "no la deja salir", "la sigue con el carro", "la persigue", "la siguió hasta su casa", "la está siguiendo",
    "persiguiendola", "golpeandola", "la tiene encerrada con gas abierto", "he is going to kill her", "she is bleeding", "help me",
)  # fmt: skip


@pytest.mark.parametrize("text", CRIES)
def test_danger_is_heard_as_people_type_it(text: str) -> None:
    assert look(text, PE).urgent


@pytest.mark.parametrize("text", [
    "pide ayuda para su DNI", "grupo de ayuda mutua", "heridas emocionales", "toma sus pastillas a diario", "las Fuerzas Armadas", "sigue en terapia",
    "conflicto armado interno", "la matrícula", "mata de coca", "ya no hay peligro", "no hay emergencia", "no corre peligro",
    "Ya está fuera de peligro",
    "no está en peligro", "centros de emergencia", "CEM Emergencia Mujer", "emergency-centre@3", "no es muy urgente", "ayuda humanitaria",
])  # fmt: skip
def test_words_that_only_sound_like_it_are_no_danger(text: str) -> None:
    assert not look(text, PE).urgent


@pytest.mark.parametrize("half", ["written", "spent"])
def test_the_clean_messages_stay_clean_and_few_are_taken_for_danger(half: str) -> None:
    rows = [json.loads(line) for line in CHAT.read_text(encoding="utf-8").splitlines()]
    clean = [row["text"] for row in rows if row["half"] == half and not row["spans"]]
    assert len(clean) > 100
    assert [text for text in clean if look(text, PE).found] == []
    assert sum(look(text, PE).urgent for text in clean) <= len(clean) // 20


@pytest.mark.parametrize("text", ["está fuera de peligro", "el Centro de Emergencia Mujer", "no es urgente", "por ahora nada", "mañana a las 10"])
def test_calm_is_no_danger(text: str) -> None:
    assert not look(text, PE).urgent


def test_every_rule_has_a_kinder_sentence_and_every_watched_field_exists() -> None:
    vocabulary = load_pack("pe").vocabulary
    assert set(PE.fields) <= set(vocabulary.fields)
    identifying = {name for name, one in vocabulary.fields.items() if one.person_identifying}
    assert identifying - set(PE.fields) == {"safe_contact", "account", "notes"}, "a field that identifies is watched, or is a text"
    for rule in PE.rules:
        assert rule.kinder.es
        assert rule.kinder.en
        assert rule.of in WORDS
        assert not look(rule.kinder.es, PE).words, "its own advice is kind"
    assert len({rule.id for rule in PE.rules}) == len(PE.rules)


@pytest.mark.parametrize("change", ["class: stigma→class: rude", "region: PE→regio: PE", 'any: ["travelo→any: ["t* travelo'])
def test_words_that_cannot_be_read_are_refused(change: str) -> None:
    before, after = change.split("→")
    text = (resources.files("policies.packs") / "pe" / "guard.yaml").read_text()
    assert before in text
    with pytest.raises(PackError):
        parse(text.replace(before, after, 1))


def test_a_pack_without_words_still_knows_what_has_the_same_shape_everywhere() -> None:
    found = {one.what for one in look("a@b.example 4111111111111111 +51900123456 @a:b.example", load("nowhere")).found}
    assert found == {"email", "card", "phone", "mxid"}
    assert re.fullmatch(r"[a-z_]+", "".join(sorted(found))[:5])
