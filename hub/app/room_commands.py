"""Control commands about rooms: who is in which and who may be, what differs from its class, and bringing it back. No message is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.actions.ports import Unit
from hub.actions.room_findings import DEVICE_KINDS, called, standing
from hub.app.wanted_rooms import Wanted, wanted_rooms
from hub.cases.records import RoomFinding
from hub.cases.room_classes import ROOM_CLASSES, RoomClass
from hub.matrix import MatrixError
from hub.matrix.drift import Action
from hub.matrix.errors import HomeserverAway, IdentityConflict
from hub.matrix.roomview import RoomView

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]


def handlers(house: House) -> dict[str, Handler]:
    """Every command about rooms by name."""
    commands = RoomCommands(house)
    return {
        "rooms": commands.rooms,
        "rooms.show": naming_rooms(house, commands.show),
        "rooms.plan": naming_rooms(house, commands.plan),
        "rooms.drift": naming_rooms(house, commands.drift),
        "rooms.apply": naming_rooms(house, commands.apply),
        "rooms.invitations": commands.invitations,
    }


def naming_rooms(house: House, handler: Handler) -> Handler:
    """The same answer; wherever it names a room (`room`), what people call it stands beside (`called`)."""

    async def named(args: Mapping[str, Any]) -> Any:
        answer = await handler(args)
        return await house.store.look(lambda unit: _named(unit, answer))

    return named


def _named(unit: Unit, answer: Any) -> Any:
    if isinstance(answer, list):
        return [_named(unit, one) for one in answer]
    if not isinstance(answer, dict):
        return answer
    found = {key: _named(unit, value) for key, value in answer.items()}
    return found | {"called": called(unit, found["room"])} if isinstance(found.get("room"), str) else found


class RoomCommands:
    """What the terminal asks about rooms."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def rooms(self, _: Mapping[str, Any]) -> Any:
        """The rooms by purpose."""
        return await self._house.store.look(lambda unit: {r.purpose: r.id for r in unit.rooms.all(order="purpose")})

    async def show(self, _: Mapping[str, Any]) -> Any:
        """Each room: what its class wants, what the homeserver shows, who is in it and who may be."""
        await self._ask_devices()
        wanted_now, gone = await self._house.store.look(lambda unit: (wanted_rooms(unit), _departed(unit)))
        return [await self._shown(wanted, gone) for wanted in wanted_now]

    async def plan(self, _: Mapping[str, Any]) -> Any:
        """What would be done now, step by step, and by whom; nothing is changed."""
        steps = [step for row in await self.drift_of_rooms() for step in row["steps"]]
        return {"repair": self._house.config.rooms.repair, "steps": steps}

    async def drift(self, _: Mapping[str, Any]) -> Any:
        """Everything that is not as it should be: rooms, devices, and what is owed since somebody left. Nothing is changed."""
        await self._ask_devices()
        rooms = await self.drift_of_rooms()
        owed = await self._house.store.look(lambda unit: [_finding(row) for row in standing(unit) if row.what == "departed"])
        devices = self._devices()
        hub = await self._own_device()
        count = sum(len(row["steps"]) for row in rooms) + len(owed) + len(devices) + (hub != "ok")
        other = [row for row in rooms if row["steps"]]
        return {"count": count, "rooms": other, "looked_at": len(rooms), "devices": devices, "owed": owed, "hub": hub}

    async def apply(self, _: Mapping[str, Any]) -> Any:
        """Mend what is ours to mend; each step with its outcome, and what is left after."""
        tried = await self._house.keeper.apply()
        return {"steps": [vars_of(one) for one in tried], "left": await self.drift({})}

    async def invitations(self, _: Mapping[str, Any]) -> Any:
        """Invitations that the hub turned down, the newest first."""
        rows = await self._house.store.look(lambda unit: unit.invitations.all(order="last_at"))
        return [
            {"user": row.user, "server": row.user.partition(":")[2], "why": row.why, "detail": row.detail, "times": row.times, "room": row.id,
             "first": row.at.isoformat(), "last": row.last_at.isoformat()} for row in reversed(rows)
        ]  # fmt: skip

    async def drift_of_rooms(self) -> list[dict[str, Any]]:
        """How each room differs from its class now. `drift`: kinds of steps; `missing`: accounts of ours that are not even invited."""
        house, found = self._house, []
        wanted_now, gone, frozen = await house.store.look(lambda unit: (wanted_rooms(unit), _departed(unit), _frozen(unit)))
        for wanted in wanted_now:
            if wanted.room is None:
                found.append(_row(wanted, [_step(wanted, "missing_room", "", "make", "hub" if wanted.ours_to_make else "peer")]))
                continue
            try:
                theirs = wanted.spec.purpose == "coordination" and not wanted.ours_to_make  # its owner's hub keeps it
                actions = [] if theirs else await house.matrix.check_room(wanted.room, wanted.spec)
            except HomeserverAway as error:
                found.append(_row(wanted, [_step(wanted, "unseen", error.code, "look", "homeserver")]))
                continue
            found.append(_row(wanted, [self._planned(wanted, action, gone, frozen) for action in actions]))
        return found

    def _planned(self, wanted: Wanted, action: Action, gone: frozenset[str], frozen: frozenset[str]) -> dict[str, Any]:
        what = "departed" if action.what == "stranger" and action.target in gone else action.what
        at_once = action.kind == "invite" or what in ("pin", "departed")
        waits = self._house.config.rooms.repair == "ask" and not at_once and wanted.spec.purpose != "link"
        by = "people" if wanted.purpose in frozen or (wanted.spec.purpose == "link" and action.what == "stranger") else "asks" if waits else "hub"
        return _step(wanted, what, action.target, action.kind, by)

    async def _ask_devices(self) -> None:
        """Devices as served now, not as last told. A homeserver that is away leaves what we know."""
        try:
            await self._house.matrix.refresh()
        except MatrixError:
            return

    def _devices(self) -> list[dict[str, str]]:
        doubts = [one for one in self._house.matrix.doubts() if one.kind in DEVICE_KINDS]
        return [{"what": one.kind, "user": one.user_id or "", "device": one.device_id or ""} for one in doubts]

    async def _own_device(self) -> str:
        """`ok`, `absent` or `foreign`, as the homeserver serves it right now; a vanished signature is put back on the way."""
        try:
            await self._house.matrix.look_at_cross_signing()
        except IdentityConflict:
            return "foreign"
        except MatrixError:
            return "absent"
        return "ok"

    async def _shown(self, wanted: Wanted, gone: frozenset[str]) -> dict[str, Any]:
        row = ROOM_CLASSES[wanted.spec.purpose]
        shown: dict[str, Any] = {
            "room": wanted.purpose, "class": wanted.spec.purpose, "id": wanted.room, "may": _rule(row), "mend": row.mend, "wanted": _declared(row)
        }  # fmt: skip
        view = None
        if wanted.room:
            try:
                view = await self._house.matrix.room_view(wanted.room)
            except MatrixError as error:
                shown["unseen"] = error.code
        return shown | {"served": _served(view), "members": self._members(wanted, view, gone)}

    def _members(self, wanted: Wanted, view: RoomView | None, gone: frozenset[str]) -> list[dict[str, Any]]:
        matrix, states = self._house.matrix, view.members if view else {}
        own = matrix.device.user_id
        me = {"user": own, "institution": self._house.config.institution.id, "role": "hub", "may": True, "state": states.get(own, "out")}
        rows = [me] if view else []
        for one in wanted.people:
            devices = {"devices": len(matrix.trusted_devices(one.user)), "unverified": sorted(matrix.refused_devices(one.user))}
            rows.append(
                {"user": one.user, "institution": one.institution, "role": one.role, "may": True, "state": states.get(one.user, "out"), **devices}
            )
        strangers = sorted((view.present if view else frozenset()) - wanted.spec.members - {own})
        return rows + [
            {"user": user, "institution": None, "role": "departed" if user in gone else "stranger", "may": False, "state": states[user]}
            for user in strangers
        ]


