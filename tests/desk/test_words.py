"""What the desk says back: kind, short, with the next step and the code, and never what identifies her (issue 2, section 2).

Everything is typed, as people type: without accents, with slips, with parts missing, in the wrong place, twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from hub.actions.ports import Unit
from hub.cases.records import Question
from hub.chat.here import Here
from hub.chat.in_words import by_words
from hub.chat.plain import MOST_CHARACTERS, MOST_LINES
from hub.chat.posting import Place
from hub.chat.wording import context
from hub.testing.twin import Said, Twin, TwinNetwork

PHONE, LEGAL, DOCUMENT, ADDRESS, STORY = "900000123", "Nombrelegal Inventado", "00000017", "Calle Inventada 5", "RELATO-INVENTADO"
CANARIES = (PHONE, LEGAL, DOCUMENT, ADDRESS, STORY)
ONE_LINE = "oral a csmc-comas para salud mental campos lo necesario hasta 3 meses explicado"


@dataclass(kw_only=True)
class Desk:
    """A network of three, one case of Ana's with a thread, and typing without ceremony."""

    net: TwinNetwork
    cem: Twin
    csmc: Twin
    code: str = ""
    card: str = ""

    def ana(self, words: str, *, thread: bool = True, room: str = "desk") -> str:
        return self.cem.type("ana", words, room=room, thread=self.card if thread and room == "desk" else None)

    def bea(self, words: str, thread: str | None = None) -> str:
        return self.csmc.type("bea", words, thread=thread)

    def consents(self) -> str:
        return self.ana(f"consentimiento {self.code} {ONE_LINE}")

    def refers(self) -> tuple[str, Said]:
        """Preview, confirmation, and the offer at the other desk."""
        said = self.ana(pick(self.ana("derivar a csmc-comas por salud mental"), "enviar"))
        code = code_in(said, "R")
        self.net.settle()
        return code, self.csmc.find(f"{code} · derivación")

    def accepted(self) -> tuple[str, Said]:
        self.consents()
        code, offer = self.refers()
        self.bea("aceptar", thread=offer.event)
        self.net.settle()
        return code, offer


def pick(said: str, option: str) -> str:
    """The number in front of an option."""
    found = re.search(rf"^(\d+)\. {option}", said, re.MULTILINE)
    assert found, f"no option «{option}» in:\n{said}"
    return found[1]


def code_in(said: str, kind: str) -> str:
    found = re.search(rf"{kind}-\w{{5}}", said)
    assert found, said
    return found[0]


@pytest.fixture(scope="module")
def calm_desk() -> Desk:
    """One desk for all the slips: none of them changes anything that another one sees."""
    return open_desk()


