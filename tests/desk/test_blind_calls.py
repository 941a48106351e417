"""A telephone that goes without the safe way to call her is warned of wherever it is let out, before that is confirmed (R29)."""

from __future__ import annotations

import pytest

from tests.desk.test_words import CANARIES, Desk, code_in, pick

WARNING = "sin la forma segura de contactarla"
FEW = "oral a csmc-comas para salud mental campos {fields} hasta 3 meses explicado"


def referred(desk: Desk, fields: str, *, accept: bool = True) -> str:
    """The thread of an offer under a consent to these fields, accepted unless it is left to wait."""
    desk.ana(f"consentimiento {desk.code} {FEW.format(fields=fields)}")
    _, offer = desk.refers()
    if accept:
        desk.bea("aceptar", thread=offer.event)
        desk.net.settle()
    return offer.event


def asked_for(desk: Desk, thread: str, field: str) -> str:
    desk.bea(f"pedir {field} para su atención", thread=thread)
    desk.net.settle()
    return desk.cem.find("pide un dato más").body


def granted(desk: Desk) -> int:
    return int(desk.cem.run(lambda unit: unit.asks.count(state="granted")))


def test_a_telephone_that_is_asked_for_later_is_warned_of_before_it_is_granted(desk: Desk) -> None:
    thread = referred(desk, "riesgo")
    card = asked_for(desk, thread, "teléfono")
    assert WARNING in card
    assert not any(canary in card for canary in CANARIES)
    desk.ana(pick(card, "dar permiso"))
    assert granted(desk) == 1, "once it was said, one number is enough"
    assert WARNING not in asked_for(desk, thread, "edad"), "only a way to reach her"


def test_one_who_holds_the_safe_way_is_not_warned_of(desk: Desk) -> None:
    thread = referred(desk, "riesgo, contacto seguro")
    card = asked_for(desk, thread, "teléfono")
    assert WARNING not in card
    desk.ana(pick(card, "dar permiso"))
    assert granted(desk) == 1


def test_what_was_taken_back_since_the_card_is_warned_of_before_anything_is_granted(desk: Desk) -> None:
    card = asked_for(desk, referred(desk, "riesgo, contacto seguro"), "teléfono")
    desk.ana(pick(desk.ana(f"retirar {desk.code} a csmc-comas contacto seguro"), "retirar"))
    desk.net.settle()
    again = desk.ana(pick(card, "dar permiso"))
    assert WARNING in again
    assert granted(desk) == 0
    assert "no es de ninguna pregunta" in desk.ana(pick(card, "dar permiso"))
    desk.ana(pick(again, "dar permiso"))
    assert granted(desk) == 1


@pytest.mark.parametrize(("fields", "warned"), [("teléfono", True), ("teléfono, contacto seguro", False), ("riesgo", False)])
def test_a_telephone_that_is_noted_while_an_offer_waits_is_warned_of(desk: Desk, fields: str, *, warned: bool) -> None:
    """It goes with the rest once they accept, and the preview that was confirmed did not show it."""
    other = code_in(desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False), "C")
    desk.card = desk.cem.find(f"{other} · Mar").event
    desk.code = other
    for words in ("riesgo: alto", "contacto seguro: solo de día"):
        desk.ana(f"anotar {words}")
    referred(desk, f"riesgo, {fields}", accept=False)
    said = desk.ana("anotar teléfono: 900000124")
    assert "Anotado" in said
    assert (WARNING in said) is warned
    assert WARNING not in desk.ana("anotar edad: 30")


def test_a_telephone_that_was_granted_before_it_was_known_is_warned_of_when_it_is_noted(desk: Desk) -> None:
    other = code_in(desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False), "C")
    desk.card = desk.cem.find(f"{other} · Mar").event
    desk.code = other
    desk.ana("anotar riesgo: alto")
    card = asked_for(desk, referred(desk, "riesgo, teléfono"), "teléfono")
    desk.ana(pick(card, "dar permiso"))
    assert WARNING in desk.ana("anotar teléfono: 900000124")


def held(desk: Desk) -> list[set[str]]:
    """Of what matters here, what each living disclosure tells the other institution."""
    found = desk.csmc.run(lambda unit: unit.disclosures.all(state="active", order="at"))
    return [set(one.fields) & {"phone", "safe_contact", "risk_level"} for one in found]


BOTH = "riesgo, teléfono, contacto seguro"


@pytest.mark.parametrize("where", ["", " a csmc-comas"])
def test_the_safe_way_taken_back_alone_is_warned_of_and_the_ways_can_go_with_it(desk: Desk, where: str) -> None:
    referred(desk, BOTH)
    shown = desk.ana(f"retirar {desk.code}{where} contacto seguro")
    assert WARNING in shown
    assert held(desk) == [{"phone", "safe_contact", "risk_level"}], "nothing was done yet"
    desk.ana(pick(shown, "retirar también"))
    desk.net.settle(20)
    assert held(desk) == [{"risk_level"}]


