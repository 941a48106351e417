"""Words in part and slips: nothing is swallowed, and «sí» takes the one thing that was suggested, but never what lets something out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.test_words import ONE_LINE, Desk, pick


def risk(desk: Desk) -> str:
    return desk.ana(f"ver {desk.code} riesgo", room="direct")


# --- a reason in part


def asked_why(desk: Desk) -> tuple[str, str]:
    """The thread of an offer whose refusal was begun, and the list of reasons."""
    desk.consents()
    _, offer = desk.refers()
    return offer.event, desk.bea("rechazar", thread=offer.event)


def state(desk: Desk) -> str:
    return str(desk.csmc.run(lambda unit: unit.referrals.all()[0].state.value))


@pytest.mark.parametrize("words", ["cupo", "hay cupo", "su idioma", "esa edad"])
def test_a_reason_in_part_is_asked_back_and_taken_by_yes(desk: Desk, words: str) -> None:
    thread, _ = asked_why(desk)
    said = desk.bea(words, thread=thread)
    assert words in said
    assert "«sí»" in said
    assert state(desk) == "received"
    desk.bea("sí", thread=thread)
    assert state(desk) == "rejected"


def test_a_reason_by_another_of_its_names_is_taken_at_once(desk: Desk) -> None:
    thread, _ = asked_why(desk)
    desk.bea("sin cupo", thread=thread)
    assert state(desk) == "rejected"


def test_a_reason_in_part_after_the_verb_is_not_passed_over(desk: Desk) -> None:
    desk.consents()
    _, offer = desk.refers()
    said = desk.bea("rechazar cupo", thread=offer.event)
    number = pick(said, "No hay cupo ahora")
    assert f"¿Quiso decir «No hay cupo ahora»? Es el {number}." in said
    assert "No entendí «luna llena»" in desk.bea("rechazar luna llena", thread=offer.event)
    assert "No entendí" not in desk.bea("rechazar", thread=offer.event)
    assert state(desk) == "received"


def test_what_ends_something_is_named_but_its_number_must_be_typed(desk: Desk) -> None:
    number = pick(desk.ana("cerrar"), "Ella decidió parar")
    said = desk.ana("decidió parar")
    assert f"su número: {number}" in said
    assert "«sí»" not in said
    desk.ana("sí")
    assert desk.cem.run(lambda unit: unit.cases.one(code=desk.code).state) == "open"


def test_an_offer_is_never_sent_by_a_yes(desk: Desk) -> None:
    """It has its own confirmation: the number beside «enviar»."""
    desk.consents()
    desk.ana("derivar a csmc-comas por salud mental")
    said = desk.ana("la oferta")
    assert "enviar la oferta" in said
    assert "«sí»" not in said
    desk.ana("sí")
    assert not desk.cem.run(lambda unit: unit.referrals.count(state__not="draft"))


def test_words_that_are_part_of_nothing_or_of_two_are_left_alone(desk: Desk) -> None:
    thread, _ = asked_why(desk)
    for words in ("no", "nos vemos luego", "¿hay cupo?", "la señora de la otra vez ya vino y se fue sin cupo ni turno"):
        assert desk.bea(words, thread=thread) == ""
    assert state(desk) == "received"


# --- yes after a slip in a command


def test_yes_takes_a_verb_that_was_suggested(desk: Desk) -> None:
    said = desk.ana(f"!tk anotr {desk.code} riesgo: bajo", thread=False)
    assert "«anotar»" in said
    assert "«sí»" in said
    assert "Alto" in risk(desk)
    assert "Anotado" in desk.ana("sí", thread=False)
    assert "Bajo" in risk(desk)


def test_yes_takes_an_institution_a_field_and_a_value(desk: Desk) -> None:
    desk.consents()
    assert "«sí»" in desk.ana("derivar a csmc-coma por salud mental")
    assert "Vista previa" in desk.ana("sí"), "and nothing left: the preview asks for its number"
    assert not desk.cem.run(lambda unit: unit.referrals.count(state__not="draft"))


def test_yes_is_not_offered_for_what_is_only_nearest(desk: Desk) -> None:
    said = desk.ana("anotar hola: x")
    assert "No conozco" in said
    assert "«sí»" not in said


def test_yes_counts_once_next_in_that_place_by_that_person_and_soon(desk: Desk) -> None:
    slip = f"!tk anotr {desk.code} riesgo: bajo"
    desk.ana(slip, thread=False)
    assert desk.cem.type("luis", "sí") == "", "somebody else's"
    assert desk.ana("sí") == "", "another place"
    assert desk.ana("sí", thread=False) == "", "and by then it is over"
    desk.ana(slip, thread=False)
    desk.ana("ahora vuelvo", thread=False)
    assert desk.ana("sí", thread=False) == "", "something else was said"
    desk.ana(slip, thread=False)
    desk.net.clock.advance(timedelta(minutes=3))
    assert desk.ana("sí", thread=False) == "", "too late"
    assert "Alto" in risk(desk)


def test_yes_in_a_thread_that_may_be_made_up_takes_nothing(desk: Desk) -> None:
    desk.ana("!tk anotr riesgo: bajo")
    desk.cem.type("ana", "sí", thread=desk.card, firm=False)
    assert "Alto" in risk(desk)


@pytest.mark.parametrize("slip", ["!tk aceptr", "!tk rechasar sin cupo", "!tk decr hola", "!tk devolvr ella lo pidió"])
def test_what_goes_to_another_institution_is_suggested_but_must_be_typed(desk: Desk, slip: str) -> None:
    _, offer = desk.accepted()
    said = desk.bea(slip, thread=offer.event)
    assert "Quiso decir" in said
    assert "«sí»" not in said
    before = desk.csmc.run(lambda unit: unit.outbox.count())
    desk.bea("sí", thread=offer.event)
    assert desk.csmc.run(lambda unit: unit.outbox.count()) == before


def test_a_yes_of_a_dialogue_is_the_dialogue_s(desk: Desk) -> None:
    """While it runs no other «sí» is offered: that she understood must not be said of a slip, nor a slip be taken for it."""
    desk.ana(f"!tk consentimiento {desk.code} {ONE_LINE.removesuffix(' explicado')}", thread=False)
    assert "Quiso decir" not in desk.ana(f"!tk anotr {desk.code} riesgo: bajo", thread=False)
    assert "consentimiento anotado" in desk.ana("sí", thread=False)
    assert "Alto" in risk(desk)


def test_what_was_begun_and_left_is_forgotten(desk: Desk) -> None:
    """A dialogue and a suggestion hold what a person told, sealed under no key that dies with her case."""
    desk.ana("!tk abrir", thread=False)
    desk.net.clock.advance(timedelta(minutes=6))
    desk.ana("Mar Inventada", thread=False)
    desk.ana(f"!tk anotr {desk.code} relato: RELATO-INVENTADO", room="direct")
    assert desk.cem.run(lambda unit: unit.dialogues.count()) == 2
    desk.net.clock.advance(timedelta(minutes=3))
    desk.cem.ring()
    assert desk.cem.run(lambda unit: [row.kind for row in unit.dialogues.all()]) == ["open_case"], "answered meanwhile, it goes on"
    desk.net.clock.advance(timedelta(minutes=2))
    desk.cem.ring()
    assert desk.cem.run(lambda unit: unit.dialogues.count()) == 1
    desk.net.clock.advance(timedelta(minutes=6))
    desk.cem.ring()
    assert desk.cem.run(lambda unit: unit.dialogues.count()) == 0
