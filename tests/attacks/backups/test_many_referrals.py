"""D11: a restore with hundreds of open referrals at one peer. What is said about it comes in parts, each counts once, and no refusal is for good."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import hub.actions.standing
from hub.actions import tell_standing
from hub.actions.ports import Unit
from hub.base.errors import PeerFault
from hub.cases.codes import REFERRAL, new_code
from hub.exchange import wire
from hub.exchange.wire import encode
from keys.chunks import CHUNK_KIND
from tests.attacks.backups.bench import CEM, CSMC, Filed, days
from tests.attacks.backups.test_restart import backed_up, calm, lost_and_restored
from tests.attacks.twins.bench import Road, alarms, craft, link, send


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return Road(net=Filed(tmp_path, CEM, CSMC))


def copies(road: Road, count: int) -> Callable[[Unit], None]:
    """Writes that many more of the same referral, for both hubs under the same names."""
    ours, codes = road.referral_id(), {road.referral}
    while len(codes) <= count:  # of 400, two may be alike
        codes.add(new_code(REFERRAL, secrets.randbelow))
    names = [(f"ref_{secrets.token_hex(12)}", code) for code in codes - {road.referral}]

    def write(unit: Unit) -> None:
        one = unit.referrals.get(ours)
        assert one
        for name, code in names:
            offer = one.offer | {"code": code} if "code" in one.offer else one.offer
            unit.referrals.add(replace(one, id=name, code=code, offer=offer))

    return write


def answers(road: Road) -> list[tuple[int, int, str]]:
    """The parts of what the peer answered, as they stand in its outbox."""
    rows = road.csmc.run(lambda unit: unit.outbox.all(kind="standing", order="order"))
    return [(row.ref["part"], row.ref["parts"], row.state) for row in rows]


def test_d11_four_hundred_open_referrals_come_back_in_parts(road: Road) -> None:
    """In one body their keys alone would be more than a window of chunks takes, and the line stayed dead for good."""
    road.disclosed()
    more = copies(road, 399)
    road.cem.run(more)
    road.csmc.run(more)
    lost_and_restored(road, CEM, backed_up(road, CEM))
    assert answers(road) == [(number, 4, "acked") for number in (1, 2, 3, 4)]
    calm(road)
    road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0


def test_d11_the_peer_takes_up_a_restore_with_its_last_part_and_forgotten_codes_are_all_told(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of two: nothing that a later part names is offered again as if it were unknown, and what the copy forgot is told once each."""
    monkeypatch.setattr(tell_standing, "PART", 2)
    road.disclosed()
    both, forgotten = copies(road, 4), copies(road, 5)
    road.cem.run(both)
    road.csmc.run(both)
    parts = backed_up(road, CEM)
    road.csmc.run(forgotten)
    lost_and_restored(road, CEM, parts)
    calm(road)
    assert {row[1] for row in answers(road)} == {5}
    assert not road.csmc.run(lambda unit: unit.outbox.count(kind="offer"))
    told = "\n".join(said.body for said in road.cem.said if "no recuerda estas derivaciones" in said.body)
    known = road.cem.run(lambda unit: {referral.id for referral in unit.referrals.all()})
    for referral in road.csmc.run(lambda unit: unit.referrals.all()):
        assert told.count(referral.code) == (0 if referral.id in known else 1)
    assert road.csmc.run(lambda unit: unit.log.count(what="referral.forgotten_there")) == 5


def test_d11_restored_again_while_the_answer_was_on_the_road(road: Road) -> None:
    """It is said again, whole; the later chunks of the first one do not come after it as pieces of nothing."""
    road.disclosed()
    more = copies(road, 60)
    road.cem.run(more)
    road.csmc.run(more)
    parts = backed_up(road, CEM)
    road.net.mute = {CSMC}
    lost_and_restored(road, CEM, parts)
    assert road.csmc.run(lambda unit: unit.outbox.count(kind=CHUNK_KIND, state="dispatched")) > 3
    road.net.mute = set()
    lost_and_restored(road, CEM, parts)
    calm(road)


def test_d11_an_answer_that_was_refused_is_asked_for_again_each_day_and_people_are_told(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.cem.enrol("jefa", role="administrator")
    road.disclosed()
    parts = backed_up(road, CEM)

    def refuse(body: wire.Body, entries: object) -> None:
        if body.kind == "standing":
            raise PeerFault("bad_body", kind=body.kind, why="part")

    monkeypatch.setattr(hub.actions.standing, "check_part", refuse)
    lost_and_restored(road, CEM, parts)
    for day in (1, 2):
        a_day(road)
        assert link(road.cem, CSMC).asking
        assert alarms(road.cem).count(f"{CSMC} aún no contesta") == day
    monkeypatch.undo()
    a_day(road)
    assert not link(road.cem, CSMC).asking
    a_day(road)
    assert alarms(road.cem).count(f"{CSMC} aún no contesta") == 3
    road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0


def a_day(road: Road) -> None:
    road.net.clock.advance(days(1) + timedelta(minutes=1))
    road.cem.ring()
    road.net.settle(6)


def standing(road: Road, **other: Any) -> bytes:
    given: dict[str, Any] = {"restore": "rst_x", "epoch": link(road.cem, CSMC).asking, "upto": 0, "part": 1, "parts": 1, "referrals": {}}
    return encode(wire.Standing(**given | other))


@pytest.mark.parametrize("wrong", [
    {"part": 0}, {"part": 2}, {"part": -1}, {"part": 2, "parts": 2}, {"part": 3, "parts": 2}, {"parts": tell_standing.MAX_PARTS + 1}, {"parts": 0},
    {"referrals": {f"ref_{number:024x}": {} for number in range(tell_standing.PART + 1)}},
])  # fmt: skip
def test_d11_a_part_that_nobody_would_write_is_refused_and_answers_nothing(wrong: dict[str, Any]) -> None:
    road = Road()
    ask_by_hand(road)
    send(road.csmc, road.cem, craft(road.csmc, CEM, "standing", standing(road, **wrong)))
    assert link(road.cem, CSMC).asking
    assert "«standing»" in alarms(road.cem)
    assert road.cem.run(lambda unit: unit.early.count()) == 0


def ask_by_hand(road: Road) -> None:
    road.cem.enrol("jefa", role="administrator")
    road.cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer=CSMC), asking=1)))


def test_d11_a_peer_that_begins_its_answer_again_and_again_keeps_no_more_than_one() -> None:
    """Each first part begins anew: what was kept goes, nobody at the desk is rung, and the question stays open."""
    road = Road()
    ask_by_hand(road)
    before = len(road.cem.said)
    for _ in range(4):
        for part in (1, 2):
            told = {f"ref_{part:024x}": {"side": "recipient", "state": "accepted", "code": "R-7K3QD"}}
            record = craft(road.csmc, CEM, "standing", standing(road, part=part, parts=3, referrals=told))
            send(road.csmc, road.cem, record)
            road.csmc.run(lambda unit, head=record.digest: _sent(unit, head))
    assert road.cem.run(lambda unit: unit.early.count()) == 2
    assert link(road.cem, CSMC).asking
    assert not [said for said in road.cem.said[before:] if said.ring]


def _sent(unit: Unit, head: bytes) -> None:
    line = unit.links.one(peer=CEM)
    assert line
    unit.links.put(replace(line, next_out=line.next_out + 1, head_out=head))