def vars_of(tried: Any) -> dict[str, Any]:
    """A step as plain data."""
    return {"room": tried.room, "what": tried.what, "about": tried.about, "step": tried.step, "done": not tried.why, "why": tried.why}


def _departed(unit: Unit) -> frozenset[str]:
    return frozenset(person.id for person in unit.staff.all(removed_at__not=None))


def _frozen(unit: Unit) -> frozenset[str]:
    return frozenset(f"link:{link.peer}" for link in unit.links.all(frozen__not=None))


def _row(wanted: Wanted, steps: list[dict[str, Any]]) -> dict[str, Any]:
    invites = [step["about"] for step in steps if step["step"] == "invite" and wanted.spec.purpose != "link"]
    return {"room": wanted.purpose, "class": wanted.spec.purpose, "drift": [step["step"] for step in steps], "missing": invites, "steps": steps}


def _step(wanted: Wanted, what: str, about: str, step: str, by: str) -> dict[str, Any]:
    return {"room": wanted.purpose, "class": wanted.spec.purpose, "what": what, "about": about, "step": step, "by": by}


def _finding(row: RoomFinding) -> dict[str, Any]:
    return {"room": row.purpose, "what": row.what, "about": row.about, "why": row.why, "since": row.found_at.isoformat()}


def _rule(row: RoomClass) -> dict[str, Any]:
    return {"institutions": row.members.institutions, "roles": sorted(row.members.roles), "most": row.members.most}


def _declared(row: RoomClass) -> dict[str, Any]:
    crypto = row.encryption
    return {
        "encryption": crypto.algorithm, "rotation_messages": crypto.rotation_messages, "rotation_ms": crypto.rotation_ms, "history": row.history,
        "join_rule": row.join_rule, "guest_access": row.guest_access, "version": row.version, "name": row.name, "creators": row.creators,
        "govern": row.power.govern, "verified_hub": row.verified_hub,
    }  # fmt: skip


def _served(view: RoomView | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {
        "encryption": view.get("m.room.encryption", "algorithm"), "rotation_messages": view.get("m.room.encryption", "rotation_period_msgs"),
        "rotation_ms": view.get("m.room.encryption", "rotation_period_ms"), "history": view.get("m.room.history_visibility", "history_visibility"),
        "join_rule": view.get("m.room.join_rules", "join_rule"), "guest_access": view.get("m.room.guest_access", "guest_access"),
        "version": view.version, "name": view.get("m.room.name", "name") or "", "creators": sorted(view.creators),
        "govern": view.get("m.room.power_levels", "state_default"),
    }  # fmt: skip