def open_desk() -> Desk:
    net = TwinNetwork(("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))
    made = Desk(net=net, cem=net["cem-lima"], csmc=net["csmc-comas"])
    made.cem.enrol("ana", "luis")
    made.cem.enrol("sofia", role="supervisor")
    made.csmc.enrol("bea")
    made.code = code_in(made.ana("!tk abrir Luz, mañana a las 10", thread=False), "C")
    made.card = made.cem.find(f"{made.code} · Luz").event
    for words in (
        f"teléfono: {PHONE}", f"nombre legal: {LEGAL}", f"número de documento: {DOCUMENT}", f"dirección: {ADDRESS}", f"relato: {STORY}",
        "contacto seguro: solo de día", "salud mental: insomnio", "riesgo: alto",
    ):  # fmt: skip
        assert "Anotado" in made.ana(f"anotar {words}")
    net.clock.advance(timedelta(minutes=2))
    return made


# --- kind, short, clear


SLIPS = [
    ("anotar", "Qué dato anoto"),
    ("anotar riesgo", "Falta lo que anoto"),
    ("anotar riesgo: enorme", "enorme"),
    ("anotar cosa: x", "ayuda anotar"),
    ("decir", "Falta el mensaje"),
    ("decir hola", "derivar"),
    ("control", "para cuándo"),
    ("control nunca", "mañana a las 10"),
    ("control 3/1/2020", "por venir"),
    ("retirar", "nada que retirar"),
    ("ver correo", "no está anotado"),
    ("cerrar", "Cómo termina"),
    ("devolver", "ninguna derivación"),
    ("aceptar", "ninguna derivación"),
    ("rechazar", "ninguna derivación"),
    ("pedir", "para qué"),
    ("avance", "ninguna derivación"),
    ("resultado", "ninguna derivación"),
    ("deshacer", "nada que deshacer"),
    ("guardia", "guardia sí"),
    ("derivar", "salud mental"),
    ("derivar a la policía por salud mental", "No conozco la institución"),
    ("derivar a csmc-comas por magia", "necesidad"),
    ("consentimiento oral a marte para salud mental", "marte"),
    ("!tk deribar", "derivar"),
    ("!tk xyzzy", "ayuda"),
    ("!tk 777", "777"),
    ("!tk", "consentimiento"),
    ("!tk ver C-99999", "C-99999"),
    ("!tk quién sabe R-99999", "R-99999"),
    ("ayuda", "derivar"),
    ("ayuda derivar", "Csmc Comas"),
    ("ayuda anotar", "contacto"),
    ("ayuda anotar contacto", "Teléfono"),
]
TECHNICAL = re.compile(r"None|null|error|json|matrix|sqlite|exception|unit|\bhub\b|\bset\b|\bvalue\b|_", re.IGNORECASE)


@pytest.mark.parametrize(("words", "said"), SLIPS)
def test_a_slip_is_answered_kindly_and_with_what_to_do(calm_desk: Desk, words: str, said: str) -> None:
    answer = calm_desk.ana(words)
    assert said in answer
    plain = re.sub(r"\[\w+\]$", "", answer)
    assert not TECHNICAL.search(plain), answer
    assert "«»" not in plain
    assert answer.count("\n") < MOST_LINES
    assert len(answer) <= MOST_CHARACTERS


def test_a_slip_carries_no_code_for_the_administrator_and_a_real_obstacle_does(desk: Desk) -> None:
    assert "[" not in desk.ana("!tk ver C-99999")
    assert "[" not in desk.ana("retirar")
    desk.cem.run(lambda unit: unit.links.put(replace(unit.links.all()[0], frozen="test")))
    desk.consents()
    assert desk.ana("derivar a csmc-comas por salud mental").endswith("[link_frozen]")


def test_chatter_among_colleagues_is_left_alone(calm_desk: Desk) -> None:
    for words in ("hola", "gracias", "¿la derivamos mañana?", "nota interna: llamar al juzgado", "decir que venga el martes?"):
        assert calm_desk.ana(words) == ""


def test_help_explains_at_most_four_words_and_fits_the_place(desk: Desk) -> None:
    everywhere = (desk.ana("!tk", thread=False), desk.ana("ayuda"), desk.ana("ayuda", room="direct"))
    for said in everywhere:
        assert 1 <= said.count("• ") <= 4
    assert "«!tk»" in everywhere[0]
    assert "hilo" in everywhere[1]
    _, offer = desk.accepted()
    assert "resultado" in desk.bea("ayuda", thread=offer.event)


# --- what she agreed to


def test_a_long_consent_is_read_back_short_and_shown_whole_by_who_knows(desk: Desk) -> None:
    said = desk.consents()
    line = next(part for part in said.splitlines() if part.startswith("Datos:"))
    assert len(line) < 240
    assert re.search(r"y \d+ más", line)
    assert f"quién sabe {desk.code}" in line
    assert "Medicinas que toma" in desk.ana("quién sabe")


def test_the_consent_dialogue_offers_only_purposes_that_a_linked_institution_serves(desk: Desk) -> None:
    for words in (f"!tk consentimiento {desk.code}", "sí"):
        desk.ana(words, thread=False)
    asked = desk.ana("csmc-comas", thread=False)
    assert "Atención de salud mental" in asked
    for never in ("Orientación migratoria", "Estadística", "Denuncia"):
        assert never not in asked


def test_the_card_stops_asking_for_consent_once_there_is_one(desk: Desk) -> None:
    assert "consentimiento y luego derivar" in desk.cem.find(f"{desk.code} · Luz").body
    desk.consents()
    assert "Siguiente paso, en este hilo: derivar" in desk.cem.find(f"{desk.code} · Luz").body


# --- refer


def test_refer_without_a_place_offers_places_by_number(desk: Desk) -> None:
    desk.consents()
    assert "Vista previa" in desk.ana(pick(desk.ana("derivar"), ".*salud mental"))


def test_only_what_would_leave_can_be_held_back_and_then_stands_under_no_sale(desk: Desk) -> None:
    desk.consents()
    offered = desk.ana(pick(desk.ana("derivar a csmc-comas por salud mental"), "quitar"))
    assert "Nombre legal" not in offered
    assert "Dirección" not in offered
    preview = desk.ana(pick(offered, "Teléfono"))
    leaves, _, stays = preview.partition("No sale:")
    assert "Teléfono" not in leaves
    assert "Teléfono: usted decidió no enviarlo." in stays
    assert "Vista previa" in desk.ana(pick(desk.ana(pick(preview, "quitar")), "ninguno más"))


def test_a_preview_that_holds_everything_back_says_so(desk: Desk) -> None:
    desk.ana(f"consentimiento {desk.code} oral a csmc-comas para salud mental campos riesgo hasta 3 meses explicado")
    last = desk.ana(pick(desk.ana(pick(desk.ana("derivar a csmc-comas por salud mental"), "quitar")), "Nivel de riesgo"))
    assert "no queda nada que enviar" in last
    assert "falta su consentimiento" not in last


def test_withheld_fields_are_grouped_by_their_reason(desk: Desk) -> None:
    said = desk.ana("derivar a csmc-comas por salud mental")
    assert said.count("Falta que ella diga") == 1
    assert f"consentimiento {desk.code}" in said


def test_a_new_preview_ends_the_older_one(desk: Desk) -> None:
    desk.consents()
    desk.ana("derivar a csmc-comas por salud mental")
    said = desk.ana("derivar a csmc-comas por primeros auxilios psicológicos")
    open_now = desk.cem.run(lambda unit: unit.questions.all(state="open", kind="refer"))
    assert len(open_now) == 1
    assert "R-" in desk.ana(pick(said, "enviar"))


def test_a_number_typed_twice_never_sends_what_was_not_read(desk: Desk) -> None:
    desk.consents()
    for words, option in (("derivar", ".*salud mental"), ("derivar a csmc-comas por salud mental", "quitar")):
        number = pick(desk.ana(words), option)
        desk.ana(number)
        assert "no es de ninguna pregunta" in desk.ana(number)
    listed = desk.ana(pick(desk.ana("derivar a csmc-comas por salud mental"), "quitar"))
    number = pick(listed, "Teléfono")
    desk.ana(number)
    assert "no es de ninguna pregunta" in desk.ana(number)
    assert not desk.cem.run(lambda unit: unit.referrals.count(state__not="draft"))


# --- and back again


def test_undo_after_it_left_offers_the_way_back(desk: Desk) -> None:
    desk.consents()
    code, _ = desk.refers()
    said = desk.ana("deshacer")
    assert code in said
    assert "cancelada" in desk.ana(pick(said, "cancelar la derivación"))
    desk.net.settle()
    assert f"{code}: Cem Lima la canceló" in desk.csmc.find(f"{code}: Cem").body


def test_an_offer_nobody_took_is_taken_back_by_its_code(desk: Desk) -> None:
    desk.consents()
    code, _ = desk.refers()
    for words in ("retirar {code}", "!tk retirar {code}", "!tk cancelar derivación {code}", "!tk cancelar {code}", "!tk anular la {code}"):
        said = desk.ana(words.format(code=code))
        assert "sigue como estaba" in desk.ana(pick(said, "dejarla"))
    desk.ana(pick(desk.ana(f"retirar {code}"), "cancelar la derivación"))
    assert desk.cem.run(lambda unit: unit.referrals.one(code=code).state.value) == "cancelled"


def test_what_was_accepted_is_withdrawn_by_its_code(desk: Desk) -> None:
    code, _ = desk.accepted()
    stops = desk.ana(f"retirar {code}")
    assert "destruir" in stops
    desk.ana(pick(stops, "retirar"))
    desk.net.settle()
    assert "destruyó los datos" in desk.cem.find(f"{code}: Csmc").body


def test_an_acceptance_that_came_first_turns_the_cancellation_into_a_withdrawal_preview(desk: Desk) -> None:
    desk.consents()
    code, offer = desk.refers()
    said = desk.ana(f"retirar {code}")
    desk.bea("aceptar", thread=offer.event)
    desk.net.settle()
    assert "se retira todo" in desk.ana(pick(said, "cancelar la derivación"))


def test_the_recipient_is_told_who_can_withdraw(desk: Desk) -> None:
    code, offer = desk.accepted()
    for words in ("retirar", f"!tk retirar {code}"):
        assert "devolver" in desk.bea(words, thread=offer.event)


def test_the_sender_is_told_who_reports_the_outcome(desk: Desk) -> None:
    desk.accepted()
    for words in ("resultado", "avance en curso", "devolver"):
        assert "eso lo hace Csmc Comas" in desk.ana(words)


def test_what_ends_something_must_be_confirmed_soon(desk: Desk) -> None:
    number = pick(desk.ana("cerrar"), "Se atendió lo que pidió")
    desk.net.clock.advance(timedelta(minutes=11))
    assert "ninguna" in desk.ana(number)
    assert desk.cem.run(lambda unit: unit.cases.one(code=desk.code).state) == "open"


def test_no_list_of_reasons_for_what_cannot_be_declined_any_more(desk: Desk) -> None:
    _, offer = desk.accepted()
    assert "ya no se puede" in desk.bea("rechazar", thread=offer.event)


# --- numbers and words


def test_a_number_that_fits_nothing_names_the_open_ones(desk: Desk) -> None:
    assert "ninguna abierta" in desk.ana("99")
    desk.ana("control")
    assert f"{desk.code}: 1–3" in desk.ana("99")


def test_progress_and_check_in_can_be_chosen_by_number(desk: Desk) -> None:
    code, offer = desk.accepted()
    desk.bea(pick(desk.bea("avance", thread=offer.event), "en curso"), thread=offer.event)
    assert desk.csmc.run(lambda unit: unit.referrals.one(code=code).state.value) == "in-progress"
    assert "aviso de seguimiento" in desk.ana(pick(desk.ana("control"), "jue"))


def _here(unit: Unit, twin: Twin, name: str) -> Here:
    person = unit.staff.get(twin.person(name))
    assert person is not None
    return Here(
        person=person, room=f"!{twin.id}.desk", purpose="desk", place=Place(purpose="desk"), lang="es", context=context(unit, "es"),
        subject=None, replied=None, card=None, loose=False, event="$e",
    )  # fmt: skip


def test_the_words_of_an_option_mean_its_number_when_they_mean_one(desk: Desk) -> None:
    desk.consents()
    preview = desk.ana(f"!tk derivar {desk.code} a csmc-comas por salud mental", thread=False)

    def said(words: str, name: str = "ana", *, to_us: bool = False) -> int | None:
        return desk.cem.run(lambda unit: by_words(unit, _here(unit, desk.cem, name), words, to_us=to_us))

    assert said("Enviar la oferta") == said("enviar") == int(pick(preview, "enviar"))
    assert said("quitar algún dato.") == int(pick(preview, "quitar"))
    assert said("enviar", "luis", to_us=True) is None, "somebody else's question"
    assert said("en") is None
    assert said("enviar las fotos") is None
    desk.ana("avance")
    desk.ana(pick(preview, "cancelar"))
    assert said("enviar") is None, "closed"


def test_what_destroys_is_never_confirmed_by_a_word(desk: Desk) -> None:
    desk.accepted()
    desk.ana("retirar")
    again = desk.ana("retirar")
    open_now: list[Question] = desk.cem.run(lambda unit: unit.questions.all(state="open", kind="withdraw"))
    assert len(open_now) == 1
    assert "su número" in again, "asked back, instead of one more preview"
    assert desk.cem.run(lambda unit: by_words(unit, _here(unit, desk.cem, "ana"), "retirar", to_us=True)) is None


# --- lists and cards


def test_the_list_is_grouped_by_what_is_to_do(desk: Desk) -> None:
    assert desk.ana("!tk casos").startswith("Más adelante:")
    desk.ana("!tk abrir Sol, hoy a las 15:00", thread=False)
    assert re.match(r"Para hoy:\n• C-\w{5} · Sol · .*\nMás adelante:\n• .* · Luz", desk.ana("!tk casos"))
    desk.consents()
    code, offer = desk.refers()
    assert desk.bea("!tk pendientes").startswith(f"Por responder:\n• {code} · Cem Lima · salud mental · antes de")
    desk.bea("aceptar", thread=offer.event)
    desk.net.settle()
    assert desk.bea("!tk casos").startswith(f"En atención aquí:\n• {code}")
    desk.bea("pedir medicinas que toma para no repetir la receta", thread=offer.event)
    desk.net.settle()
    assert f"Por responder:\n• {code} · Csmc Comas pide: Medicinas que toma" in desk.ana("!tk casos")


def test_a_lone_accept_is_enough_when_one_offer_waits(desk: Desk) -> None:
    desk.consents()
    code, _ = desk.refers()
    assert f"{code}: aceptada" in desk.bea("!tk aceptar")
    assert "¿De cuál derivación" in desk.bea("!tk aceptar")


def test_what_would_be_believed_done_is_never_met_with_silence(desk: Desk) -> None:
    """`acepto` to an offer, a slip in the verb before a colon: nothing is done, and she is told so at once. Notes are left alone."""
    desk.consents()
    offer = desk.refers()[1].event
    for words in ("acepto", "acepto la derivación, gracias"):
        assert "No hice nada" in desk.csmc.type("bea", words, thread=offer)
    assert "No hice nada" in desk.csmc.type("bea", "anotr relato: la golpeó ayer", thread=offer)
    for note in ("ojo: viene con su hermana", "yo creo que sí: hay cupo", "gracias"):
        assert desk.csmc.type("bea", note, thread=offer) == ""


def test_a_field_that_was_granted_before_it_was_known_goes_when_it_is_noted(desk: Desk) -> None:
    code, offer = desk.accepted()
    desk.bea("pedir embarazo para su atención", thread=offer.event)
    desk.net.settle()
    desk.ana(pick(desk.cem.find("pide un dato más").body, "dar permiso"))
    desk.net.settle()
    desk.ana("anotar embarazo: 12 semanas (inventado)")
    desk.net.settle()
    assert desk.csmc.run(lambda unit: unit.held.count(field="pregnancy")) == 1, code


GRANTED, REFUSED = "permiso dado a Csmc Comas para «Embarazo»", "no se da «Embarazo» a Csmc Comas"


@pytest.mark.parametrize(("option", "said"), [("dar permiso", GRANTED), ("no darlo", REFUSED)])
@pytest.mark.parametrize("thread", [False, True])
def test_a_field_that_is_granted_or_refused_is_noted_in_her_thread_once(desk: Desk, option: str, said: str, *, thread: bool) -> None:
    code, offer = desk.accepted()
    desk.ana("anotar embarazo: VALOR-INVENTADO")
    desk.bea("pedir embarazo para su atención", thread=offer.event)
    desk.net.settle()
    before = len(desk.cem.said)
    desk.ana(f"!tk {pick(desk.cem.find('pide un dato más').body, option)}", thread=thread)
    told = [s for s in desk.cem.said[before:] if s.thread == desk.card]
    assert [said in s.body and "Ana Ejemplo" in s.body for s in told] == [True], [s.body for s in told]
    assert not any("VALOR-INVENTADO" in s.body for s in desk.cem.said[before:]), code
    if not thread:
        assert "Embarazo" in desk.cem.said[-1].body or "Embarazo" in desk.cem.said[-2].body


def test_a_contact_that_moves_into_her_safe_hours_is_told(desk: Desk) -> None:
    said = desk.ana("anotar contacto seguro: solo de 8 a 9 de la mañana")
    assert "pasa a su horario seguro" in said
    assert "08:00" in said


def test_a_list_of_choices_outlives_news_and_is_left_in_words(desk: Desk) -> None:
    code, offer = desk.accepted()
    number = pick(desk.bea("avance", thread=offer.event), "en curso")
    desk.bea("pedir teléfono para llamarla", thread=offer.event)
    desk.net.settle()
    desk.ana(pick(desk.cem.find("pide un dato más").body, "no darlo"))
    desk.net.settle()
    desk.bea(number)
    assert desk.csmc.run(lambda unit: unit.referrals.one(code=code).state.value) == "in-progress"
    desk.bea("resultado", thread=offer.event)
    assert "lo dejamos" in desk.bea("cancelar")


def test_a_telephone_without_its_safe_way_is_warned_of(desk: Desk) -> None:
    desk.ana("anotar teléfono: 900 000 001")
    desk.ana("anotar contacto seguro: solo por la mañana")
    line = "oral a csmc-comas para salud mental campos teléfono hasta 3 meses explicado"
    desk.ana(f"consentimiento {desk.code} {line}")
    assert "Atención" in desk.ana("derivar a csmc-comas por salud mental")
    desk.consents()
    assert "Atención" not in desk.ana("derivar a csmc-comas por salud mental")


def test_before_it_is_accepted_nobody_is_said_to_have_it(desk: Desk) -> None:
    desk.consents()
    offer = desk.refers()[1].event
    for words in ("ver", "resultado", "devolver"):
        assert "aún no está aceptada" in desk.bea(words, thread=offer)


def test_who_knows_what_in_words_for_herself(desk: Desk) -> None:
    """Only in the direct chat; no code, no name of hers; what was destroyed is said to be gone, and nobody is named who never had anything."""
    code, _ = desk.accepted()
    said = desk.ana(f"quién sabe {desk.code} para ella")
    sheet = desk.cem.find("Quién sabe qué de usted")
    assert sheet.room.endswith(desk.cem.person("ana"))
    assert "chat directo" in said
    assert "Csmc Comas sabe esto: " in sheet.body
    assert not re.search(r"[CR]-\w{5}|Luz", sheet.body), code
    assert "Relato (solo que hay algo anotado)" in sheet.body, "she is not told that they know what they do not"
    desk.bea(f"!tk pedir {code} edad para su ficha")
    desk.net.settle()
    desk.ana("anotar edad 30")
    desk.ana(pick(desk.cem.find("pide un dato más").body, "dar permiso"))
    desk.net.settle()
    desk.ana(pick(desk.ana(f"retirar {desk.code} a csmc-comas edad"), "retirar"))
    desk.net.settle()
    desk.ana(f"quién sabe {desk.code} para ella")
    part = desk.cem.find("Quién sabe qué de usted").body
    assert part.count("Csmc Comas") == 1, "one line for one institution"
    assert "ya borró" not in part, "part destroyed, part held: the part that is held is what she must hear"
    assert "Edad" not in part
    desk.ana(pick(desk.ana(f"retirar {desk.code}"), "retirar"))
    desk.net.settle()
    desk.ana(f"quién sabe {desk.code} para ella")
    assert "ya borró lo que le dimos" in desk.cem.find("Quién sabe qué de usted").body
    assert "Colectiva" not in desk.cem.find("Quién sabe qué de usted").body


def test_undo_never_takes_more_than_the_last_thing(desk: Desk) -> None:
    """Opened, then noted something: `deshacer` may not erase what was noted with it."""
    said = desk.ana("abrir Mar Inventada, mañana a las 10")
    code = said.split("C-")[1][:5]
    desk.ana(f"anotar C-{code} teléfono 900 000 009")
    assert "No deshice nada" in desk.ana("deshacer")
    assert desk.cem.run(lambda unit: unit.cases.one(code=f"C-{code}").state) == "open"


def test_the_verbs_on_a_card_are_told_apart(desk: Desk) -> None:
    code, _ = desk.accepted()
    assert "ver · decir: … · pedir … para … · avance · resultado · emergencia · devolver" in desk.csmc.find(f"{code} · derivación").body


def test_who_knows_says_how_much_of_a_field_they_hold(desk: Desk) -> None:
    desk.accepted()
    known = desk.ana("quién sabe")
    assert "Relato (solo que hay algo anotado)" in known
    assert "mental-health" not in known, "the protocol has a name"
    assert "Su consentimiento: de palabra" in known


def test_an_english_speaker_reads_labels_and_dates_in_her_own_chat(desk: Desk) -> None:
    def speaks_english(unit: Unit) -> None:
        person = unit.staff.get(desk.cem.person("ana"))
        assert person is not None
        unit.staff.put(replace(person, language="en"))

    desk.cem.run(speaks_english)
    assert "Name she wants to be called by: Luz" in desk.ana(f"show {desk.code}", room="direct")
    assert re.search(r"Tue 24 Nov 10:00 \(Lima\)", desk.ana("cases", room="direct"))
    assert "Anotado en" in desk.ana("anotar riesgo: medio"), "the desk keeps the language of the institution"


# --- what the desk never shows


def test_no_identifier_ever_stands_at_a_desk(desk: Desk) -> None:
    """Phone, legal name, document, address and account: only in the direct chat, only for who asked."""
    desk.consents()
    desk.ana(pick(desk.ana(pick(desk.ana("derivar a csmc-comas por salud mental"), "quitar")), "Nivel"))
    _, offer = desk.accepted()
    for words in ("ver", "pedir dirección para visitarla", "decir: la llamamos", "avance en curso"):
        desk.bea(words, thread=offer.event)
        desk.net.settle()
    for words in ("ver", "quién sabe", "casos", "control en 3 días", "retirar"):
        desk.ana(words)
    public = [s for twin in (desk.cem, desk.csmc) for s in twin.said if "direct:" not in s.room]
    private = [s for twin in (desk.cem, desk.csmc) for s in twin.said if "direct:" in s.room]
    assert not [(c, s.body) for s in public for c in CANARIES if c in s.body]
    assert any(PHONE in s.body for s in private)


def test_every_answer_of_the_road_is_short(desk: Desk) -> None:
    _, offer = desk.accepted()
    desk.ana("retirar")
    desk.bea("ver", thread=offer.event)
    for said in (*desk.cem.said, *desk.csmc.said):
        assert said.body.count("\n") < MOST_LINES, said.body
        assert len(said.body) <= MOST_CHARACTERS