def test_she_may_take_back_the_safe_way_alone_once_it_was_said(desk: Desk) -> None:
    referred(desk, BOTH)
    desk.ana(pick(desk.ana(f"retirar {desk.code} contacto seguro"), "retirar solo lo pedido"))
    desk.net.settle(20)
    assert held(desk) == [{"phone", "risk_level"}]


def test_nothing_is_taken_back_by_the_last_number_nor_by_words(desk: Desk) -> None:
    referred(desk, BOTH)
    shown = desk.ana(f"retirar {desk.code} contacto seguro")
    desk.ana("retirar también su teléfono, correo y dirección")
    desk.ana("retirar solo lo pedido")
    assert "no se retiró nada" in desk.ana(pick(shown, "no retirar nada"))
    desk.net.settle(20)
    assert held(desk) == [{"phone", "safe_contact", "risk_level"}]


@pytest.mark.parametrize("what", ["riesgo", "teléfono", "contacto seguro, teléfono", ""])
def test_a_withdrawal_that_leaves_no_way_without_the_safe_one_is_not_warned_of(desk: Desk, what: str) -> None:
    referred(desk, BOTH)
    shown = desk.ana(f"retirar {desk.code} {what}".strip())
    assert pick(shown, "retirar")
    assert WARNING not in shown


def test_while_an_offer_waits_it_is_warned_of_too(desk: Desk) -> None:
    thread = referred(desk, BOTH, accept=False)
    shown = desk.ana(f"retirar {desk.code} contacto seguro")
    assert WARNING in shown
    desk.ana(pick(shown, "retirar también"))
    desk.bea("aceptar", thread=thread)
    desk.net.settle(20)
    assert held(desk) == [{"risk_level"}]


def test_what_they_got_since_the_question_is_warned_of_before_anything_is_taken_back(desk: Desk) -> None:
    card = asked_for(desk, referred(desk, "riesgo, contacto seguro"), "teléfono")
    desk.ana(f"consentimiento {desk.code} {FEW.format(fields='teléfono')}")
    shown = desk.ana(f"retirar {desk.code} riesgo, contacto seguro")
    assert WARNING in shown, "sent anew, the telephone would go too"
    desk.ana(pick(shown, "no retirar nada"))
    shown = desk.ana(f"retirar {desk.code} a csmc-comas riesgo, contacto seguro")
    desk.ana(pick(card, "dar permiso"))
    desk.net.settle(20)
    assert {"phone"} in held(desk)
    desk.ana(pick(shown, "retirar también"))
    desk.net.settle(20)
    assert not any(held(desk))


def test_a_question_that_did_not_warn_takes_nothing_back_once_a_way_is_held(desk: Desk) -> None:
    referred(desk, "riesgo, contacto seguro")
    shown = desk.ana(f"retirar {desk.code} contacto seguro")
    assert WARNING not in shown
    desk.ana(f"consentimiento {desk.code} {FEW.format(fields='teléfono')}")
    again = desk.ana(pick(shown, "retirar"))
    assert WARNING in again
    desk.net.settle(20)
    assert held(desk) == [{"safe_contact", "risk_level"}]
    desk.ana(pick(again, "retirar también"))
    desk.net.settle(20)
    assert held(desk) == [{"risk_level"}]


def days(desk: Desk, safe: int, *, accept: bool = True) -> str:
    """The safe way agreed to for some days, the rest for three months."""
    for fields, until in (("riesgo, teléfono", "3 meses"), ("contacto seguro", f"{safe} días")):
        said = desk.ana(f"consentimiento {desk.code} oral a csmc-comas para salud mental campos {fields} hasta {until} explicado")
        assert "consentimiento anotado" in said
    _, offer = desk.refers()
    if accept:
        desk.bea("aceptar", thread=offer.event)
        desk.net.settle()
    return offer.event


def ends(desk: Desk) -> list[str]:
    """The consent to the safe way ends. What is said about it at the desk."""
    end = min(one.until for one in desk.cem.run(lambda unit: unit.consents.all()))
    before = len(desk.cem.said)
    desk.net.clock.advance(end - desk.net.clock.now())
    desk.cem.ring()
    desk.net.settle(20)
    return [said.body for said in desk.cem.said[before:] if "forma segura" in said.body and desk.cem.person("ana") in said.ring]


def test_when_the_permission_for_the_safe_way_ends_the_ways_end_with_it_and_her_caseworker_is_told(desk: Desk) -> None:
    days(desk, 2)
    assert held(desk) == [{"phone", "safe_contact", "risk_level"}]
    (told,) = ends(desk)
    assert "tampoco van a Csmc Comas" in told
    assert held(desk) == [{"risk_level"}]
    shown = desk.ana(f"retirar {desk.code} riesgo")
    assert WARNING in shown, "sent anew, the telephone would go after all"


def test_when_it_ends_while_an_offer_waits_no_way_goes_once_they_accept(desk: Desk) -> None:
    thread = days(desk, 1, accept=False)
    (told,) = ends(desk)
    assert "tampoco van a Csmc Comas" in told
    desk.bea("aceptar", thread=thread)
    desk.net.settle(20)
    assert held(desk) == [{"risk_level"}]
