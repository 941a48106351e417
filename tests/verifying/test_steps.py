"""The rows behind a verification: who may answer, what bounds it, and when a pin rises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from hub.actions import staff, verify_staff
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.records import Verification
from hub.testing.twin import Twin, TwinNetwork

KEY, OTHER = "K" * 43, "O" * 43


@pytest.fixture
def hub() -> Twin:
    network = TwinNetwork(("cem-uno", "emergency_centre"), ("csmc-dos", "mental_health_centre"))
    found = network["cem-uno"]
    found.enrol("ana", "bea")
    found.enrol("admin", "jefa", role="administrator")
    for name in ("ana", "bea", "jefa"):
        found.run(staff.pin_first_sight, found.person(name), KEY)
    found.run(lambda unit: staff.repin_staff(unit, found.person("admin"), KEY))
    return found


def asked(hub: Twin, name: str = "ana", id: str = "$uno", *, purpose: str | None = None, trusted: bool = True) -> Verification | None:
    room = f"!{hub.id}.{purpose or 'direct:' + hub.person(name)}"
    return hub.run(
        lambda unit: verify_staff.ask_verification(unit, id=id, user=hub.person(name), room=room, device="D", trusted=trusted)
    )  # fmt: skip


def does(hub: Twin, step: Callable[[Unit], object]) -> str:
    """The code of a refusal, or nothing."""
    try:
        hub.run(step)
    except Refused as refusal:
        return refusal.code
    return ""


def shown(hub: Twin) -> None:
    asked(hub)
    hub.run(lambda unit: verify_staff.begin_verification(unit, hub.person("admin"), "$uno"))
    hub.run(lambda unit: verify_staff.show_emoji(unit, "$uno", (0, 1, 2, 3, 4, 5, 6)))


def state(hub: Twin, id: str = "$uno") -> tuple[str, str | None]:
    row = hub.run(lambda unit: unit.verifications.get(id))
    assert row
    return row.state, row.why


def level(hub: Twin, name: str = "ana") -> str:
    person = hub.run(lambda unit: unit.staff.get(hub.person(name)))
    assert person
    return person.level


def test_only_a_yes_and_the_pinned_key_lift_the_pin(hub: Twin) -> None:
    shown(hub)
    assert does(hub, lambda unit: verify_staff.keep_verified(unit, "$uno", KEY)) == "verification_over"
    hub.run(lambda unit: verify_staff.compare_emoji(unit, hub.person("admin"), "$uno", same=True))
    assert does(hub, lambda unit: verify_staff.keep_verified(unit, "$uno", OTHER)) == "key_changed_meanwhile"
    assert does(hub, lambda unit: verify_staff.keep_verified(unit, "$uno", "")) == "key_changed_meanwhile"
    assert level(hub) == "seen"
    hub.run(lambda unit: verify_staff.keep_verified(unit, "$uno", KEY))
    assert level(hub) == "verified"
    assert does(hub, lambda unit: verify_staff.keep_verified(unit, "$uno", KEY)) == "verification_over"


def test_another_key_served_meanwhile_withholds_it(hub: Twin) -> None:
    shown(hub)
    hub.run(lambda unit: verify_staff.compare_emoji(unit, hub.person("admin"), "$uno", same=True))
    hub.run(lambda unit: staff.refuse_master(unit, hub.person("ana"), OTHER))
    assert does(hub, lambda unit: verify_staff.keep_verified(unit, "$uno", KEY)) == "key_changed_meanwhile"


def test_a_pin_that_was_exchanged_meanwhile_is_not_lifted(hub: Twin) -> None:
    shown(hub)
    hub.run(lambda unit: verify_staff.compare_emoji(unit, hub.person("admin"), "$uno", same=True))
    hub.run(lambda unit: staff.repin_staff(unit, hub.person("ana"), OTHER))
    assert does(hub, lambda unit: verify_staff.keep_verified(unit, "$uno", OTHER)) == "key_changed_meanwhile"
    assert level(hub) == "given"


def test_a_later_change_still_blocks_and_repinning_lowers(hub: Twin) -> None:
    shown(hub)
    hub.run(lambda unit: verify_staff.compare_emoji(unit, "administrator", "$uno", same=True))
    hub.run(lambda unit: verify_staff.keep_verified(unit, "$uno", KEY))
    hub.run(lambda unit: staff.refuse_master(unit, hub.person("ana"), OTHER))
    person = hub.run(lambda unit: unit.staff.get(hub.person("ana")))
    assert person
    assert person.refused_master == OTHER
    hub.run(lambda unit: staff.repin_staff(unit, hub.person("ana"), None))
    assert level(hub) == "seen"


def test_who_may_answer(hub: Twin) -> None:
    shown(hub)
    for name, code in (("ana", "own_verification"), ("bea", "voucher_unproven"), ("jefa", "voucher_unproven")):
        assert does(hub, partial(verify_staff.compare_emoji, by=hub.person(name), id="$uno", same=True)) == code
    hub.run(lambda unit: staff.refuse_master(unit, hub.person("admin"), OTHER))
    assert does(hub, lambda unit: verify_staff.compare_emoji(unit, hub.person("admin"), "$uno", same=True)) == "voucher_unproven"
    assert state(hub) == ("shown", None)
    hub.run(lambda unit: verify_staff.compare_emoji(unit, verify_staff.TERMINAL, "$uno", same=True))
    assert state(hub) == ("same", None)


def test_after_ten_minutes_no_answer_counts(hub: Twin) -> None:
    shown(hub)
    hub.clock.advance(verify_staff.LIFE)
    assert does(hub, lambda unit: verify_staff.compare_emoji(unit, "administrator", "$uno", same=True)) == "verification_over"


def test_the_number_in_the_admin_room_answers_once(hub: Twin) -> None:
    asked(hub)
    hub.post()
    assert "quiere que verifiquemos" in hub.find("quiere que verifiquemos").body
    said = hub.type("admin", "1", room="admin")
    assert "dígale que toque" in said
    hub.run(lambda unit: verify_staff.show_emoji(unit, "$uno", (0, 1, 2, 3, 4, 5, 6)))
    hub.post()
    question = hub.find("debe ver estos siete dibujos")
    assert "• 🐶 Perro" in question.body
    assert hub.person("ana") not in question.ring
    for words in ("Sí, son los mismos", "son los mismos, en el mismo orden", "1", "NO son los mismos", "!tk son los mismos, en el mismo orden"):
        hub.type("admin", words, room="admin")
        assert state(hub) == ("shown", None), words
    hub.type("admin", "3", room="admin")
    assert state(hub) == ("same", None)
    hub.type("admin", "4", room="admin")
    assert state(hub) == ("same", None)


def test_she_never_sees_the_emoji_in_her_chat(hub: Twin) -> None:
    shown(hub)
    hub.post()
    hers = [said.body for said in hub.said if said.room == f"!{hub.id}.direct:{hub.person('ana')}"]
    assert len(hers) == 3
    assert not any("🐶" in body or "Perro" in body for body in hers)


@pytest.mark.parametrize("purpose", ["admin", "direct:@bea:cem-uno.example", "nowhere"])
def test_in_another_room_it_is_not_looked_at(hub: Twin, purpose: str) -> None:
    assert asked(hub, purpose=purpose) is None
    hub.post()
    assert not [said for said in hub.said if "verifi" in said.body.casefold()]


def test_who_is_not_enrolled_is_not_looked_at(hub: Twin) -> None:
    hub.run(lambda unit: staff.remove_staff(unit, hub.person("bea")))
    assert asked(hub, "bea") is None
    assert asked(hub, "nadie") is None


def test_an_unverified_device_and_a_blocked_key_are_refused_at_once(hub: Twin) -> None:
    asked(hub, trusted=False)
    assert state(hub) == ("broken", "device")
    hub.run(lambda unit: staff.refuse_master(unit, hub.person("ana"), OTHER))
    asked(hub, id="$dos")
    assert state(hub, "$dos") == ("broken", "blocked")
    hub.post()
    assert "Su llave cambió y está bloqueada" in hub.find("está bloqueada. Hable").body


def test_one_at_a_time_and_few_in_ten_minutes(hub: Twin) -> None:
    rows = [asked(hub, id=f"${n}") for n in range(20)]
    assert [row is not None for row in rows] == [True] * verify_staff.MOST_EACH + [False] * (20 - verify_staff.MOST_EACH)
    live = hub.run(lambda unit: unit.verifications.all(state__in=verify_staff.LIVE))
    assert [row.id for row in live] == [f"${verify_staff.MOST_EACH - 1}"]
    hub.clock.advance(verify_staff.LIFE + timedelta(seconds=1))
    assert asked(hub, id="$later") is not None


def test_the_whole_number_is_bounded(hub: Twin) -> None:
    names = [f"colega{n}" for n in range(verify_staff.MOST_LIVE + 2)]
    hub.enrol(*names)
    for name in names:
        hub.run(staff.pin_first_sight, hub.person(name), KEY)
        asked(hub, name, f"${name}")
    assert hub.run(lambda unit: unit.verifications.count(state__in=verify_staff.LIVE)) == verify_staff.MOST_LIVE
    assert state(hub, f"${names[-1]}") == ("broken", "busy")


def test_old_ones_are_forgotten(hub: Twin) -> None:
    asked(hub)
    hub.run(lambda unit: verify_staff.break_off(unit, "$uno", "timeout"))
    hub.run(lambda unit: verify_staff.close_verification(unit, "$uno"))
    hub.clock.advance(verify_staff.KEPT + timedelta(days=1))
    asked(hub, id="$dos")
    assert hub.run(lambda unit: unit.verifications.get("$uno")) is None
