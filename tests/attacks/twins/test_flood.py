"""T9: a confirmed peer that fills the admin room, or the desk, keeps no check-in from anybody, and people still find what matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.actions.receive import receive
from hub.actions.ring import ring_due
from hub.app.posts import claim_some
from hub.cases.events import Alarm
from hub.chat.plain import message, paragraph
from hub.chat.posting import Place, put
from hub.exchange.wire import Restored, encode, pack
from hub.testing.twin import Twin
from keys import envelope
from tests.attacks.twins.bench import CEM, COL, CSMC, Road, alarms, craft, day_key, link, send

REFUSED = Alarm(code="record_refused", params=(("institution", COL), ("kind", "x"), ("why", "bad_kind")))


def announced(twin: Twin, *events: Alarm) -> None:
    twin.run(lambda unit: [unit.announce(event) for event in events])


def flood(sender: Twin, to: Twin, count: int) -> None:
    """That many records in one event, each of another unknown kind."""
    line, signed = link(to, sender.id), []
    sequence, head = line.next_in, line.head_in
    for number in range(count):
        record = craft(sender, to.id, f"x{number:05d}", b"", sequence=sequence + number, previous=head)
        head = record.digest
        signed.append(record.data)
    sealed = envelope.seal(pack(signed), day_key(to).public, envelope.info_bytes(sender.id, to.id, line.id))
    to.run(receive, str(line.room), sender.user, sealed)


def test_t9_a_check_in_leaves_at_once_however_many_posts_wait_for_the_admin_room() -> None:
    road = Road()
    cem = road.cem
    cem.enrol("jefa", role="administrator")
    road.open()
    cem.type("ana", f"!tk seguimiento {road.code} mañana 10:00")
    cem.post()
    due = cem.run(lambda unit: unit.timers.all(kind="checkin", done_at=None, order="due_at")[0].due_at)
    road.net.clock.advance(due - road.net.clock.now())
    for number in range(300):
        announced(cem, Alarm(code="event_failed", params=(("why", f"w{number}"),)))
    before = cem.run(lambda unit: unit.posts.next("order"))
    cem.run(ring_due)
    errands = cem.run(claim_some, frozenset())
    fresh = cem.run(lambda unit: {post.id for post in unit.posts.all() if post.order >= before and post.ring})
    assert fresh & {errand.post for errand in errands}, "the prompt goes with the first"
    assert any(errand.purpose == "admin" for errand in errands), "and the admin room is not forgotten for it"


def test_t9_no_room_is_forgotten_while_another_is_full() -> None:
    """A full desk keeps nothing from the administrators either."""
    cem = Road().cem
    for number in range(60):
        cem.run(put, Place(purpose="desk", thread=f"$root{number}"), message(paragraph(f"n{number}")))
    cem.enrol("jefa", role="administrator")
    announced(cem, REFUSED)
    assert [errand.purpose for errand in cem.run(claim_some, frozenset())] == ["desk", "admin", "desk", "desk"]


def test_t9_the_same_alarm_about_one_institution_is_told_once_and_then_counted() -> None:
    road = Road()
    cem, clock = road.cem, road.net.clock
    cem.enrol("jefa", role="administrator")
    flood(road.col, cem, 30)
    cem.post()
    assert alarms(cem).count("[record_refused]") == 1
    other = Alarm(code="record_refused", params=(("institution", CSMC), ("kind", "x"), ("why", "bad_kind")))
    reason = Alarm(code="record_refused", params=(("institution", COL), ("kind", "x"), ("why", "another")))
    code = Alarm(code="envelope_refused", params=REFUSED.params)
    announced(cem, REFUSED, other, reason, code)
    cem.post()
    said = alarms(cem)
    assert (said.count("[record_refused]"), said.count("[envelope_refused]")) == (4, 1), "another institution, reason or code is never swallowed"
    clock.advance(timedelta(minutes=15))
    cem.ring()
    assert "29" in next(line for line in alarms(cem).splitlines() if "[alarms_again]" in line)
    flood(road.col, cem, 3)
    cem.post()
    assert alarms(cem).count("[record_refused]") == 4, "that told of it: the next ones are counted too"
    for _ in range(2):
        clock.advance(timedelta(minutes=15))
        cem.ring()
    assert alarms(cem).count("[alarms_again]") == 2
    flood(road.col, cem, 1)
    cem.post()
    assert alarms(cem).count("[record_refused]") == 5, "after a quiet quarter of an hour it is told at once again"


def test_t9_a_link_that_is_stopped_again_is_told_again() -> None:
    road = Road()
    road.cem.enrol("jefa", role="administrator")
    stopped = Alarm(code="link_frozen", params=(("institution", COL), ("why", "people")))
    announced(road.cem, stopped)
    announced(road.cem, stopped)
    road.cem.post()
    assert alarms(road.cem).count("[link_frozen]") == 2


def test_t9_a_peer_that_comes_back_from_ever_new_copies_rings_once_an_hour() -> None:
    road = Road()
    road.offer()
    cem, csmc = road.cem, road.csmc
    heads = [link(cem, CSMC).head_out]
    line = link(cem, CSMC)
    before = len([said for said in csmc.said if "no recuerda" in said.body])
    for number in range(5):
        body = Restored(restore=f"rst_{number}", made=road.net.clock.now(), epoch=1, heard=1, upto=0, part=1, parts=1, known={})
        record = craft(cem, CSMC, "restored", encode(body), sequence=line.next_out + number, previous=heads[-1])
        heads.append(record.digest)
        send(cem, csmc, record)
    assert link(csmc, CEM).frozen is None
    assert link(csmc, CEM).peer_restore == "rst_4", "each is answered: a hub that came back twice may not wait for ever"
    assert len([said for said in csmc.said if "no recuerda" in said.body]) - before == 1


@pytest.mark.parametrize("year", [1, 9999])
def test_x15_a_restore_at_a_time_that_no_calendar_shows_stops_no_line(year: int) -> None:
    """In the institution's zone it would lie outside all dates; the whole event, with whatever honest words are in it, would be refused for ever."""
    road = Road()
    road.offer()
    cem, csmc = road.cem, road.csmc
    csmc.enrol("jefa", role="administrator")
    line = link(cem, CSMC)
    edge = datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, 23 * (year > 1), tzinfo=UTC)
    body = Restored(restore="rst_1", made=edge, epoch=1, heard=1, upto=0, part=1, parts=1, known={})
    send(cem, csmc, craft(cem, CSMC, "restored", encode(body), sequence=line.next_out, previous=line.head_out))
    assert link(csmc, CEM).peer_restore == "rst_1"
    csmc.post()
    assert alarms(csmc).count("[peer_restored]") == 1
