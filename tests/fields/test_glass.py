"""Break-glass (R76): only what the owner's own protocol allows, never against her, never over a conflict of interest, and never unseen."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import emergency, open_case, withdraw
from hub.actions.erase import shred
from hub.actions.indicators import indicators
from hub.base.errors import Refused
from hub.cases.records import Glass, Referral
from tests.actions import road
from tests.actions.road import CSMC, Net, code_of, held
from tests.fields.road import VALUES, begun, fresh, give, pack, pick, sees, thread, typed

ASKED_HER = tuple(f for f in road.SHARED if f != "phone")
"""Her consent, without one field that the protocol would have let out: she left it out."""


def broken(net: Net, referral: Referral, field: str = "address", by: str = "ana", second: str | None = "berta") -> Glass:
    """Asked, confirmed by a second person, and everything travelled."""
    asked: Glass = net.csmc.run(
        lambda unit: emergency.break_glass(unit, net.csmc.person(by), referral.id, field, "life_in_danger", "no contesta")
    )  # fmt: skip
    if second:
        net.csmc.run(lambda unit: emergency.confirm_glass(unit, net.csmc.person(second), asked.id, agreed=True))
    net.settle(10)
    return asked


def row(twin: Any, glass: Glass) -> Glass:
    found: Glass = twin.run(lambda unit: unit.glasses.get(glass.id))
    return found


def test_it_opens_for_hours_everybody_hears_and_it_dies_by_itself(net: Net) -> None:
    case, referral = begun(net, shelter=False)
    glass = broken(net, referral)
    assert held(net.csmc, referral)["address"] == ("release", VALUES["address"])
    (opened,) = net.cem.run(lambda unit: [d for d in unit.disclosures.all(referral=referral.id) if d.glass])
    assert (opened.fields, opened.consent, opened.until) == ({"address": "release"}, None, row(net.cem, glass).until)
    told = net.cem.find("EMERGENCIA")
    assert "Ana Ejemplo" in told.body
    assert "confirmó Berta Ejemplo" in told.body
    assert "no contesta" in told.body
    assert set(told.ring) == {net.cem.person("ana"), net.cem.person("sara")}
    assert "Por una emergencia: su vida está en peligro; lo pidió Ana Ejemplo" in typed(net.cem, "quién sabe", thread(net.cem, f"{case.code} · "))
    assert net.cem.run(indicators)["emergencies"] == 1
    net.clock.advance(timedelta(hours=9))  # the hubs were off all that time
    net.csmc.ring()
    net.settle()
    assert "address" not in held(net.csmc, referral)
    (opened,) = net.cem.run(lambda unit: [d for d in unit.disclosures.all(referral=referral.id) if d.glass])
    assert (opened.state, bool(opened.receipt)) == ("destroyed", True)
    assert VALUES["address"] not in sees(net.csmc) + sees(net.cem)


def test_who_asks_does_not_confirm_and_nothing_leaves_without_a_second(net: Net) -> None:
    _, referral = begun(net, shelter=False)
    glass = broken(net, referral, second=None)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: emergency.confirm_glass(unit, net.csmc.person("ana"), glass.id, agreed=True))
    assert code_of(refused) == "second_person"
    assert net.csmc.run(lambda unit: unit.outbox.count(kind="glass")) == 0
    net.wait(minutes=11)
    assert row(net.csmc, glass).state == "lapsed"
    with pytest.raises(Refused):
        net.csmc.run(lambda unit: emergency.confirm_glass(unit, net.csmc.person("berta"), glass.id, agreed=True))
    assert net.cem.run(lambda unit: unit.glasses.count()) == 0


@pytest.mark.parametrize("why", ["withdrew", "left_out", "held_back", "conflict", "risk", "risk_unknown", "no_glass_there", "not_confirmed"])
def test_the_owner_says_no_by_itself(why: str) -> None:
    """Her no, a conflict of interest, a risk that is not there, a protocol that is silent: the hub answers, and hardly says which."""
    net = fresh()
    values = VALUES | {"risk_level": "low"} if why == "risk" else {k: v for k, v in VALUES.items() if why != "risk_unknown" or k != "risk_level"}
    field = "phone" if why in ("left_out", "withdrew", "held_back") else "address"
    case = road.opened(net.cem, values)
    road.consented(net.cem, case, fields=ASKED_HER if why == "left_out" else road.SHARED)
    held_back = ("phone",) if why == "held_back" else ()
    offer = road.confirmed(net.cem, road.drafted(net.cem, case, held_back=held_back))
    net.settle()
    referral = road.taken(net, offer)
    who = net.cem.person("ana")
    if why == "withdrew":
        net.cem.run(lambda unit: withdraw.withdraw(unit, who, case.id, CSMC, ("phone",)))
        net.settle()
    if why == "conflict":
        net.csmc.run(lambda unit: emergency.break_glass(unit, net.csmc.person("ana"), referral.id, field, "missing", "x"))
        net.cem.run(lambda unit: open_case.set_field(unit, who, case.id, "aggressor_affiliation", "health"))
    if why == "no_glass_there":
        give(net.cem, pack(glass=""))
    if why == "not_confirmed":  # a hub whose protocol asks for no second person asks one whose protocol does
        give(net.csmc, pack(glass="review_within: PT24H"))
        broken(net, referral, field, second=None)
    elif why == "conflict":
        (glass,) = net.csmc.run(lambda unit: unit.glasses.all())
        net.csmc.run(lambda unit: emergency.confirm_glass(unit, net.csmc.person("berta"), glass.id, agreed=True))
        net.settle(10)
    else:
        broken(net, referral, field)
    assert field not in held(net.csmc, referral)
    answers = [g.why_not for g in net.csmc.run(lambda unit: unit.glasses.all())]
    expected = "glass_refused" if why in ("withdrew", "left_out", "held_back") else "glass_forbidden"
    assert answers == (["glass_ended"] if why == "conflict" else [expected]), "over a conflict the referral itself is gone"
    if why != "conflict":
        assert net.cem.find("pidió").ring, "her people hear of it all the same"


def test_asked_after_the_referral_ended_both_sides_read_it_and_nothing_opens(net: Net) -> None:
    """It ended at the owner while the request was on its way."""
    case, referral = begun(net, shelter=False)
    who = net.cem.person("ana")
    asked = net.csmc.run(lambda unit: emergency.break_glass(unit, net.csmc.person("ana"), referral.id, "address", "life_in_danger", "no contesta"))
    with pytest.MonkeyPatch.context() as patch:
        deliver = net.deliver
        patch.setattr(net, "deliver", lambda twin: None if twin is net.cem else deliver(twin))  # what the owner says is not heard yet
        net.cem.run(lambda unit: withdraw.withdraw(unit, who, case.id, None, ()))
        net.csmc.run(lambda unit: emergency.confirm_glass(unit, net.csmc.person("berta"), asked.id, agreed=True))
        net.settle(4)
    net.settle(12)
    assert [row(twin, asked).why_not for twin in (net.cem, net.csmc)] == ["glass_ended", "glass_ended"]
    assert "la derivación ya había terminado" in net.csmc.find("no se abrió").body
    assert net.csmc.find("no se abrió").ring == (net.csmc.person("ana"),)
    told = net.cem.find("pidió «Dirección» por una emergencia")
    assert "el hub dijo que no: la derivación ya había terminado" in told.body
    assert set(told.ring) == {net.cem.person("ana"), net.cem.person("sara")}
    assert "address" not in held(net.csmc, referral)
    assert not [d for d in net.cem.run(lambda unit: unit.disclosures.all(referral=referral.id)) if d.glass]


def test_asked_when_the_owners_key_is_gone_its_people_still_hear_that_it_was_asked(net: Net) -> None:
    """Nothing of it can be read there any more, but that it was."""
    case, referral = begun(net, shelter=False)
    with pytest.MonkeyPatch.context() as patch:
        deliver = net.deliver
        patch.setattr(net, "deliver", lambda twin: None if twin is net.cem else deliver(twin))
        net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None, ()))
        net.cem.run(lambda unit: shred(unit, referral.id, "gone"))
        broken(net, referral)
    net.settle(12)
    told = net.cem.find("por una emergencia cuando la derivación ya había terminado")
    assert told.ring == (net.cem.person("ana"),)
    assert "la derivación ya había terminado" in net.csmc.find("no se abrió").body


def test_a_confirmation_that_waits_when_the_referral_ends_is_over(net: Net) -> None:
    case, referral = begun(net, shelter=False)
    glass = broken(net, referral, second=None)
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None, ()))
    net.settle(6)
    assert row(net.csmc, glass).why_not == "glass_ended"
    with pytest.raises(Refused):
        net.csmc.run(lambda unit: emergency.confirm_glass(unit, net.csmc.person("berta"), glass.id, agreed=True))
    assert net.cem.run(lambda unit: unit.glasses.count()) == 0


def test_she_may_say_no_until_it_leaves(net: Net) -> None:
    """Between the answer and the dispatch she takes everything back: nothing goes."""
    case, referral = begun(net, shelter=False)
    sent: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        deliver = net.deliver
        patch.setattr(net, "deliver", lambda twin: sent.append(1) if twin is net.cem else deliver(twin))
        broken(net, referral)
        net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None, ()))
    net.settle(12)
    assert sent
    assert "address" not in held(net.csmc, referral)
    assert VALUES["address"].encode() not in road.everything(net.csmc)


def test_there_is_a_limit_for_one_person_and_for_one_institution(net: Net) -> None:
    _, referral = begun(net, shelter=False)
    for _ in range(emergency.MOST_OF_ONE):
        broken(net, referral, second=None)
    with pytest.raises(Refused) as refused:
        broken(net, referral)
    assert code_of(refused) == "glass_too_often"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emergency, "MOST_OF_ONE", 99)
        patch.setattr(emergency, "MOST_OF_PEER", 1)
        broken(net, referral, by="berta", second="ana")
        last = broken(net, referral, field="phone", by="sara", second="ana") if "phone" not in held(net.csmc, referral) else None
    net.wait(hours=9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emergency, "MOST_OF_ONE", 99)
        patch.setattr(emergency, "MOST_OF_PEER", 1)
        last = broken(net, referral, by="berta", second="ana")
    assert row(net.csmc, last).why_not == "glass_too_often"


def test_a_review_that_is_not_done_rings_until_it_is() -> None:
    net = fresh(glass="review_within: PT24H")
    _, referral = begun(net, shelter=False)
    glass = broken(net, referral, second=None)
    assert held(net.csmc, referral)["address"][1] == VALUES["address"]
    for _ in range(2):
        net.wait(hours=25)
        late = net.csmc.find("falta revisar la emergencia")
        assert net.csmc.person("sara") in late.ring
        assert net.csmc.run(indicators)["unreviewed"] == 1
    assert sum("falta revisar" in s.body for s in net.csmc.said) == 2
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: emergency.review(unit, net.csmc.person("ana"), glass.id, "justified"))
    assert code_of(refused) == "second_person"
    card = thread(net.csmc, f"{referral.code} · derivación")
    typed(net.csmc, pick(late.body, "no estuvo justificada"), card, name="sara")
    net.settle()
    assert "NO estuvo justificada" in net.cem.find("revisó su emergencia").body
    assert net.csmc.run(indicators)["unreviewed"] == 0
    net.wait(hours=25)
    assert sum("falta revisar" in s.body for s in net.csmc.said) == 2


def test_a_disclosure_that_names_a_glass_nobody_broke_is_not_kept(net: Net) -> None:
    _, referral = begun(net, shelter=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emergency, "_why_not", lambda *_, **__: None)
        glass = Glass(
            id="gls_" + "0" * 24, referral=referral.id, side=road.there(net.cem, referral).side, field="address", reason="missing",
            role="caseworker", by="x", state="open", at=net.clock.now(), until=net.clock.now() + timedelta(hours=1),
        )  # fmt: skip
        net.cem.run(lambda unit: unit.glasses.add(glass))
        net.cem.run(lambda unit: emergency.intend(unit, CSMC, "disclose", referral=referral.id, glass=glass.id))
        net.settle(8)
    assert "address" not in held(net.csmc, referral)
    assert VALUES["address"].encode() not in road.everything(net.csmc)


def test_what_opens_for_hours_is_not_kept_open_for_ever(net: Net) -> None:
    """Two people who take turns: a field that must stay known is asked for, and she is asked."""
    _, referral = begun(net, shelter=False)
    opened = 0
    for number in range(9):
        pair = ("ana", "berta") if number % 2 else ("berta", "ana")
        with contextlib.suppress(Refused):
            broken(net, referral, by=pair[0], second=pair[1])
        opened += "address" in held(net.csmc, referral)
        net.wait(hours=8, minutes=1)
    assert opened == 3
