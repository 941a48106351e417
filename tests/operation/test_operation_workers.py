"""The workers of the hub: a post that is refused for good, an answer to a card not yet known, a lock that was lost (D03, D12, X34)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from hub.actions.erase import redact
from hub.app.facts import Watch
from hub.app.inbox import MOST_WAITS, Inbox
from hub.app.posts import PATIENCE, REFUSALS, Errand, Poster, claim, claim_some, mark
from hub.app.verifier import Verifier
from hub.base.errors import Stopped
from hub.base.faults import Faults
from hub.chat.plain import message, paragraph
from hub.chat.posting import Place, put
from hub.matrix.errors import HomeserverRefused
from hub.matrix.ports import Inbound, InboxRow
from hub.matrix.receiving import Gathered
from hub.store.matrix_rows import SqlMatrixRows
from tests.actions.road import CEM, CSMC, Net, fresh, opened

HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


class Homeserver:
    """What a poster sees of Matrix: it takes a message, or refuses it for good."""

    def __init__(self, *refused: str, redacting: int = 0) -> None:
        self.refused, self.sent, self.redacting, self.tried = refused, list[str](), redacting, 0
        self.device = SimpleNamespace(user_id="@hub:x")

    async def send(self, room: str, _type: str, content: dict[str, Any], txn: str, _relation: object) -> str:
        if any(word in content["body"] for word in self.refused):
            raise HomeserverRefused("too large", status=413, errcode="M_TOO_LARGE")
        self.sent.append(content["body"])
        return f"${txn}"

    async def redact(self, room: str, event: str, txn: str) -> str:
        self.tried += 1
        raise HomeserverRefused("no", status=self.redacting, errcode="M_FORBIDDEN")

    async def read(self, room: str, event: str) -> None:
        """A read receipt."""


def say(net: Net, words: str) -> None:
    net.cem.run(lambda unit: put(unit, Place(purpose="desk"), message(paragraph(words))))


async def test_a_post_that_is_refused_for_good_is_dropped_and_told_and_the_next_one_goes() -> None:
    net = fresh(*HUBS)
    server = Homeserver("enorme")
    say(net, "enorme")
    say(net, "la siguiente")
    await Poster(net.cem.store, server, Faults()).turn()
    assert "la siguiente" in server.sent
    assert net.cem.run(lambda unit: unit.posts.count(state="sending")) == 0
    assert "post_refused" in net.alarms(net.cem)
    assert not any(p.sealed for p in net.cem.run(lambda unit: unit.posts.all(state="dropped"))), "its words are wiped"


@pytest.mark.parametrize(("status", "tries"), [(403, REFUSALS), (404, 1)])
async def test_d14_a_redaction_that_can_never_succeed_is_given_up_told_and_holds_back_nobody(
    monkeypatch: pytest.MonkeyPatch, status: int, tries: int
) -> None:
    now = [1000.0]
    monkeypatch.setattr("hub.app.posts.time.monotonic", lambda: now[0])
    net = fresh(*HUBS)
    threaded(net, None, "tarjeta", key="uno")
    quiet(net)
    net.cem.run(lambda unit: redact(unit, "uno"))
    say(net, "la siguiente")
    server = Homeserver(redacting=status)
    poster = Poster(net.cem.store, server, Faults())
    await asyncio.wait_for(poster.turn(), 20)
    assert server.sent[0] == "la siguiente", "at once, in the same room"
    assert ("redaction_refused" in net.alarms(net.cem)) == (tries == 1), "a room that forbids it may be repaired"
    for _ in range(2 * tries):
        now[0] += PATIENCE + 1
        await asyncio.wait_for(poster.turn(), 20)
    assert server.tried == tries
    assert net.cem.run(lambda unit: unit.posts.count(state__in=("ready", "sending"))) == 0
    assert net.cem.run(lambda unit: unit.log.count(what="post.given_up")) == 1
    assert net.alarms(net.cem).count("redaction_refused") == 1


def threaded(net: Net, thread: str | None, words: str, *, key: str | None = None, edits: str | None = None) -> None:
    net.cem.run(lambda unit: put(unit, Place(purpose="desk", thread=thread), message(paragraph(words)), key=key, edits=edits))


def quiet(net: Net) -> None:
    """Everything said so far has gone."""
    while errand := net.cem.run(claim):
        net.cem.run(mark, errand, f"${errand.post}")


def words_of(errands: list[Errand]) -> list[str]:
    return [str(errand.content.get("m.new_content", errand.content)["body"]) for errand in errands]


async def test_posts_of_several_threads_go_together_and_those_of_one_in_their_order() -> None:
    net = fresh(*HUBS)
    for root in ("uno", "dos"):
        threaded(net, None, f"tarjeta {root}", key=root)
    quiet(net)
    for number in (1, 2):
        for root in ("uno", "dos"):
            threaded(net, root, f"{root} {number}")
    first = net.cem.run(lambda unit: claim_some(unit, frozenset()))
    assert words_of(first) == ["uno 1", "dos 1"]
    again = net.cem.run(lambda unit: claim_some(unit, frozenset()))
    assert words_of(again) == words_of(first), "what was claimed and not marked (a crash) is claimed again, before anything behind it"
    net.cem.run(lambda unit: [mark(unit, errand, f"${errand.post}") for errand in again])
    assert words_of(net.cem.run(lambda unit: claim_some(unit, frozenset()))) == ["uno 2", "dos 2"]


async def test_what_stands_in_the_open_room_keeps_its_order_and_a_thread_waits_for_its_root() -> None:
    net = fresh(*HUBS)
    quiet(net)
    threaded(net, None, "tarjeta", key="uno")
    threaded(net, "uno", "en su hilo")
    threaded(net, None, "después")
    assert words_of(net.cem.run(lambda unit: claim_some(unit, frozenset()))) == ["tarjeta"]


async def test_a_card_drawn_anew_goes_after_what_is_new_and_only_its_last_drawing_goes() -> None:
    net = fresh(*HUBS)
    threaded(net, None, "tarjeta", key="uno")
    quiet(net)
    threaded(net, None, "dibujo 1", edits="uno")
    threaded(net, "uno", "línea 1")
    first = net.cem.run(lambda unit: claim_some(unit, frozenset()))
    assert words_of(first) == ["línea 1"]
    threaded(net, None, "dibujo 2", edits="uno")
    net.cem.run(lambda unit: [mark(unit, errand, "$l1") for errand in first])
    assert words_of(net.cem.run(lambda unit: claim_some(unit, frozenset()))) == ["dibujo 2"]


async def test_a_redaction_goes_alone() -> None:
    net = fresh(*HUBS)
    threaded(net, None, "tarjeta", key="uno")
    threaded(net, None, "otra", key="dos")
    quiet(net)
    net.cem.run(lambda unit: redact(unit, "uno"))
    threaded(net, "dos", "línea")
    (alone,) = net.cem.run(lambda unit: claim_some(unit, frozenset()))
    assert alone.redacts


async def trusted() -> None:
    """Trust lists play no part here."""


def inbox(net: Net, **of: Any) -> tuple[Inbox, SqlMatrixRows, Any]:
    """An inbox with one message of Ana in it."""
    database = net.cem.store._database
    rows = SqlMatrixRows(database, seal=lambda _, data: data, unseal=lambda _, data: data)
    heard = Inbound(
        room_id=f"!{CEM}.desk", event_id="$ana1", sender=net.cem.person("ana"), device_key="k", type="m.room.message", ts_ms=0, standing="staff",
        firm=True, **of,
    )  # fmt: skip
    row = InboxRow(event_id="$ana1", room_id=heard.room_id, session_id="s", index=1, body=heard.to_bytes())
    matrix: Any = Homeserver()  # what it uses of Matrix
    made = Inbox(net.cem.store, rows, matrix, Faults(), asyncio.Event(), trusted, Verifier(net.cem.store, matrix))
    return made, rows, row


async def test_d03_an_answer_to_a_card_whose_event_is_not_noted_yet_waits_for_it() -> None:
    """The card was put and the process died before noting its event; the answer in its thread arrives first."""
    net = fresh(*HUBS)
    case = opened(net.cem, {"social_name": "Luz Inventada"})
    errand = net.cem.run(claim)
    while errand and not errand.content["body"].startswith(case.code):
        net.cem.run(mark, errand, f"$x{errand.post}")
        errand = net.cem.run(claim)
    worker, rows, row = inbox(net, content={"msgtype": "m.text", "body": "anotar edad 30"}, thread_root="$card")
    await rows.finish_batch(None, {}, Gathered(inbox=[row]).result())
    turn = asyncio.create_task(worker.turn())
    await asyncio.sleep(0.3)
    assert not turn.done(), "it waits"
    net.cem.run(lambda unit: mark(unit, errand, "$card"))
    await asyncio.wait_for(turn, 5)
    assert net.cem.run(lambda unit: unit.fields.count(case=case.id, field="age")) == 1


async def test_an_answer_to_nothing_of_ours_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    net = fresh(*HUBS)
    say(net, "una que está saliendo")
    net.cem.run(claim)
    monkeypatch.setattr("hub.app.inbox.MOST_WAITS", min(MOST_WAITS, 2))
    worker, rows, row = inbox(net, content={"msgtype": "m.text", "body": "!tk casos"}, thread_root="$nobody")
    await rows.finish_batch(None, {}, Gathered(inbox=[row]).result())
    await asyncio.wait_for(worker.turn(), 5)
    assert net.cem.run(lambda unit: unit.handled.get("$ana1")) is not None


async def test_one_event_among_many_that_fails_for_a_reason_of_ours_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of peers are handled several in one unit; the others of the unit take effect all the same, once."""
    net = fresh(*HUBS)
    worker, rows, row = inbox(net, content={})
    handled: list[str] = []

    def handle(unit: Any, inbound: Inbound) -> None:
        if inbound.event_id == "$e2":
            raise ZeroDivisionError
        handled.append(inbound.event_id)

    monkeypatch.setattr("hub.app.inbox._from_peer", handle)
    events = [replace(Inbound.from_bytes(row.body), event_id=f"$e{number}", standing="peer") for number in range(5)]
    given = [InboxRow(event_id=e.event_id, room_id=e.room_id, session_id="s", index=i, body=e.to_bytes()) for i, e in enumerate(events)]
    await rows.finish_batch(None, {}, Gathered(inbox=given).result())
    await asyncio.wait_for(worker.turn(), 10)
    assert handled[-4:] == ["$e0", "$e1", "$e3", "$e4"], "first together, rolled back; then one by one"
    assert "event_failed" in net.alarms(net.cem)
    assert net.cem.run(lambda unit: rows.counts(unit.connection)["inbox"]) == 0


async def test_d12_a_lock_that_is_lost_stops_the_hub() -> None:
    class Lock:
        @staticmethod
        def held() -> bool:
            return False

    house: Any = SimpleNamespace(lock=Lock(), rows=None)
    with pytest.raises(Stopped, match=r"database\.lock_lost"):
        await asyncio.wait_for(Watch(house).run(), 5)
