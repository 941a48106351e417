"""Defences that came from the last review: each test fails when its defence is deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions import answer, peers, plan_check_in, receive_offer
from hub.actions.receive import receive
from hub.app.commands import _living
from hub.base.errors import PeerFault, Refused
from hub.cases.lifecycle import Side, State
from hub.chat.plain import Message
from hub.chat.posting import MOST_BYTES, NUMBER_REST, ask, close_questions, fit
from hub.doctor import Check, Level, judge_live
from hub.exchange.intake import MOST_EPOCHS, place
from tests.actions.road import CANARY, confirmed, consented, drafted, fresh, held, offered, opened, there, working
from tests.attacks.twins.bench import craft, found, sealed
from tests.exchange.test_fuzz import Liar, take

HUBS = (("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))


def test_a_message_never_outgrows_an_event() -> None:
    long = fit(Message(body="ñ" * MOST_BYTES, html="x" * 10), MOST_BYTES)
    assert len(long.body.encode()) <= MOST_BYTES
    assert long.html is None
    assert long.body.endswith("…")


def test_the_numbers_of_an_answered_question_rest_x34() -> None:
    net = fresh(*HUBS)
    first = net.cem.run(lambda unit: ask(unit, "!r", "offer", "a", ("x", "y"), "R-1"))
    net.cem.run(lambda unit: close_questions(unit, "a"))
    second = net.cem.run(lambda unit: ask(unit, "!r", "refer", "b", ("x",), "C-1"))
    assert second.first >= first.first + 2, "a late answer must not fit the next question"
    net.cem.clock.advance(NUMBER_REST + timedelta(seconds=1))
    assert net.cem.run(lambda unit: ask(unit, "!r", "refer", "c", ("x",), "C-2")).first == first.first


def test_a_frozen_link_opens_only_with_the_code() -> None:
    net = fresh(*HUBS)
    net.cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer="csmc-comas"), frozen="stranger")))
    with pytest.raises(Refused, match="wrong_pairing_code"):
        net.cem.run(lambda unit: peers.thaw_link(unit, "admin", "csmc-comas", "0000-0000-0000-0000"))
    code = net.cem.run(lambda unit: peers.short_code_with(unit, "csmc-comas"))
    net.cem.run(lambda unit: peers.thaw_link(unit, "admin", "csmc-comas", code))
    assert net.cem.run(lambda unit: unit.links.one(peer="csmc-comas")).frozen is None


def test_a_link_that_stands_is_told_by_doctor_and_by_the_board() -> None:
    """Whoever looks only at `tinkuy doctor` or at the board learns that nothing reaches an institution, and why."""
    net = fresh(*HUBS, ("colectiva-miluska", "community_organisation"))

    def judged() -> dict[str, Check]:
        return {check.id: check for check in judge_live(net.cem.run(lambda unit: _living(unit, root_here=False)))}

    assert {judged()[name].level for name in ("links_stopped", "restore_unanswered")} == {Level.OK}
    net.cem.run(peers.stop_link, "admin", "csmc-comas")
    net.cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer="colectiva-miluska"), asking=3)))
    assert judged()["links_stopped"].sentences()[0] == "Por estos enlaces no sale ni entra nada: csmc-comas (administración lo detuvo)."
    assert "colectiva-miluska" in judged()["restore_unanswered"].sentences()[0]
    assert "csmc-comas" not in judged()["restore_unanswered"].sentences()[0]


def test_an_invented_epoch_is_refused() -> None:
    net = fresh(*HUBS)
    link = net.csmc.run(lambda unit: unit.links.one(peer="cem-lima"))
    record = Liar(net, "cem-lima", "csmc-comas").record("cancel", b"{}", epoch=link.epoch_in + MOST_EPOCHS + 1, sequence=1)
    with pytest.raises(PeerFault, match="far_ahead"):
        place(link, record)


def test_what_waits_for_its_turn_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that leaves out one number and goes on, in one epoch after the other, would else fill our disk."""
    monkeypatch.setattr("hub.actions.receive.AHEAD", 8)
    net = fresh(*HUBS)
    line = net.csmc.run(lambda unit: unit.links.one(peer="cem-lima"))
    refused = 0
    for epoch in range(line.epoch_in + 1, line.epoch_in + 11):
        record = craft(net.cem, "csmc-comas", "cancel", b"{}", epoch=epoch, sequence=2)
        data = sealed(net.cem, net.csmc, record.data)
        try:
            net.csmc.run(receive, line.room, net.cem.user, data)
        except PeerFault as fault:
            refused += fault.code == "too_many_early"
    assert (net.csmc.run(lambda unit: unit.early.count()), refused) == (8, 2)


def test_offers_that_nobody_answered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_offer, "MOST_WAITING", 1)
    net = fresh(*HUBS)
    for name in ("Uno Inventada", "Dos Inventada"):
        case = opened(net.cem, {"social_name": name})
        consented(net.cem, case)
        offered(net, case)
    assert net.csmc.run(lambda unit: unit.referrals.count(side=Side.RECIPIENT, state=State.RECEIVED)) == 1
    assert "record_refused" in net.alarms(net.csmc)


