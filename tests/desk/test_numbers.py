"""A number means one thing, whichever came first, a card or a dialogue; and a dialogue takes for an answer only what is one (issue 2, section 2)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hub.actions.ports import Unit
from tests.desk.test_words import ONE_LINE, Desk, code_in, pick


def numbers(said: str) -> set[int]:
    """The numbers of the choices in a message."""
    return {int(n) for n in re.findall(r"^(\d+)\. ", said, re.MULTILINE)}


def consents(desk: Desk) -> int:
    return int(desk.cem.run(lambda unit: unit.consents.count()))


def asks_in_room(desk: Desk) -> str:
    """The consent dialogue, begun in the room."""
    return desk.ana(f"!tk consentimiento {desk.code}", thread=False)


# --- one number, one meaning


def test_a_card_after_a_dialogue_takes_other_numbers_and_each_is_answered_by_its_own(desk: Desk) -> None:
    step = asks_in_room(desk)
    card = desk.ana(f"!tk control {desk.code}", thread=False)
    assert numbers(step)
    assert numbers(card)
    assert not numbers(step) & numbers(card)
    assert "aviso de seguimiento" in desk.ana(str(min(numbers(card))), thread=False)
    assert "A qué instituciones" in desk.ana(str(min(numbers(step))), thread=False)


def test_a_dialogue_after_a_card_takes_other_numbers_and_each_is_answered_by_its_own(desk: Desk) -> None:
    card = desk.ana(f"!tk control {desk.code}", thread=False)
    step = asks_in_room(desk)
    assert not numbers(step) & numbers(card)
    assert "aviso de seguimiento" in desk.ana(str(min(numbers(card))), thread=False)
    following = desk.ana(str(min(numbers(step))), thread=False)
    assert "A qué instituciones" in following
    later = desk.ana(f"!tk control {desk.code}", thread=False)
    assert not numbers(later) & (numbers(following) | numbers(step) | numbers(card))


def test_the_number_of_a_dialogue_means_it_in_another_thread_too(desk: Desk) -> None:
    step = asks_in_room(desk)
    desk.ana(str(min(numbers(step))))
    assert desk.cem.said[-1].thread is None, "the next question stands where the dialogue is"
    assert "A qué instituciones" in desk.cem.said[-1].body


def test_the_number_of_a_dialogue_that_ended_rests(desk: Desk) -> None:
    """Typed twice on a bad network, the second one must not answer what was asked in between."""
    line = ONE_LINE.removesuffix(" explicado")
    step = desk.ana(f"!tk consentimiento {desk.code} {line}", thread=False)
    yes = min(numbers(step))
    assert "consentimiento anotado" in desk.ana(str(yes), thread=False)
    for _ in range(6):
        assert yes not in numbers(desk.ana(f"!tk control {desk.code}", thread=False))
    assert "no es de ninguna pregunta" in desk.ana(str(yes), thread=False)
    assert consents(desk) == 1


def test_the_number_of_a_card_for_everybody_is_no_answer_of_a_dialogue(desk: Desk) -> None:
    """In the room it is asked back, even where any text would be an answer; in the card's thread, and with the prefix, it is the card's."""
    desk.consents()
    _, offer = desk.refers()
    accept = pick(offer.body, "aceptar")
    assert "Cómo quiere que la llamen" in desk.bea("!tk abrir")
    said = desk.bea(accept)
    assert "No hice nada" in said
    assert "aceptar" in said
    assert desk.csmc.run(lambda unit: unit.referrals.all()[0].state.value) == "received"
    assert "próximo contacto" in desk.bea("Mar Inventada")
    assert "aceptada" in desk.bea(f"!tk {accept}")


def test_in_the_thread_of_a_card_its_number_is_its_own_while_a_dialogue_runs_there(desk: Desk) -> None:
    step = desk.ana("consentimiento")
    desk.net.clock.advance(desk.cem.run(lambda unit: unit.checkins.all()[0].due_at) - desk.net.clock.now())
    desk.cem.ring()
    step = desk.ana("consentimiento")
    ring = desk.cem.find("toca el contacto")
    assert not numbers(step) & numbers(ring.body)
    assert "a salvo" in desk.ana(pick(ring.body, "contactada"))
    assert "A qué instituciones" in desk.ana(pick(step, "Sí"))


def test_a_number_that_two_questions_own_is_asked_back_and_does_nothing(desk: Desk) -> None:
    """It cannot come to be; were it so, none of the two may be acted on."""
    desk.ana(f"!tk control {desk.code}", thread=False)
    step = asks_in_room(desk)

    def same_numbers(unit: Unit) -> None:
        found = unit.questions.one(kind="plan", state="open")
        assert found is not None
        unit.questions.put(replace(found, first=min(numbers(step))))

    desk.cem.run(same_numbers)
    before = desk.cem.run(lambda unit: unit.checkins.count())
    said = desk.ana(str(min(numbers(step))), thread=False)
    assert "dos preguntas a la vez" in said
    assert desk.cem.run(lambda unit: unit.checkins.count()) == before
    assert "A qué instituciones" in desk.ana("sí", thread=False), "the dialogue stands where it stood"


def test_a_reply_to_a_card_is_no_answer_of_the_dialogue_in_the_room(desk: Desk) -> None:
    desk.consents()
    _, offer = desk.refers()
    desk.bea("!tk abrir")
    assert "aceptada" in desk.csmc.type("bea", "aceptar", reply=offer.event)


# --- a consent that came in by another road


def test_a_consent_recorded_in_one_line_ends_the_dialogue_that_asks_for_it(desk: Desk) -> None:
    step = asks_in_room(desk)
    said = desk.ana(f"!tk consentimiento {desk.code} {ONE_LINE}")
    assert "ya quedó anotado" in said
    assert "consentimiento anotado" in said
    assert desk.ana(str(min(numbers(step))), thread=False) == ""
    assert desk.ana("sí", thread=False) == ""
    assert consents(desk) == 1


def test_a_colleagues_dialogue_for_the_same_consent_ends_too_and_one_of_another_case_does_not(desk: Desk) -> None:
    other = code_in(desk.ana("!tk abrir Sol, mañana a las 11", thread=False), "C")
    desk.cem.type("luis", f"!tk consentimiento {desk.code}", room="direct")
    desk.cem.type("sofia", f"!tk consentimiento {other}", room="direct")
    desk.consents()
    assert desk.cem.find("ya quedó anotado").room.endswith(desk.cem.person("luis"))
    assert "No le entendí" in desk.cem.type("luis", "sí", room="direct")
    assert "A qué instituciones" in desk.cem.type("sofia", "sí", room="direct")


# --- chatter is not an answer


CHATTER = ["oye, ¿ya almorzaste?", "la doctora llega en un rato, avísame cuando esté", "¿quién está de guardia hoy?", "jajaja"]


@pytest.mark.parametrize("thread", [False, True])
def test_chatter_leaves_a_question_with_choices_open_and_is_met_once(desk: Desk, *, thread: bool) -> None:
    desk.ana(f"!tk consentimiento {desk.code}", thread=thread)
    asked = desk.ana("sí", thread=thread)
    first, *later = [desk.ana(words, thread=thread) for words in CHATTER]
    assert "A qué instituciones" in first
    assert later == ["", "", ""]
    assert "Para qué" in desk.ana(pick(asked, "Csmc Comas"), thread=thread)
    assert "A qué instituciones" in desk.ana("atrás", thread=thread)


@pytest.mark.parametrize("words", ["mmm", "los de siempre", "como la otra vez", "pon lo de siempre nomás", "listo"])
def test_what_may_have_been_meant_for_an_answer_is_met_every_time(desk: Desk, words: str) -> None:
    """Silence would look like «done»: she may believe that the consent is noted."""
    desk.ana(f"!tk consentimiento {desk.code}", thread=False)
    asked = desk.ana("sí", thread=False)
    assert "No lo tomé como respuesta" in desk.ana(words, thread=False)
    for _ in range(2):
        again = desk.ana(words, thread=False)
        assert again.startswith("Sigo esperando:")
        assert numbers(again) == numbers(asked)
        assert len(again) < len(asked) + 20
    assert consents(desk) == 0
    assert desk.cem.type("luis", words) == "", "somebody else's talk"


@pytest.mark.parametrize("chatter", ["hola", "gracias colega", "voy a comer", "te cuento mañana", "¿la señora espera afuera?"])
def test_what_is_only_nearest_to_a_name_is_chatter_and_no_yes_takes_it(desk: Desk, chatter: str) -> None:
    """Some field's name is always the nearest one."""
    for words in (f"!tk consentimiento {desk.code}", "sí", "csmc-comas", "salud mental"):
        desk.ana(words, thread=False)
    assert "espero" in desk.ana(chatter, thread=False)
    assert desk.ana(chatter, thread=False) == ""
    assert desk.ana("sí", thread=False).startswith("Sigo esperando"), "it took nothing"


