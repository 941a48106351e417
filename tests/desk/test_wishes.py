"""A plain wish in a thread is asked back with what to type, without her words, and nothing is done; a «sí» takes only what stays here (I02)."""

from __future__ import annotations

import pytest

from tests.desk.test_words import Desk, open_desk


@pytest.fixture(scope="module")
def calm_desk() -> Desk:
    """One desk where nothing is ever done, with a referral that was accepted."""
    desk = open_desk()
    desk.accepted()
    return desk


def done(desk: Desk) -> tuple[int, ...]:
    """What any of these wishes would have changed."""
    return tuple(
        twin.run(lambda unit: sum((unit.log.count(), unit.outbox.count(), unit.referrals.count(), unit.questions.count(state="open"))))
        for twin in (desk.cem, desk.csmc)
    )


WISHES = [
    ("anota q no duerme, insomnio, llora todo el dia", "anotar salud mental: …"), ("anótale que no duerme", "anotar salud mental: …"),
    ("relato: el marido le pego el domingo", "en nuestro chat directo"), ("Salud mental: insomnio, llora", "anotar salud mental: …"),
    ("porfa apunta: no duerme", "no anoté nada"), ("derivala a comas", "no derivé nada"), ("derívala", "no derivé nada"),
    ("deriva a comas porfa", "no derivé nada"), ("ya no quiere q sepan nada", "«retirar»"), ("ella ya no quiere que lo vean", "«retirar»"),
    ("retira todo", "no retiré nada"), ("retírale el permiso", "no retiré nada"), ("ciérralo", "no lo cerré"), ("cierra el caso", "cerrar"),
    ("no, deshacer", "solo «deshacer»"), ("me equivoque era 11", "solo «deshacer»"), ("dile que venga el martes", "«decir: …»"),
    ("decir hola ya la vimos, cuando puede venir?", "«decir: …»"),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "told"), WISHES)
def test_a_wish_in_the_thread_of_a_case_is_asked_back(calm_desk: Desk, wish: str, told: str) -> None:
    before = done(calm_desk)
    said = calm_desk.ana(wish)
    assert told in said
    assert "duerme" not in said
    assert "marido" not in said
    assert done(calm_desk) == before
    calm_desk.ana("gracias")


@pytest.mark.parametrize("wish", ["decir hola ya la tenemos, cuando puede venir?", "dile que venga el martes", "me equivoque era 11"])
def test_a_wish_in_the_thread_of_a_referral_is_asked_back(calm_desk: Desk, wish: str) -> None:
    before = done(calm_desk)
    thread = next(said for said in calm_desk.csmc.said if "· derivación de" in said.body).event
    assert "No " in calm_desk.bea(wish, thread=thread)
    assert done(calm_desk) == before


def test_who_has_it_not_accepted_yet_is_told_how_to_take_it(desk: Desk) -> None:
    desk.consents()
    _, offer = desk.refers()
    for words in ("la tomamos nosotras", "la aceptamos nosotras"):
        assert "aceptar" in desk.bea(words, thread=offer.event)
    assert desk.csmc.run(lambda unit: unit.referrals.all()[0].state.value) == "received"


def test_a_yes_notes_what_was_said_with_its_field(desk: Desk) -> None:
    assert "«sí»" in desk.ana("salud mental: insomnio, llora")
    assert "Anotado" in desk.ana("sí")
    assert "insomnio, llora" in desk.ana(f"ver {desk.code} salud mental", room="direct")


def test_a_yes_sends_and_ends_nothing(calm_desk: Desk) -> None:
    before = done(calm_desk)
    for wish in ("dile que venga el martes", "retira todo", "ciérralo", "no, deshacer"):
        assert "«sí»" not in calm_desk.ana(wish)
        calm_desk.ana("sí")
        assert done(calm_desk) == before


def test_it_is_asked_back_only_in_the_thread(calm_desk: Desk) -> None:
    for wish, told in WISHES:
        assert calm_desk.ana(wish, thread=False) == ""
        said = calm_desk.cem.type("luis", wish, thread=calm_desk.card, firm=False)
        assert told not in said, "a thread that a homeserver may have made"
        assert said == "" or "no hice nada" in said
