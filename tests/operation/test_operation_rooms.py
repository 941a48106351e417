"""The rooms' keeper: what is planted is found, mended and told; what is not ours to mend waits and is shown; nobody is kept waiting for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from hub.actions import staff
from hub.actions.invitations import MOST, note_invitation
from hub.actions.ports import Unit
from hub.actions.room_findings import QUIET, standing
from hub.app.room_commands import RoomCommands
from hub.app.room_news import Stir
from hub.app.rooms import RoomsKeeper
from hub.app.wanted_rooms import wanted_rooms
from hub.cases.records import Invitation, RoomFinding
from hub.matrix.drift import Action
from hub.matrix.ports import Report
from hub.testing.twin import Twin
from tests.actions.road import CEM, CSMC, Net, fresh
from tests.operation.rooms_double import Homeserver

STRANGER = "@intruso:otra.example"
DESK = "!cem-lima.desk"


@pytest.fixture
def net() -> Net:
    return fresh((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


@pytest.fixture
def server() -> Homeserver:
    return Homeserver()


@pytest.fixture
def stir() -> Stir:
    return Stir()


@pytest.fixture
async def keeper(net: Net, server: Homeserver, stir: Stir) -> RoomsKeeper:
    """A keeper whose rooms are all as they should be."""
    return await _settled(net, server, stir, repairs=True)


@pytest.fixture
async def asking(net: Net, server: Homeserver, stir: Stir) -> RoomsKeeper:
    """The same of an institution that wants to be asked first."""
    return await _settled(net, server, stir, repairs=False)


async def _settled(net: Net, server: Homeserver, stir: Stir, *, repairs: bool) -> RoomsKeeper:
    net.cem.enrol("rita", role="administrator")
    keeper = RoomsKeeper(net.cem.store, server, stir, repairs=repairs)  # type: ignore[arg-type]  # as much of Matrix as it needs
    for _ in range(3):
        await keeper.turn()
    net.cem.post()
    net.cem.said.clear()
    return keeper


def direct(twin: Twin, user: str) -> str | None:
    room = twin.run(lambda unit: unit.rooms.one(purpose=f"direct:{user}"))
    return room.id if room else None


def told(twin: Twin) -> list[str]:
    """What came into the admin room since the last look."""
    twin.post()
    said = [one.body for one in twin.said if one.room == "!cem-lima.admin"]
    twin.said.clear()
    return said


def wrong(twin: Twin) -> list[tuple[str, str, str, str]]:
    def read(unit: Unit) -> list[RoomFinding]:
        return standing(unit)

    return [(row.purpose, row.what, row.about, row.why) for row in twin.run(read)]


async def test_who_comes_back_gets_a_direct_room_again(net: Net) -> None:
    """Removed, and enrolled once more: what the keeper had settled for her is over."""
    server, ana = Homeserver(), net.cem.person("ana")
    keeper = RoomsKeeper(net.cem.store, server)  # type: ignore[arg-type]
    for _ in range(2):
        await keeper.turn()
    first = direct(net.cem, ana)
    assert first
    net.cem.run(staff.remove_staff, ana)
    await keeper.turn()
    assert direct(net.cem, ana) is None
    assert server.left == [first]
    net.cem.run(lambda unit: staff.add_staff(unit, ana, display="Ana Ejemplo"))
    for _ in range(2):
        await keeper.turn()
    assert direct(net.cem, ana) not in (None, first)


async def test_a_fresh_room_is_looked_at_once_more(net: Net) -> None:
    """Somebody who could not be invited when it was made is missing there, and only another look shows it."""
    server, berta = Homeserver(), net.cem.person("berta")
    room = direct(net.cem, berta)
    net.cem.run(lambda unit: unit.rooms.delete(room))
    keeper = RoomsKeeper(net.cem.store, server)  # type: ignore[arg-type]
    server.unknown = berta
    assert await keeper.turn() <= 5
    assert await keeper.turn() <= 5, "and again, until she is there"
    server.unknown = ""
    await keeper.turn()
    assert [spec.members for spec in server.made if spec.purpose == "direct"] == [{berta}], "one room, not one a turn"


async def test_a_stranger_is_put_out_at_once_and_told_of_once(net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper) -> None:
    for _ in range(3):
        server.member(DESK, STRANGER, "join")
        stir.changed(frozenset({DESK}))
        await keeper.turn()
        assert STRANGER not in server.present(DESK)
    said = told(net.cem)
    assert len(said) == 1
    assert STRANGER in said[0]
    assert "sala del equipo" in said[0]
    assert "Ya está fuera" in said[0]
    assert "[stranger]" in said[0]
    assert wrong(net.cem) == []
    net.clock.advance(QUIET + timedelta(minutes=1))
    server.member(DESK, STRANGER, "join")
    stir.changed(frozenset({DESK}))
    await keeper.turn()
    assert len(told(net.cem)) == 1, "a quarter of an hour later it is told again"


async def test_nothing_is_looked_at_twice_that_nobody_changed(net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper) -> None:
    server.member(DESK, STRANGER, "join")
    await keeper.turn()
    assert STRANGER in server.present(DESK), "no look: nothing woke it"
    keeper._looked["desk"] -= 400
    await keeper.turn()
    assert STRANGER not in server.present(DESK), "what no sync brought is found by the look that comes now and then"


async def test_state_is_set_back_and_the_sentence_says_what(net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper) -> None:
    server.state(DESK, "m.room.history_visibility", {"history_visibility": "world_readable"})
    server.state(DESK, "m.room.topic", {"topic": "palabras inventadas"})
    stir.changed(frozenset({DESK}))
    await keeper.turn()
    said = " ".join(told(net.cem))
    assert "[history]" in said
    assert "[topic]" in said
    assert "otra vez como debe" in said
    assert "palabras inventadas" not in said, "what somebody wrote there is not carried on"
    assert server.rooms[DESK].get("m.room.history_visibility", "history_visibility") == "joined"


async def test_fifty_strangers_are_put_out_and_told_in_six_sentences(net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper) -> None:
    for number in range(50):
        server.member(DESK, f"@n{number}:otra.example", "join")
    stir.changed(frozenset({DESK}))
    await keeper.turn()
    said = told(net.cem)
    assert len(said) == 6
    assert "45 cosas más" in said[-1]
    assert len(server.present(DESK)) == 1 + len(net.cem.run(lambda unit: unit.staff.all(removed_at=None)))


async def test_what_the_homeserver_does_not_let_us_mend_is_shown_until_it_is_done(
    net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper
) -> None:
    server.member(DESK, STRANGER, "join")
    server.keeps = {STRANGER}
    stir.changed(frozenset({DESK}))
    assert await keeper.turn() <= 5, "tried again soon"
    assert wrong(net.cem) == [("desk", "stranger", STRANGER, "M_FORBIDDEN")]
    assert "M_FORBIDDEN" in told(net.cem)[0]
    await keeper.turn()
    assert told(net.cem) == [], "said once"
    server.keeps = set()
    await keeper.turn()
    assert wrong(net.cem) == []
    assert "Ya está fuera" in told(net.cem)[0]


async def test_an_institution_that_wants_to_be_asked_is_asked(net: Net, server: Homeserver, stir: Stir, asking: RoomsKeeper) -> None:
    """Dry by choice: found, shown, and mended when an administrator answers in the admin room."""
    server.member(DESK, STRANGER, "join")
    server.state(DESK, "m.room.join_rules", {"join_rule": "public"})
    stir.changed(frozenset({DESK}))
    await asking.turn()
    assert STRANGER in server.present(DESK)
    assert {what for _, what, _, why in wrong(net.cem) if why == "asks"} == {"stranger", "join_rule"}
    assert any("salas reparar" in said and "no envío nada ahí" in said for said in told(net.cem))
    glance = net.cem.type("rita", "salas", room="admin")
    assert "Por arreglar: 2" in glance
    assert STRANGER in glance
    assert "Espera su decisión" in net.cem.type("rita", "salas plan", room="admin")
    asked = net.cem.type("rita", "!tk salas reparar", room="admin")
    assert "reparar ahora" in asked
    assert STRANGER in server.present(DESK), "nothing is done before the number"
    assert "Reparando (2)" in net.cem.type("rita", "1", room="admin")
    await asking.turn()
    assert STRANGER not in server.present(DESK)
    assert wrong(net.cem) == []
    assert any("Ya está fuera" in said for said in told(net.cem))


async def test_no_is_no(net: Net, server: Homeserver, stir: Stir, asking: RoomsKeeper) -> None:
    server.member(DESK, STRANGER, "join")
    stir.changed(frozenset({DESK}))
    await asking.turn()
    net.cem.type("rita", "salas reparar", room="admin")
    assert "No toqué nada" in net.cem.type("rita", "2", room="admin")
    await asking.turn()
    assert STRANGER in server.present(DESK)


@pytest.mark.parametrize(("who", "room"), [("ana", "admin"), ("ana", "desk"), ("rita", "desk")])
def test_only_an_administrator_and_only_in_her_room(net: Net, who: str, room: str) -> None:
    net.cem.enrol("rita", role="administrator")
    assert "Salas:" not in net.cem.type(who, "salas", room=room)
    assert "Salas:" in net.cem.type("rita", "salas", room="admin")


def test_no_other_role_governs_rooms(net: Net) -> None:
    """A homeserver can put a colleague into the admin room: what she writes there is no order about rooms (I03)."""
    assert "Salas:" not in net.cem.type("ana", "salas", room="admin")


async def test_apply_mends_what_waits_and_reports_each_step(net: Net, server: Homeserver, stir: Stir, asking: RoomsKeeper) -> None:
    server.member(DESK, STRANGER, "join")
    server.member(DESK, "@otra:otra.example", "invite")
    server.keeps = {"@otra:otra.example"}
    tried = await asking.apply()
    assert {(one.about, one.step, one.why) for one in tried} == {(STRANGER, "kick", ""), ("@otra:otra.example", "kick", "M_FORBIDDEN")}


async def test_a_stranger_in_a_link_stops_it_and_only_people_open_it(net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper) -> None:
    room = net.cem.run(lambda unit: unit.links.one(peer="csmc-comas")).room
    server.made.clear()
    server.member(room, STRANGER, "join")
    stir.changed(frozenset({room}))
    for _ in range(2):
        await keeper.turn()
    assert net.cem.run(lambda unit: unit.links.one(peer="csmc-comas")).frozen == "stranger"
    assert wrong(net.cem) == [("link:csmc-comas", "stranger", STRANGER, "frozen")]
    assert server.made == [], "it is not made anew before people have looked"
    net.cem.run(lambda unit: unit.links.put(_open(unit)))
    keeper.look_again("link:csmc-comas")
    for _ in range(2):
        await keeper.turn()
    assert len([spec for spec in server.made if spec.purpose == "link"]) == 1
    assert wrong(net.cem) == []


def _open(unit: Unit) -> object:
    link = unit.links.one(peer="csmc-comas")
    assert link is not None
    return replace(link, frozen=None)


async def test_a_room_that_nothing_brings_back_is_made_anew_once_an_hour(
    net: Net, server: Homeserver, stir: Stir, keeper: RoomsKeeper
) -> None:
    server.state(DESK, "m.room.tombstone", {"replacement_room": "!trampa"})
    stir.changed(frozenset({DESK}))
    await keeper.turn()
    await keeper.turn()
    new = net.cem.run(lambda unit: unit.rooms.one(purpose="desk")).id
    assert new != DESK
    assert DESK in server.left
    assert any("sala nueva" in said for said in told(net.cem))
    server.state(new, "m.room.tombstone", {"replacement_room": "!otra-trampa"})
    stir.changed(frozenset({new}))
    for _ in range(3):
        await keeper.turn()
    assert net.cem.run(lambda unit: unit.rooms.one(purpose="desk")).id == new, "a homeserver that spoils each one would have us make thousands"
    assert wrong(net.cem) == [("desk", "tombstone", "tombstone", "too_soon")]


async def test_off_boarding_while_the_homeserver_is_away_is_owed_and_done_when_it_returns(
    net: Net, server: Homeserver, keeper: RoomsKeeper
) -> None:
    ana = net.cem.person("ana")
    server.away = True
    net.cem.run(staff.remove_staff, ana)
    assert await keeper.turn() <= 5
    owed = {(purpose, what, why) for purpose, what, about, why in wrong(net.cem) if about == ana}
    assert owed == {("desk", "departed", "matrix.away"), (f"direct:{ana}", "departed", "matrix.away")}
    assert any(ana in said and "sigue en" in said for said in told(net.cem))
    server.away = False
    await keeper.turn()
    assert wrong(net.cem) == []
    assert ana not in server.present(DESK)
    assert direct(net.cem, ana) is None


async def test_whom_an_administrator_removed_is_out_at_once_though_the_rest_waits(
    net: Net, server: Homeserver, stir: Stir, asking: RoomsKeeper
) -> None:
    ana = net.cem.person("ana")
    server.member(DESK, STRANGER, "join")
    net.cem.run(staff.remove_staff, ana)
    stir.changed(frozenset({DESK}))
    await asking.turn()
    assert ana not in server.present(DESK)
    assert STRANGER in server.present(DESK), "a stranger waits for an administrator, as the configuration says"
    assert wrong(net.cem) == [("desk", "stranger", STRANGER, "asks")]


async def test_the_plan_of_an_institution_that_wants_to_be_asked_says_who_takes_each_step(net: Net) -> None:
    desk = next(one for one in net.cem.run(wanted_rooms) if one.purpose == "desk")
    house = SimpleNamespace(config=SimpleNamespace(rooms=SimpleNamespace(repair="ask")))
    gone = Action(kind="kick", what="stranger", target="@ana:cem.example")
    planned = RoomCommands(house)._planned  # type: ignore[arg-type]  # as much of the house as it needs
    assert planned(desk, gone, frozenset({gone.target}), frozenset())["by"] == "hub"
    assert planned(desk, gone, frozenset(), frozenset())["by"] == "asks"


async def test_the_last_one_who_leaves_goes_out_too(net: Net, server: Homeserver, keeper: RoomsKeeper) -> None:
    everybody = [person.id for person in net.cem.run(lambda unit: unit.staff.all(removed_at=None))]
    for user in everybody:
        net.cem.run(staff.remove_staff, user)
    await keeper.turn()
    assert not server.present(DESK) & set(everybody)


async def test_a_device_in_doubt_stands_until_it_is_over(net: Net, server: Homeserver, keeper: RoomsKeeper) -> None:
    ana = net.cem.person("ana")
    server.reports = [Report(kind="unverified_device", user_id=ana, device_id="GHOST")]
    await keeper.turn()
    said = told(net.cem)
    assert len(said) == 1
    assert "GHOST" in said[0]
    assert "Verificar con otro dispositivo" in said[0]
    server.reports = [Report(kind="master_changed", user_id=ana, detail="k")]
    await keeper.turn()
    assert told(net.cem) == [], "while her key is in doubt nothing is known of her devices"
    server.reports = []
    await keeper.turn()
    assert any("ya no está en duda" in said for said in told(net.cem))
    assert wrong(net.cem) == []


async def test_a_signature_of_ours_that_vanished_is_told(net: Net, server: Homeserver, keeper: RoomsKeeper) -> None:
    server.signed = False
    keeper._looked["devices"] -= 400
    await keeper.turn()
    assert any("[hub_device]" in said for said in told(net.cem))


@pytest.mark.parametrize(
    ("user", "detail", "why"),
    [
        ("@ana:cem-lima.example", "not_a_peer", "staff"),
        ("@nadie:cem-lima.example", "not_a_peer", "own_server"),
        ("@nadie:csmc-comas.example", "not_a_peer", "peer_server"),
        ("@nadie:lejos.example", "not_a_peer", "unlisted"),
        ("@hub:csmc-comas.example", "encryption", "shape"),
        ("@hub:csmc-comas.example", "M_NOT_FOUND", "withdrawn"),
    ],
)
def test_who_invited_and_why_it_was_turned_down(net: Net, user: str, detail: str, why: str) -> None:
    net.cem.run(note_invitation, "!suya", user, detail)
    kept = net.cem.run(lambda unit: unit.invitations.all())
    assert [(row.user, row.why) for row in kept] == [(user, why)]
    net.cem.post()
    assert user in net.cem.find("[invite_refused]").body


def test_a_thousand_invitations_of_a_server_are_one_sentence_and_few_rows(net: Net) -> None:
    def invited(unit: Unit, number: int) -> None:
        note_invitation(unit, f"!r{number}", f"@n{number}:lejos.example", "not_a_peer")

    for number in range(MOST + 20):
        net.cem.run(invited, number)
    kept: list[Invitation] = net.cem.run(lambda unit: unit.invitations.all(order="last_at"))
    assert len(kept) == MOST
    net.cem.post()
    assert len([said for said in net.cem.said if "[invite_refused]" in said.body]) == 1
