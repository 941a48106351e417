"""`rutas`: whose case it is about, and beside which step her word is missing."""

from __future__ import annotations

from tests.desk.test_words import open_desk


def test_beside_a_step_that_she_has_not_agreed_to_it_is_said_and_the_step_stays() -> None:
    desk = open_desk()
    said = desk.ana("rutas")
    assert "Csmc Comas · salud mental (falta su consentimiento)" in said
    desk.consents()
    assert "Csmc Comas · salud mental\n" in f"{desk.ana('rutas')}\n", "she agreed to this"


def test_a_thread_begun_under_the_first_answer_is_about_that_case() -> None:
    desk = open_desk()
    begun = desk.cem.find("Listo: ").event
    assert f"{desk.code}: ¿a quién y por qué?" in desk.cem.type("ana", "rutas", thread=begun)
    assert "Anotado" in desk.cem.type("ana", "anotar riesgo: medio", thread=begun)


def test_in_the_thread_of_what_was_received_no_case_code_is_asked_for() -> None:
    """There is none: the case is the other institution's. What can be done instead is named."""
    desk = open_desk()
    desk.consents()
    code, offer = desk.refers()
    for words in ("rutas", "derivar"):
        said = desk.bea(words, offer.event)
        assert f"{code} la deriva Cem Lima" in said
        assert "«compartir a institución por necesidad" in said
