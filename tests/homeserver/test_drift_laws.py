"""Laws of room classes and of the comparison with them: who is admitted, what counts as looser, and that a mended room needs nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases.room_classes import HUB, ROOM_CLASSES, STAFF, Member, RoomClass
from hub.matrix.desired import power_of
from hub.matrix.drift import Action, link_faults, looser, plan
from hub.matrix.ports import RoomSpec
from hub.matrix.roomview import MOST_STATE, RoomView
from tests.operation.rooms_double import OWN, Homeserver

ROSA, PEER = "@rosa:here", "@hub:there"
LINK = RoomSpec(purpose="link", members=frozenset({PEER}))
DESK = RoomSpec(purpose="desk", members=frozenset({ROSA}), name="Tinkuy")


@pytest.mark.parametrize("row", ROOM_CLASSES.values(), ids=lambda row: row.purpose)
def test_no_class_is_open(row: RoomClass) -> None:
    """R30, R74: encrypted, by invitation, nothing of before one came, no guests, nobody above the hub, and a name only where it says nothing."""
    assert row.encryption.algorithm == "m.megolm.v1.aes-sha2"
    assert (row.history, row.join_rule, row.guest_access, row.version) == ("joined", "invite", "forbidden", "12")
    assert row.power.govern == 100
    assert row.power.everybody == 0
    assert row.verified_hub
    assert row.name == "" or row.name.startswith("Tinkuy")


@given(institution=st.sampled_from(["a", "b", "c", ""]), role=st.sampled_from([*sorted(STAFF), HUB, "", "root"]))
def test_a_member_is_admitted_by_institution_and_role_and_never_by_doubt(institution: str, role: str) -> None:
    member = Member(user="@x:y", institution=institution, role=role)
    rule = {kind: row.members for kind, row in ROOM_CLASSES.items()}
    assert rule["desk"].admits(member, "a") == (institution == "a" and role in STAFF)
    assert rule["admin"].admits(member, "a") == (institution == "a" and role == "administrator")
    assert rule["link"].admits(member, "a") == (institution != "a" and role == HUB)
    assert rule["coordination"].admits(member, "a", frozenset({"a", "b"})) == (institution in ("a", "b") and role in STAFF | {HUB})
    assert not rule["coordination"].admits(member, "a"), "of a room without parties nobody is a member"


@given(data=st.data())
def test_power_is_looser_exactly_when_somebody_can_do_more(data: st.DataObject) -> None:
    """X29: a rolled back or opened power level ends a link; one that is stricter, or of another release, does not."""
    wanted = power_of(LINK)
    assert not looser(wanted, wanted)
    need = data.draw(st.sampled_from(["invite", "kick", "ban", "redact", "state_default"]))
    level = data.draw(st.integers(-(2**31), 2**31))
    assert looser(wanted | {need: level}, wanted) == (level < 100)
    assert looser(wanted | {"users": {"@x:y": level}}, wanted) == (level > 0)
    assert looser(wanted | {"users_default": level}, wanted) == (level > 0)
    kind = data.draw(st.sampled_from(["m.room.topic", "m.room.encryption", "org.tinkuy.envelope.v1"]))
    assert looser(wanted | {"events": wanted["events"] | {kind: level}}, wanted) == (level < 100)
    odd = data.draw(st.sampled_from([None, "100", 99.5, True, [], {}]))
    assert looser(wanted | {need: odd}, wanted), "doubt is a fault"
    assert looser({}, wanted)


def room(spec: RoomSpec) -> tuple[Homeserver, RoomView]:
    server = Homeserver()
    return server, server.adopt("!r", spec)


def test_x29_a_link_whose_power_was_opened_is_replaced() -> None:
    server, view = room(LINK)
    assert link_faults(LINK, view, OWN) == []
    server.state("!r", "m.room.power_levels", power_of(LINK) | {"users": {"@x:y": 100}})
    assert link_faults(LINK, view, OWN) == ["power"]


@pytest.mark.parametrize(
    ("kind", "key", "content"),
    [
        ("m.room.pinned_events", "", {"pinned": ["$x"]}),
        ("m.space.parent", "!space", {"via": ["x"]}),
        ("m.room.server_acl", "", {"allow": []}),
        ("im.example.anything", "k", {"any": "thing"}),
        ("m.room.tombstone", "", {"replacement_room": "!x"}),
    ],
)
def test_x30_a_link_with_anything_else_in_its_state_is_replaced(kind: str, key: str, content: dict[str, Any]) -> None:
    server, view = room(LINK)
    server.state("!r", kind, content, key=key)
    assert {one.kind for one in plan(LINK, view, OWN)} == {"replace"}


_CONTENT = st.dictionaries(st.sampled_from(["algorithm", "join_rule", "users", "topic", "x"]), st.sampled_from(["", "x", 0, 100, {}, {"@x:y": 100}]))
_KINDS = ("m.room.encryption", "m.room.join_rules", "m.room.power_levels", "m.room.name", "m.room.topic", "m.room.server_acl", "im.example.x")


@given(
    states=st.lists(st.tuples(st.sampled_from(_KINDS), st.sampled_from(["", "k"]), _CONTENT), max_size=6),
    members=st.lists(st.tuples(st.sampled_from([ROSA, "@x:y", "@z:y"]), st.sampled_from(["join", "invite", "leave", "ban", "knock"])), max_size=5),
)
def test_what_a_plan_says_is_enough(states: list[Any], members: list[Any]) -> None:
    """Whatever was planted, doing what the plan says leaves nothing to do: no endless mending."""
    server, view = room(DESK)
    for kind, key, content in states:
        server.state("!r", kind, content, key=key)
    for user, membership in members:
        server.member("!r", user, membership)
    steps = plan(DESK, view, OWN)
    for action in steps:
        assert server._do("!r", action) == ""
    assert plan(DESK, view, OWN) == []
    assert view.present == {OWN, ROSA}


def test_a_stranger_is_put_out_before_anything_else() -> None:
    server, view = room(DESK)
    server.member("!r", "@x:y", "join")
    server.state("!r", "m.room.topic", {"topic": "x"})
    first = plan(DESK, view, OWN)[0]
    assert (first.kind, first.what, first.target) == ("kick", "stranger", "@x:y")


def test_people_are_asked_in_after_their_own_hub() -> None:
    """What she says before her hub has joined her hub can never read, and nobody would answer her."""
    bea, hub = "@bea:there", "@hub:there"
    server, view = room(RoomSpec(purpose="coordination", members=frozenset(), name=ROOM_CLASSES["coordination"].name))
    spec = RoomSpec(purpose="coordination", members=frozenset({bea, hub}), name=ROOM_CLASSES["coordination"].name, behind={bea: hub})
    assert [one.target for one in plan(spec, view, OWN)] == [hub]
    server.member("!r", hub, "invite")
    assert plan(spec, view, OWN) == []
    server.member("!r", hub, "join")
    assert [one.target for one in plan(spec, view, OWN)] == [bea]


def test_state_without_end_is_not_followed_without_end() -> None:
    server, view = room(DESK)
    for number in range(MOST_STATE + 50):
        server.state("!r", "im.example.flood", {"n": number}, key=str(number))
    assert len(view.events) <= MOST_STATE
    assert isinstance(plan(DESK, view, OWN)[0], Action)


MEETING = RoomSpec(
    purpose="coordination", members=frozenset({ROSA}), name=ROOM_CLASSES["coordination"].name, ours=frozenset({"$table", "$old"})
)


@pytest.mark.parametrize(
    ("actual", "wanted", "what"),
    [
        (None, "$table", "pin"), ([], "$table", "pin"), (["$table"], "$table", ""), (["$old"], "$table", "pin"), (["$old"], "", "pin"),
        (["$table", "$hers"], "$table", "pinned"), (["$hers"], "", "pinned"), ([{}], "$table", "pinned"), ("$table", "$table", "pinned"),
        (None, "", ""), ([], "", ""),
    ],
)  # fmt: skip
def test_one_message_of_ours_is_pinned_and_nothing_else(actual: Any, wanted: str, what: str) -> None:
    """R49. Only event ids stand in clear. What somebody else pinned is taken away and told; our own move is nobody's news."""
    spec = replace(MEETING, pinned=wanted)
    server, view = room(spec)
    if actual is not None:
        server.state("!r", "m.room.pinned_events", {"pinned": actual})
    steps = plan(spec, view, OWN)
    assert [one.what for one in steps] == ([what] if what else [])
    assert all(bool(one.event) == (what == "pinned") for one in steps)
    for action in steps:
        server._do("!r", action)
        assert view.state["m.room.pinned_events"] == {"pinned": [wanted] if wanted else []}
    assert plan(spec, view, OWN) == []
