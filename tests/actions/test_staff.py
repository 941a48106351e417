"""Enrol, re-pin, off-board: pins in the open, and no case without a lead (design §4, R51)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hub.actions import close_case, staff, undo
from hub.app.reports import Reports
from hub.base.errors import Refused
from hub.cases.events import Alarm, DeviceNotice
from hub.matrix import Report
from tests.actions.road import CANARY, Net, code_of, opened, there, working


@pytest.mark.parametrize(("user", "more", "code"), [
    ("ana", {}, "bad_user"), ("@ana", {}, "bad_user"), ("@a b:x", {}, "bad_user"), ("@nueva:x.example", {"role": "jefa"}, "unknown_role"),
    ("@ana:cem-lima.example", {}, "already_enrolled"),
])  # fmt: skip
def test_who_cannot_be_enrolled(net: Net, user: str, more: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: staff.add_staff(unit, user, display="Nueva", **more))
    assert code_of(refused) == code


@pytest.mark.parametrize("state", ["confirmed", "added"])
def test_x25_no_hubs_account_is_enrolled_as_a_person(net: Net, state: str) -> None:
    """Neither ours nor that of any institution we know: a foreign hub would come to the desk, and its link would go mute."""
    net.cem.run(lambda unit: [unit.peers.put(replace(peer, state=state)) for peer in unit.peers.all()])
    before = net.cem.run(lambda unit: unit.staff.count())
    for hub in (net.cem, net.csmc):
        with pytest.raises(Refused) as refused:
            net.cem.run(lambda unit, user=hub.user: staff.add_staff(unit, user, display="Centro"))
        assert (code_of(refused), refused.value.params) == ("account_of_hub", {"institution": hub.id})
    assert net.cem.run(lambda unit: unit.staff.count()) == before


def test_a_fingerprint_is_a_level_of_its_own(net: Net) -> None:
    added = net.cem.run(lambda unit: staff.add_staff(unit, "@nueva:x.example", display="  Nueva  ", fingerprint="abcd efgh  ijkl="))
    assert (added.level, added.master, added.display) == ("given", "abcdefghijkl", "Nueva")


def test_the_first_key_seen_is_kept_and_a_second_never_taken_silently(net: Net) -> None:
    ana = net.cem.person("ana")
    for key in ("primera", "segunda"):
        net.cem.run(staff.pin_first_sight, ana, key)
    assert net.cem.run(lambda unit: unit.staff.get(ana)).master == "primera"


def test_repinning_is_told_to_the_administrators(net: Net) -> None:
    ana = net.cem.person("ana")
    net.cem.run(lambda unit: staff.pin_first_sight(unit, ana, "primera"))
    net.cem.run(lambda unit: staff.repin_staff(unit, ana, None))
    assert net.cem.run(lambda unit: unit.staff.get(ana)).master is None, "the next that is seen"
    net.cem.run(lambda unit: staff.repin_staff(unit, ana, "dada"))
    person = net.cem.run(lambda unit: unit.staff.get(ana))
    assert (person.master, person.level, person.refused_master) == ("dada", "given", None)
    assert net.alarms(net.cem).count("staff_repinned") == 2


def test_a_changed_key_is_told_without_the_key_that_the_server_shows(net: Net) -> None:
    """What could be pasted would be pasted: she is to read it on her own phone."""
    ana = net.cem.person("ana")
    net.cem.run(lambda unit: staff.pin_first_sight(unit, ana, "primera"))
    net.cem.run(lambda unit: staff.refuse_master(unit, ana, "CLAVE-DEL-SERVIDOR"))
    net.cem.post()
    told = net.cem.find("cambió y quedó bloqueada")
    assert "en su propio teléfono" in told.body
    assert "CLAVE-DEL-SERVIDOR" not in told.body
    assert "--fingerprint" not in told.body
    assert net.cem.run(lambda unit: unit.staff.get(ana)).refused_master == "CLAVE-DEL-SERVIDOR"


def test_after_a_repin_the_warnings_that_waited_for_her_are_not_shown_any_more(net: Net) -> None:
    ana, berta = net.cem.person("ana"), net.cem.person("berta")
    for user in (ana, berta):
        net.cem.run(lambda unit, user=user: unit.announce(DeviceNotice(user=user, device="VIEJO")))
    net.cem.run(lambda unit: staff.repin_staff(unit, ana, "dada"))
    net.cem.post()
    warned = [said.room for said in net.cem.said if "dispositivo sin verificar" in said.body]
    assert warned == [f"!{net.cem.id}.direct:{berta}"]


class Trusts:
    """A Matrix room that trusts one device."""

    def trusts_device(self, _: str, device: str) -> bool:
        return device == "NUEVO"


async def test_a_warning_about_a_device_that_is_trusted_by_now_is_not_told(net: Net) -> None:
    reports = Reports()
    reports.serve(net.cem.store, Trusts(), Trusts())
    for device in ("NUEVO", "AJENO"):
        await reports.hear(Report(kind="unverified_writer", user_id=net.cem.person("ana"), device_id=device))
    net.cem.post()
    told = "\n".join(said.body for said in net.cem.said)
    assert told.count("dispositivo sin verificar") == 1
    assert "AJENO" in told
    assert "NUEVO" not in told


@pytest.mark.parametrize(("pinned", "late"), [("dada", "dada"), (None, "vieja")])
def test_a_report_that_was_on_its_way_during_a_repin_blocks_nobody_again(net: Net, pinned: str | None, late: str) -> None:
    ana = net.cem.person("ana")
    net.cem.run(lambda unit: staff.pin_first_sight(unit, ana, "primera"))
    net.cem.run(lambda unit: staff.repin_staff(unit, ana, pinned))
    net.cem.run(lambda unit: staff.refuse_master(unit, ana, late))
    assert net.cem.run(lambda unit: unit.staff.get(ana)).refused_master is None
    assert "key_changed" not in net.alarms(net.cem)


def told_of_lead(net: Net, at: Any) -> list[tuple[str, dict[str, str]]]:
    """The alarms here about what somebody had in hand."""
    return [(e.code, dict(e.params)) for e in net.events[at.id] if isinstance(e, Alarm) and e.code.startswith("lead_")]


def remove(twin: Any, name: str) -> staff.Departure:
    return twin.run(staff.remove_staff, twin.person(name))


def test_who_leaves_takes_no_case_along(net: Net) -> None:
    case, referral = working(net)
    closed = opened(net.cem, by="berta")
    left = remove(net.cem, "ana")
    sara = net.cem.person("sara")
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == sara, "a supervisor holds it"
    assert net.cem.run(lambda unit: unit.cases.get(closed.id)).lead == net.cem.person("berta")
    pending = net.cem.run(lambda unit: unit.checkins.count(case=case.id, state__in=("planned", "ringing")))
    assert pending > 0
    assert (left.to, left.cases, left.referrals, left.check_ins) == (sara, (case.code,), (), pending)
    assert told_of_lead(net, net.cem) == [
        ("lead_moved", {"user": net.cem.person("ana"), "detail": sara, "codes": case.code, "number": str(pending)})
    ]
    person = net.cem.run(lambda unit: unit.staff.get(net.cem.person("ana")))
    assert (person.master, person.on_duty) == (None, False)
    net.wait(days=2)
    assert any(sara in s.ring for s in net.cem.said), "and it rings her"
    gone = remove(net.csmc, "ana")
    assert there(net.csmc, referral).by == net.csmc.person("sara") == gone.to
    assert (gone.cases, gone.referrals, gone.check_ins) == ((), (referral.code,), 0)


def blocked(twin: Any, name: str) -> str:
    """Her homeserver shows another key than the pinned one: she can read nothing until somebody compared it."""
    user = twin.person(name)
    twin.run(staff.pin_first_sight, user, "suya")
    twin.run(staff.refuse_master, user, "ajena")
    return str(user)


def test_x03_whoever_is_blocked_is_neither_rung_nor_given_what_somebody_left(net: Net) -> None:
    """`sara` supervises, and reads nothing; administration reads."""
    case, _ = working(net)
    sara = blocked(net.cem, "sara")
    net.cem.enrol("jefa", role="administrator")
    assert remove(net.cem, "ana").to == net.cem.person("jefa")
    net.wait(days=2)
    rung = {user for said in net.cem.said for user in said.ring}
    assert net.cem.person("jefa") in rung
    assert sara not in rung
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == net.cem.person("jefa")


def test_x03_where_only_blocked_people_are_left_one_of_them_answers_for_it(net: Net) -> None:
    opened(net.cem)
    everybody = [person.id for person in net.cem.run(lambda unit: unit.staff.all(removed_at=None))]
    for user in everybody:
        blocked(net.cem, user[1:].partition(":")[0])
    assert remove(net.cem, "ana").to in everybody


def test_the_card_of_a_referral_names_her_who_has_it_now(net: Net) -> None:
    _, referral = working(net)
    net.csmc.post()
    before = len(net.csmc.said)
    remove(net.csmc, "ana")
    net.csmc.post()
    drawn = [said.body for said in net.csmc.said[before:] if said.body.startswith(f"{there(net.csmc, referral).code} · ")]
    assert drawn
    assert "Sara Ejemplo" in drawn[-1]
    assert "Ana Ejemplo" not in drawn[-1]


def test_the_admin_room_reads_the_codes_of_what_moved_and_no_name(net: Net) -> None:
    case, _ = working(net)
    remove(net.cem, "ana")
    net.cem.post()
    told = net.cem.find("[lead_moved]").body
    assert case.code in told
    assert net.cem.person("sara") in told
    assert CANARY not in told
    assert "Marisol" not in told


@pytest.mark.parametrize("name", ["ana", "sara"])
def test_what_will_move_is_foreseen_exactly_and_nothing_moves_yet(net: Net, name: str) -> None:
    """Also for the only supervisor, whose heir is not herself."""
    case, _ = working(net)
    net.cem.run(lambda unit: unit.cases.put(replace(unit.cases.get(case.id), lead=net.cem.person(name))))
    foreseen = net.cem.run(lambda unit: staff.foresee_departure(unit, net.cem.person(name)))
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == net.cem.person(name)
    left = remove(net.cem, name)
    assert foreseen.cases == (case.code,)
    assert foreseen.to not in (None, net.cem.person(name))
    assert replace(foreseen, person=left.person) == left
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: staff.foresee_departure(unit, net.cem.person(name)))
    assert code_of(refused) == "not_enrolled"


def test_who_had_nothing_in_hand_leaves_no_alarm(net: Net) -> None:
    case = opened(net.cem)
    left = remove(net.cem, "berta")
    assert (left.cases, left.referrals, left.check_ins) == ((), (), 0)
    assert told_of_lead(net, net.cem) == []
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == net.cem.person("ana")


def test_when_nobody_is_left_it_is_said_and_the_next_one_enrolled_has_it(net: Net) -> None:
    case = opened(net.cem)
    ana = net.cem.person("ana")
    for person in net.cem.run(lambda unit: unit.staff.all(id__not=ana, removed_at=None)):
        net.cem.run(staff.remove_staff, person.id)
    left = remove(net.cem, "ana")
    assert (left.to, left.cases, left.check_ins > 0) == (None, (case.code,), True)
    assert told_of_lead(net, net.cem)[-1][0] == "lead_nobody"
    net.cem.post()
    assert case.code in net.cem.find("[lead_nobody]").body
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == ana
    net.cem.run(lambda unit: staff.add_staff(unit, "@nueva:x.example", display="Nueva"))
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == "@nueva:x.example"
    code, told = told_of_lead(net, net.cem)[-1]
    assert (code, told["detail"], told["codes"]) == ("lead_moved", "@nueva:x.example", case.code)


def test_a_closing_that_is_undone_after_its_lead_left_opens_in_other_hands(net: Net) -> None:
    case = opened(net.cem)
    berta, desk = net.cem.person("berta"), "!cem-lima.desk"
    net.cem.run(lambda unit: close_case.close_case(unit, berta, case.id, "needs_met", room=desk))
    assert remove(net.cem, "ana").cases == ()
    net.cem.run(undo.undo, berta, desk)
    again = net.cem.run(lambda unit: unit.cases.get(case.id))
    assert (again.state, again.lead) == ("open", net.cem.person("sara"))


def test_who_left_may_do_nothing_and_may_come_back(net: Net) -> None:
    ana = net.cem.person("ana")
    net.cem.run(lambda unit: staff.remove_staff(unit, ana))
    assert "not_enrolled" in net.cem.type("ana", "!tk casos") or not net.cem.type("ana", "!tk casos")
    for act in (staff.remove_staff, lambda unit, user: staff.set_duty(unit, user, on=True), lambda unit, user: staff.repin_staff(unit, user, None)):
        with pytest.raises(Refused) as refused:
            net.cem.run(act, ana)
        assert code_of(refused) == "not_enrolled"
    back = net.cem.run(lambda unit: staff.add_staff(unit, ana, display="Ana"))
    assert (back.removed_at, back.master, back.level) == (None, None, "seen")


def test_duty_is_told_once_however_often_it_changes(net: Net) -> None:
    for on in (False, True, False):
        net.cem.run(partial(staff.set_duty, user=net.cem.person("ana"), on=on))
    assert net.cem.run(lambda unit: unit.outbox.count(kind="profile", state="ready")) == 2, "one per peer"
