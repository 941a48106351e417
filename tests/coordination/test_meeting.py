"""A meeting about a case, between three hubs: what is shown before it opens, what stands in the room, and what changes it (design §3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import coordination, coordination_people, open_case, staff, withdraw, work
from hub.actions.coordination_card import greet
from hub.actions.rosters import trusted_guests
from hub.app.posts import claim, mark
from hub.app.table_commands import _shown
from hub.app.wanted_rooms import wanted_coordination
from hub.base.errors import Refused
from hub.cases.events import CoordinationMoved
from hub.cases.lifecycle import Move
from hub.chat.do_rooms import shared_of
from hub.testing.twin import START
from tests.actions.road import CEM, CSMC, HOGAR, code_of
from tests.coordination.bench import LUZ, Meeting, key_of, meeting
from tests.desk.test_words import pick

BOTH, ONE = (CSMC, HOGAR), (CSMC,)
CARD = "reunión de caso\nPresentes"


def card(m: Meeting) -> str:
    return next(body for body in reversed(m.shown()) if CARD in body)


def test_she_reads_what_everybody_would_read_and_confirms_by_number() -> None:
    m = meeting()
    said = m.ana("reunir a csmc-comas y hogar-luz")
    assert "Todas leerían lo mismo" in said
    assert "Edad (en general)" in said
    assert "Relato (solo que existe)" in said
    assert "Por Csmc Comas no se mostraría:" in said
    assert "RELATO-INVENTADO" not in said, "the preview is of names, not of values"
    assert m.ana(pick(said, "no abrirla")).count("No salió nada") == 1
    m.settle()
    assert m.cem.run(lambda unit: unit.coordinations.all()) == []
    assert not m.csmc.run(lambda unit: unit.coordinations.all())


def test_the_card_is_cut_to_what_all_may_see() -> None:
    m = meeting(opened_with=BOTH)
    text = card(m)
    assert "Edad: 30-44 (en general)" in text, "the shelter may know the band alone"
    assert "Distrito: Lima (en general)" in text
    assert LUZ["account"] not in text
    assert LUZ["phone"] not in text, "identifiers stay off what several institutions keep on their devices"
    assert "Luz Ejemplo" in text
    for name in (CSMC, HOGAR):
        assert m.case.code not in text
        assert m.referrals[name].code not in text, "a code of one pair would join the files of two"


def test_with_one_institution_less_more_is_shown() -> None:
    m = meeting(opened_with=ONE)
    wide = m.room().shown
    said = m.ana("sumar hogar-luz")
    assert "Las que ya están dejarían de ver: " in said
    assert "Horarios y lugares" in said
    before = card(m)
    m.ana(pick(said, "invitarla"))
    m.settle()
    narrow = m.room().shown
    assert wide["appointment_limits"] == "release"
    assert "appointment_limits" not in narrow
    assert "los martes" not in "\n".join(m.shown())
    assert before not in m.shown(), "the wider card does not stay in the history"
    assert "retirado. Ya no se muestra aquí: " in "\n".join(m.shown())


def test_the_room_answers_who_sees_what_and_why() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    said = m.cem.in_room(room.id, m.csmc.person("ana"), "!tk quién ve")
    assert "Hogar Luz: 1 persona (ana)" in said
    assert "Aquí no se muestra, se sepa o no:" in said
    assert not any(value in said for value in (LUZ["account"], LUZ["phone"], LUZ["legal_name"]))
    table = m.cem.in_room(room.id, m.hogar.person("ana"), "tinkuy: responsables") or m.cem.in_room(room.id, m.hogar.person("ana"), "!tk responsables")
    assert "Lleva el caso: Cem Lima" in table
    assert "Csmc Comas: salud mental. aceptada" in table


def test_people_talk_and_the_hubs_leave_them_alone() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    for words in ("¿quién ve el martes?", "ver C-7QK4M", "responsables somos todas", "retirar", "3"):
        for twin in (m.cem, m.csmc, m.hogar):
            assert twin.in_room(room.id, m.csmc.person("ana"), words) == ""


@pytest.mark.parametrize("words", ["!tk ver", "!tk casos", "!tk retirar", "!tk quién sabe", "!tk anotar riesgo: bajo", "!tk decir hola"])
def test_her_own_hub_refuses_kindly_what_is_for_elsewhere(words: str) -> None:
    m = meeting(opened_with=ONE)
    room = m.room()
    before = m.cem.run(lambda unit: unit.fields.all())
    assert "otras instituciones" in m.csmc.in_room(room.id, m.csmc.person("ana"), words)
    assert m.cem.in_room(room.id, m.csmc.person("ana"), words) == "", "exactly one hub answers"
    assert m.cem.run(lambda unit: unit.fields.all()) == before


def test_who_comes_late_gets_a_brief_and_no_history() -> None:
    m = meeting(opened_with=ONE)
    room = m.room()
    said = m.csmc.type("berta", f"entrar {room.code}", room="direct")
    m.settle()
    assert "acéptela" in said
    brief = next(s.body for s in reversed(m.csmc.said) if s.room.endswith("berta:csmc-comas.example") and "Su institución tiene de ella" in s.body)
    assert m.referrals[CSMC].code in brief
    assert "Lo dicho antes de que usted entrara no se ve" in brief
    assert LUZ["account"] not in brief
    old = card(m)
    m.joined()
    assert m.shown().count(old) <= 1, "the card is put anew for her, and the old one goes"


def test_withdrawal_redacts_and_says_so() -> None:
    m = meeting(opened_with=BOTH)
    assert "solo de día" in card(m)
    m.cem.run(lambda unit: withdraw.withdraw(unit, m.cem.person("ana"), m.case.id, CSMC, ("safe_contact",)))
    m.settle()
    assert "solo de día" not in "\n".join(m.shown())
    assert "retirado. Ya no se muestra aquí: " in "\n".join(m.shown())


def test_who_is_withdrawn_from_is_out_and_the_rest_goes_on() -> None:
    m = meeting(opened_with=BOTH)
    m.cem.run(lambda unit: withdraw.withdraw(unit, m.cem.person("ana"), m.case.id, HOGAR))
    m.settle()
    assert m.seat(HOGAR).state == "out"
    assert "Hogar Luz" not in card(m)
    assert m.room(m.hogar).state == "closed"
    assert m.room(m.csmc).state == "open"
    m.cem.run(lambda unit: withdraw.withdraw(unit, m.cem.person("ana"), m.case.id, None))
    m.settle()
    assert m.room().state == m.room(m.csmc).state == "closed"
    assert m.shown() == [], "nothing of her stands in a room that is over"


def test_an_end_of_consent_is_noticed_without_anybody_saying_so() -> None:
    m = meeting(opened_with=BOTH, until=START + timedelta(hours=3))
    assert "risk_level" in m.room().shown
    m.net.wait(hours=4)
    m.settle()
    assert m.room().shown == {}, "nobody may see anything any more"
    left = "\n".join(m.shown())
    assert "retirado" in left
    assert not any(LUZ[name] in left for name in ("social_name", "safe_contact", "appointment_limits"))


def test_when_the_recipient_is_done_it_is_out_and_the_room_closes() -> None:
    m = meeting(opened_with=ONE)
    m.csmc.run(lambda unit: work.finish(unit, m.csmc.person("ana"), m.referrals[CSMC].id, "needs_met"))
    m.settle()
    assert m.room().state == m.room(m.csmc).state == "closed"


# ---- who may be there


def test_without_an_accepted_referral_nobody_comes_in() -> None:
    m = meeting(to=(CSMC,))
    assert "no tiene una derivación aceptada" in m.ana("reunir a hogar-luz")
    m.opens(CSMC)
    assert "no tiene una derivación aceptada" in m.ana("sumar hogar-luz")
    assert [seat.institution for seat in m.cem.run(lambda unit: unit.seats.all(order="id"))] == [CEM, CSMC]


def test_an_affiliation_learnt_later_puts_the_institution_out_first() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    guests = m.cem.run(trusted_guests)
    assert (m.hogar.person("ana"), key_of(m.hogar.person("ana"))) in guests
    m.cem.run(lambda unit: open_case.set_field(unit, m.cem.person("ana"), m.case.id, "aggressor_affiliation", "shelter"))
    seat = m.seat(HOGAR)
    assert (seat.state, seat.why) == ("out", "conflict_of_interest")
    assert (m.hogar.person("ana"), key_of(m.hogar.person("ana"))) not in m.cem.run(trusted_guests), "in the very same unit"
    (wanted,) = m.cem.run(wanted_coordination)
    assert not any("hogar-luz" in user for user in wanted.spec.members)
    m.settle()
    assert m.room(m.hogar).state == "closed"
    told = "\n".join(said.body for said in m.hogar.said)
    assert "agresor" not in told, "it is never told why"
    assert "conflicto" not in told
    with pytest.raises(Refused) as refused:
        m.cem.run(lambda unit: coordination.add_institution(unit, m.cem.person("ana"), room, HOGAR))
    assert code_of(refused) in ("conflict_of_interest", "no_shared_referral")


def test_removed_and_pinned_anew_at_home_is_followed_at_once() -> None:
    m = meeting(opened_with=ONE)
    ana = m.csmc.person("ana")
    m.csmc.run(lambda unit: staff.repin_staff(unit, ana, key_of("another phone")))
    m.settle()
    assert list(m.cem.run(trusted_guests)) == [(ana, key_of("another phone"))]
    m.csmc.run(lambda unit: staff.refuse_master(unit, ana, key_of("served by somebody")))
    m.settle()
    assert m.cem.run(trusted_guests) == {}, "who is blocked at home is believed nowhere"
    m.csmc.run(lambda unit: staff.repin_staff(unit, ana, key_of("another phone")))
    m.settle()
    assert list(m.cem.run(trusted_guests)) == [(ana, key_of("another phone"))]
    m.csmc.run(lambda unit: staff.remove_staff(unit, ana))
    m.settle()
    assert m.cem.run(trusted_guests) == {}
    (wanted,) = m.cem.run(wanted_coordination)
    assert ana not in wanted.spec.members


def test_who_opened_it_leaves_the_institution_and_the_lead_comes_in() -> None:
    m = meeting(opened_with=ONE)
    m.cem.run(lambda unit: staff.remove_staff(unit, m.cem.person("ana")))
    case = m.cem.run(lambda unit: unit.cases.get(m.case.id))
    assert case is not None
    assert m.seat(CEM).people == (case.lead,)
    assert case.lead != m.cem.person("ana")


def test_the_last_of_a_guest_institution_takes_it_out_and_the_last_of_the_owner_cannot_leave() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    assert "era la última" in m.csmc.type("ana", f"salir {room.code}", room="direct")
    m.settle()
    assert m.seat(CSMC).state == "out"
    assert "Usted es la última" in m.cem.type("ana", f"salir {room.code}", room="direct")
    m.cem.type("ana", f"terminar reunión {room.code}", room="direct")
    m.settle()
    assert m.room().state == m.room(m.hogar).state == "closed"


def test_only_the_owner_changes_who_is_there() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    there = m.room(m.csmc)
    with pytest.raises(Refused) as refused:
        m.csmc.run(lambda unit: coordination.remove_institution(unit, m.csmc.person("ana"), there, HOGAR))
    assert code_of(refused) == "not_owner"
    said = m.csmc.type("ana", f"sacar hogar-luz de {room.code}", room="direct")
    assert "Cem Lima" in said


# ---- tables


def test_a_table_has_no_card_whatever_is_asked() -> None:
    m = meeting()
    table = m.cem.run(lambda unit: coordination.open_table(unit, m.cem.person("sara"), "Mesa Lima Norte", (CSMC, HOGAR)))
    m.settle()
    assert m.cem.run(lambda unit: shared_of(unit, table)) is None
    there = m.room(m.csmc)
    m.csmc.run(lambda unit: coordination_people.join(unit, m.csmc.person("ana"), there))
    m.settle()
    m.joined()
    for words in ("!tk quién ve", "!tk responsables"):
        assert "mesa" in m.cem.in_room(table.id, m.csmc.person("ana"), words)
    assert not any(CARD in body for body in m.shown())
    assert m.room(m.csmc).label == "Mesa Lima Norte"
    assert m.room().shown == {}


def test_of_an_institution_without_people_it_is_said_whether_its_hub_is_there() -> None:
    """Asked in, and its hub joined at once: that is another thing than nobody having come."""
    m = meeting()
    table = m.cem.run(lambda unit: coordination.open_table(unit, m.cem.person("sara"), "Mesa Lima Norte", (CSMC,)))
    m.settle()
    m.cem.run(greet, table.id, (m.cem.person("sara"),))
    show = "!tk quién ve"
    assert "su hub todavía no entró" in m.cem.in_room(table.id, m.cem.person("sara"), show)
    m.cem.run(greet, table.id, (m.cem.person("sara"), m.csmc.user))
    said = m.cem.in_room(table.id, m.cem.person("sara"), show)
    assert "nadie ahora; su hub ya está en la sala" in said
    here, there = (twin.run(_shown, m.room(twin))["institutions"] for twin in (m.cem, m.csmc))
    assert {seat["institution"]: seat["hub_in"] for seat in here} == {CEM: True, CSMC: True}
    assert {seat["institution"]: seat["hub_in"] for seat in there} == {CEM: None, CSMC: True}, "a guest follows no other hub there"


@pytest.mark.parametrize("label", ["", "x" * 61, "a\u202eb"])
def test_a_table_is_named_plainly(label: str) -> None:
    m = meeting()
    with pytest.raises(Refused) as refused:
        m.cem.run(lambda unit: coordination.open_table(unit, m.cem.person("sara"), label, (CSMC,)))
    assert code_of(refused) == "bad_label"


def test_when_it_may_be_several_rooms_they_are_named_and_none_is_guessed() -> None:
    m = meeting()
    for label in ("Mesa Lima Norte", "Mesa Lima Sur"):
        m.cem.run(lambda unit, label=label: coordination.open_table(unit, m.cem.person("sara"), label, (CSMC, HOGAR)))
    codes = m.cem.run(lambda unit: [room.code for room in unit.coordinations.all(sort="table")])
    said = m.cem.type("ana", "!tk quién ve")
    assert all(code in said for code in codes)
    assert "Mesa Lima Norte" in said
    assert "código de la que quiere decir" in said


def test_whoever_goes_does_not_keep_the_card_and_what_is_said_next_is_not_for_her() -> None:
    """Also when the card may show more without her: her client gets its redaction, and the new one names who may be there as it is sent."""
    m = meeting(opened_with=BOTH)
    old = card(m)
    m.cem.run(lambda unit: withdraw.withdraw(unit, m.cem.person("ana"), m.case.id, HOGAR))
    members = []
    while (errand := m.cem.run(claim)) is not None:
        if errand.purpose.startswith("coordination:"):
            members.append(errand.members)
        m.cem._show(errand, f"$q{len(m.cem.said)}")
        m.cem.run(mark, errand, f"$q{len(m.cem.said)}")
    assert old not in m.shown()
    assert "los martes" in card(m), "what only the other one was kept from"
    assert members
    assert None not in members, "every message into such a room says who may be there"
    assert not any(user.endswith(":hogar-luz.example") for found in members for user in found or ())


def _pinned(m: Meeting) -> tuple[str, list[str]]:
    """What the hub wants pinned in the room, and every message of its about who does what that stands there."""
    (wanted,) = m.cem.run(wanted_coordination)
    tables = [said.event for said in m.cem.said if said.room == f"!{m.room().id}" and not said.redacted and "quién hace qué" in said.body]
    return wanted.spec.pinned, tables


def test_who_does_what_is_pinned_and_follows_the_card() -> None:
    m = meeting(opened_with=ONE)
    pinned, tables = _pinned(m)
    assert pinned == tables[0]
    m.csmc.run(lambda unit: work.progress(unit, m.csmc.person("ana"), m.referrals[CSMC].id, Move.START))
    m.settle()
    assert _pinned(m)[0] == pinned, "it is drawn anew under the same message"
    m.ana(pick(m.ana("sumar hogar-luz"), "invitarla"))
    m.settle()
    later, tables = _pinned(m)
    assert later != pinned
    assert later in tables
    assert not m.csmc.run(wanted_coordination)[0].spec.pinned, "the owner's hub alone pins"


def test_the_keeper_is_woken_to_pin_it() -> None:
    m = meeting()
    m.net.events.clear()
    m.opens(*BOTH)
    assert "pinned" in [event.what for event in m.net.events[CEM] if isinstance(event, CoordinationMoved)]