def test_an_institution_may_only_send_what_the_protocol_lets_its_kind_send() -> None:
    """Decided again at the recipient: a peer's own hub could have been told otherwise (P06)."""
    net = fresh(("albergue-sol", "shelter"), ("csmc-comas", "mental_health_centre"), ("cem-lima", "emergency_centre"))
    case = opened(net.cem, {"social_name": "Luz Inventada"})
    consented(net.cem, case)
    referral = confirmed(net.cem, drafted(net.cem, case))
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patched:
        protocol = net.csmc.store.given.pack.protocols[referral.protocol]
        only = {**net.csmc.store.given.pack.protocols, protocol.id: replace(protocol, from_kinds=frozenset({"shelter"}))}
        patched.setitem(vars(net.csmc.store.given), "pack", replace(net.csmc.store.given.pack, protocols=only))
        net.settle()
    assert net.csmc.run(lambda unit: unit.referrals.get(referral.id)) is None
    assert "record_refused" in net.alarms(net.csmc)


def test_a_protocol_that_is_not_in_force_takes_no_offer() -> None:
    net = fresh(*HUBS)
    case = opened(net.cem, {"social_name": "Luz Inventada"})
    consented(net.cem, case)
    referral = confirmed(net.cem, drafted(net.cem, case))
    with pytest.MonkeyPatch.context() as patched:
        protocol = net.csmc.store.given.pack.protocols[referral.protocol]
        ended = {**net.csmc.store.given.pack.protocols, protocol.id: replace(protocol, expires=net.clock.now().date() - timedelta(days=1))}
        patched.setitem(vars(net.csmc.store.given), "pack", replace(net.csmc.store.given.pack, protocols=ended))
        net.settle()
    assert net.csmc.run(lambda unit: unit.referrals.get(referral.id)) is None


def test_part_withdrawn_is_also_gone_from_the_card_drawn_with_the_rest() -> None:
    """Two disclosures; the card shows both, sealed under the newer one. Taking back the older redacts every card that showed it."""
    net = fresh(*HUBS)
    case, referral = working(net, {"social_name": f"{CANARY}-NOMBRE"})
    net.csmc.type("ana", f"!tk pedir {there(net.csmc, referral).code} pronombres para saludarla")
    net.settle()
    net.cem.type("ana", f"!tk anotar {case.code} pronombres {CANARY}-PRONOMBRE")
    ask = net.cem.run(lambda unit: unit.asks.one(state="open"))
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    net.settle()
    assert {"social_name", "pronouns"} <= held(net.csmc, referral).keys()
    net.cem.type("ana", found(r"(\d+)[.)]? +retirar", net.cem.type("ana", f"!tk retirar {case.code} a csmc-comas nombre")))
    net.settle()
    assert "social_name" not in held(net.csmc, referral)
    assert not [s.body for s in net.csmc.said if f"{CANARY}-NOMBRE" in s.body], "no message on her screen shows it any more"


def test_that_she_understood_is_never_taken_from_chatter() -> None:
    """The last question of the consent asks whether it was explained: "ok" to a colleague is no answer to it."""
    net = fresh(*HUBS)
    case = opened(net.cem, {"social_name": "Luz Inventada"})
    net.cem.type("ana", f"!tk consentimiento {case.code} oral a csmc-comas para salud mental campos lo necesario hasta 3 meses")
    for chatter in ("ok", "ya", "listo", "dale", "claro"):
        net.cem.type("ana", chatter)
        assert net.cem.run(lambda unit: unit.consents.count(case=case.id)) == 0, chatter
    assert "consentimiento anotado" in net.cem.type("ana", "sí")


def test_a_check_in_is_undone_but_never_the_last_one() -> None:
    net = fresh(*HUBS)
    case = opened(net.cem, {"social_name": "Luz Inventada"})
    before = net.cem.run(lambda unit: unit.checkins.count(case=case.id, state="planned"))
    net.clock.advance(timedelta(minutes=5))
    net.cem.type("ana", f"!tk control {case.code} en 9 días a las 10")
    assert net.cem.run(lambda unit: unit.checkins.count(case=case.id, state="planned")) == before + 1
    assert "se quitó" in net.cem.type("ana", "!tk deshacer")
    assert net.cem.run(lambda unit: unit.checkins.count(case=case.id, state="planned")) == before
    only = net.cem.run(lambda unit: unit.checkins.one(case=case.id, state="planned"))
    with pytest.raises(Refused, match="last_check_in"):
        net.cem.run(lambda unit: plan_check_in.drop_check_in(unit, net.cem.person("ana"), only.id))


def test_a_report_of_dropped_fields_does_not_shrink_our_record() -> None:
    """"I dropped that" is the peer's word: what we gave it stays on the list of who knows what."""
    net = fresh(*HUBS)
    _, referral = working(net)
    disclosure = net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id))
    liar = Liar(net, "csmc-comas", "cem-lima")
    body = {"referral": referral.id, "disclosure": disclosure.id, "dropped": sorted(disclosure.fields), "why": ""}
    take(net.cem, [liar.say("report", body, referral)], "csmc-comas")
    assert "fields_dropped" in net.alarms(net.cem)
    assert net.cem.run(lambda unit: unit.disclosures.get(disclosure.id)).fields == disclosure.fields
