"""«enviar» sends the preview that stands where it is typed, and no other one; in doubt it is asked which (X34)."""

from __future__ import annotations

import pytest

from tests.desk.test_words import ONE_LINE, Desk, code_in, open_desk, pick

ASK = "derivar {code} a csmc-comas por salud mental"


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own, her consent noted."""
    desk = open_desk()
    desk.consents()
    return desk


def second(desk: Desk) -> tuple[str, str]:
    """Another woman's case with a consent: its code and its thread."""
    code = code_in(desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False), "C")
    desk.net.settle()
    thread = desk.cem.find(f"{code} · Mar").event
    desk.cem.type("ana", "anotar riesgo: alto", thread=thread)
    desk.cem.type("ana", f"consentimiento {ONE_LINE}", thread=thread)
    return code, thread


def sent(desk: Desk) -> list[str]:
    """The codes of the cases whose offer was confirmed."""
    found = desk.cem.run(lambda unit: [unit.cases.get(r.case) for r in unit.referrals.all(state__not="draft")])
    return [case.code for case in found if case]


@pytest.mark.parametrize("thread", [False, True])
def test_the_one_that_stands_here_is_sent_and_named(desk: Desk, *, thread: bool) -> None:
    desk.ana(f"!tk {ASK.format(code=desk.code)}", thread=thread)
    said = desk.ana("enviar", thread=thread)
    assert f"{desk.code}: R-" in said
    assert "en camino a Csmc Comas" in said
    assert sent(desk) == [desk.code]


@pytest.mark.parametrize("words", ["enviar", "!tk enviar", "enviar la oferta"])
def test_x34_what_stands_in_a_thread_is_not_sent_from_the_room_nor_from_another_thread(desk: Desk, words: str) -> None:
    _, other = second(desk)
    number = pick(desk.ana(ASK.format(code="")), "enviar")
    for thread in (None, other, "$elsewhere"):
        said = desk.cem.type("ana", words, thread=thread)
        assert desk.code in said
        assert f"su número: {number}. No hice nada" in said
    assert sent(desk) == []
    assert desk.cem.type("luis", words.removeprefix("!tk "), thread=None) == "", "it is hers"
    desk.ana("enviar")
    assert sent(desk) == [desk.code]


def test_x34_what_stands_in_the_room_is_not_sent_from_another_womans_thread(desk: Desk) -> None:
    _, other = second(desk)
    desk.ana(f"!tk {ASK.format(code=desk.code)}", thread=False)
    assert desk.code in desk.cem.type("ana", "enviar", thread=other)
    assert sent(desk) == []


def test_x34_with_more_than_one_it_is_asked_which(desk: Desk) -> None:
    code, other = second(desk)
    desk.ana(f"!tk {ASK.format(code=desk.code)}", thread=False)
    desk.cem.type("ana", ASK.format(code=""), thread=other)
    said = desk.ana("enviar", thread=False)
    assert "¿Cuál de estas?" in said
    assert sent(desk) == []
    assert "No hice nada" in said
    desk.ana(pick(said, f"{code} → Csmc Comas: enviar"), thread=False)
    assert sent(desk) == [code]
    desk.ana("enviar", thread=False)
    assert sorted(sent(desk)) == sorted([code, desk.code]), "the one that remains stands here"


def test_in_its_own_thread_it_is_that_one_however_many_there_are(desk: Desk) -> None:
    code, other = second(desk)
    desk.ana(ASK.format(code=""))
    desk.cem.type("ana", ASK.format(code=""), thread=other)
    assert f"{code}: R-" in desk.cem.type("ana", "enviar", thread=other)
    assert sent(desk) == [code]
