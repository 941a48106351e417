"""One named extra field: decided again at each step; the asker reads why not, and learns neither a value nor whether there is one (R14, R48)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions import answer
from hub.actions.legal_hold import place_hold
from hub.cases.records import Ask, Referral
from tests.actions import road
from tests.actions.road import Net, held, opened, taken
from tests.fields.road import VALUES, pick, thread, typed


def asked(net: Net, referral: Referral, field: str, why: str = "para su cita") -> Ask:
    made: Ask = net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, field, why))
    net.settle()
    return made


def begun_without(net: Net, values: dict[str, str], without: tuple[str, ...] = ()) -> Referral:
    case = opened(net.cem, values)
    road.consented(net.cem, case, fields=tuple(f for f in road.SHARED if f not in without))
    return taken(net, road.offered(net, case))


@pytest.mark.parametrize("noted", [True, False])
def test_why_not_is_the_same_whether_a_value_is_noted_or_not(net: Net, noted: bool) -> None:
    """`not_coincide_with` is let out only to somebody at high risk; at low risk the hub says no, and says it alike for all."""
    values = {"social_name": "Marisol", "risk_level": "low"} | ({"not_coincide_with": "Persona Inventada"} if noted else {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answer, "ceiling", lambda *_, **__: {"occupation": 1})
        referral = begun_without(net, values)
        ask = asked(net, referral, "occupation")
    assert net.csmc.run(lambda unit: unit.asks.get(ask.id)).reason == "protocol"
    assert "no da «Ocupación»: el protocolo no lo permite en este caso" in net.csmc.find("no da").body
    assert "el hub dijo que no" in net.cem.find("pidió «Ocupación»").body


@pytest.mark.parametrize(("option", "words"), [("no: ella no quiere", "ella no quiere"), ("no darlo", "su institución decidió no darlo")])
def test_no_is_one_number_with_its_reason(net: Net, option: str, words: str) -> None:
    referral = begun_without(net, VALUES, without=("phone",))
    asked(net, referral, "phone")
    card = net.cem.find("pide un dato más")
    assert "Ella todavía no dijo que sí" in card.body, "she is asked first"
    case = net.cem.run(lambda unit: unit.cases.all())[0]
    typed(net.cem, pick(card.body, option), thread(net.cem, f"{case.code} · "))
    net.settle()
    assert f"no da «Teléfono»: {words}" in net.csmc.find("no da").body
    assert "phone" not in held(net.csmc, referral)


def test_a_request_for_another_purpose_is_refused(net: Net) -> None:
    from hub.actions import compose

    referral = begun_without(net, VALUES, without=("phone",))
    letters = compose._WRITERS["ask"]
    with pytest.MonkeyPatch.context() as patch:
        wrong = {**compose._WRITERS, "ask": lambda *given: (one := letters(*given)) and replace(one, body=replace(one.body, purpose="complaint"))}
        patch.setattr(compose, "_WRITERS", wrong)
        asked(net, referral, "phone")
    assert net.cem.run(lambda unit: unit.asks.count()) == 0


def test_a_grant_is_one_field_with_an_end(net: Net) -> None:
    """Of several terms the shortest counts: her consent for this field ends first, and after it nothing is left, though a hub slept over it."""
    referral = begun_without(net, VALUES, without=("phone",))
    case = net.cem.run(lambda unit: unit.cases.all())[0]
    end = net.clock.now() + timedelta(days=10)
    road.consented(net.cem, case, fields=("phone", "safe_contact"), until=end)
    ask = asked(net, referral, "phone")
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    net.settle()
    (given,) = net.csmc.run(lambda unit: [d for d in unit.disclosures.all(referral=referral.id) if "phone" in d.fields])
    assert (tuple(given.fields), given.until) == (("phone",), end)
    assert f"{end.astimezone().year}" in net.csmc.find("se destruyen aquí solos").body
    net.clock.advance(timedelta(days=12))
    net.csmc.ring()  # the owner's hub is still off
    assert "phone" not in held(net.csmc, referral)
    assert net.csmc.run(lambda unit: unit.tombstones.get(given.id)) is not None
    net.settle(6)
    assert net.cem.run(lambda unit: unit.disclosures.get(given.id)).state == "destroyed"
    assert "social_name" in held(net.csmc, referral), "the rest lives as long as it may"


def test_a_legal_hold_stops_the_destruction_and_is_named_on_both_sides(net: Net) -> None:
    referral = begun_without(net, VALUES)
    until = (net.clock.now() + timedelta(days=400)).date()
    net.csmc.run(lambda unit: place_hold(unit, "admin", referral.code, "court_order", until))
    net.clock.advance(timedelta(days=91))
    net.csmc.ring()
    net.settle(8)
    assert held(net.csmc, referral) == {}, "kept, and seen by nobody"
    (kept,) = net.cem.run(lambda unit: unit.disclosures.all(referral=referral.id))
    assert (kept.state, kept.basis) == ("retained", "court_order")
    case = net.cem.run(lambda unit: unit.cases.all())[0]
    shown = typed(net.cem, "quién sabe", thread(net.cem, f"{case.code} · "))
    assert "lo conserva por ley" in shown
    assert "lo ordena un juzgado" in shown