def test_a_slip_in_an_answer_is_helped_every_time(desk: Desk) -> None:
    asks_in_room(desk)
    desk.ana("sí", thread=False)
    for _ in range(3):
        assert "Quiso decir" in desk.ana("csmc coma", thread=False)
    assert "No conozco" in desk.ana("77", thread=False)


def test_an_order_in_the_thread_is_carried_out_while_a_dialogue_waits_for_a_choice(desk: Desk) -> None:
    desk.ana("consentimiento")
    assert "Anotado" in desk.ana("anotar riesgo: medio")
    assert "A qué instituciones" in desk.ana("sí")


@pytest.mark.parametrize("thread", [False, True])
def test_that_she_understood_is_taken_from_a_plain_yes_only(desk: Desk, *, thread: bool) -> None:
    desk.ana(f"!tk consentimiento {desk.code}", thread=thread)
    assert "lo entendió" in desk.ana("ok", thread=thread)
    assert "Sigo esperando" in desk.ana("listo", thread=thread)
    assert "A qué instituciones" in desk.ana("sí", thread=thread)


# --- «sí» takes what was suggested


def test_yes_takes_the_one_suggestion_of_a_dialogue(desk: Desk) -> None:
    for words in (f"!tk consentimiento {desk.code}", "sí"):
        desk.ana(words, thread=False)
    assert "¿Quiso decir: Csmc Comas?" in desk.ana("csmc coma", thread=False)
    assert "Para qué" in desk.ana("sí", thread=False)


def test_yes_takes_nothing_that_was_not_suggested(desk: Desk) -> None:
    for words in (f"!tk consentimiento {desk.code}", "sí"):
        desk.ana(words, thread=False)
    desk.ana("csmc coma", thread=False)
    desk.ana("marte", thread=False)
    assert "Para qué" not in desk.ana("sí", thread=False)
