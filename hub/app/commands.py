"""What the other commands may ask of the running hub over the control socket (`design.md` §9)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from hub.actions import guard, legal_hold, peers, staff
from hub.actions.devices import drop_device
from hub.actions.disputes import decide_owner
from hub.actions.homeserver import wanted
from hub.actions.manifest_versions import signing_due
from hub.actions.network import held_lists, standing_on
from hub.actions.ports import Unit
from hub.actions.receipts import last_day
from hub.actions.room_findings import standing
from hub.actions.rosters import fit
from hub.app import policy_commands, room_commands, table_commands, trust_commands
from hub.app.backup import backup_settings
from hub.app.facts import Watch
from hub.app.key_commands import key_handlers
from hub.app.network_commands import network_handlers
from hub.app.protocol_commands import protocol_findings, protocol_handlers
from hub.app.wanted_rooms import wanted_rooms
from hub.base.errors import Refused
from hub.cases.records import LegalHold, Staff
from hub.exchange.records import Link
from hub.matrix import MatrixError
from hub.matrix.errors import IdentityConflict
from keys.manifest import Manifest

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]


def handlers(house: House) -> dict[str, Handler]:
    """Every command by name."""
    commands = _Commands(house)
    return {
        **trust_commands.handlers(house),
        **policy_commands.handlers(house),
        **table_commands.handlers(house),
        "staff.add": commands.staff_add,
        "staff.repin": commands.staff_repin,
        "staff.remove": room_commands.naming_rooms(house, commands.staff_remove),
        "staff.show": room_commands.naming_rooms(house, commands.staff_show),
        "staff.list": commands.staff_list,
        "staff.duty": commands.staff_duty,
        "peer.manifest": commands.peer_manifest,
        "peer.add": commands.peer_add,
        "peer.code": commands.peer_code,
        "peer.confirm": commands.peer_confirm,
        "peer.list": commands.peer_list,
        "peer.stop": commands.peer_stop,
        "peer.thaw": commands.peer_thaw,
        "peer.owns": commands.peer_owns,
        "hold.place": commands.hold_place,
        "hold.lift": commands.hold_lift,
        "hold.list": commands.hold_list,
        "guard.show": commands.guard_show,
        "guard.set": commands.guard_set,
        "servers.list": commands.servers_list,
        "servers.drop": commands.servers_drop,
        "status": commands.status,
        "doctor": commands.doctor,
        **room_commands.handlers(house),
        **key_handlers(house),
        **network_handlers(house),
        **protocol_handlers(house),
    }


class _Commands:
    def __init__(self, house: House) -> None:
        self._house = house
        self._watch = Watch(house)

    async def staff_add(self, args: Mapping[str, Any]) -> Any:
        """Enrol, pin, and make the rooms before answering. Where no key of hers is to be seen, whether there is such an account at all."""
        house = self._house
        person = await house.store.run(
            lambda unit: staff.add_staff(
                unit, str(args["user_id"]), display=str(args.get("display", "")), role=str(args.get("role", "caseworker")),
                language=str(args.get("language", "es")), on_duty=bool(args.get("on_duty", False)), fingerprint=args.get("fingerprint"),
            )
        )  # fmt: skip
        await self._settle(person.id)
        answer = await house.store.run(lambda unit: _person(unit.staff.get(person.id)), quiet=True)
        return answer if answer["pin"] != "unseen" else {**answer, "account": await house.matrix.has_account(person.id)}

    async def staff_repin(self, args: Mapping[str, Any]) -> Any:
        """Accept a new master key."""
        person = await self._house.store.run(lambda unit: staff.repin_staff(unit, str(args["user_id"]), args.get("fingerprint")))
        if person.master is None:
            await self._house.matrix.forget_pin(person.id)
        await self._settle(person.id)
        return await self._house.store.run(lambda unit: _person(unit.staff.get(person.id)), quiet=True)

    async def staff_remove(self, args: Mapping[str, Any]) -> Any:
        """Off-board: trust first, rooms after. Says by code what she had in hand, and who has it now."""
        house, user = self._house, str(args["user_id"])
        hers = await house.store.look(lambda unit: _rooms_of(unit, user))
        left, stay = await house.store.run(lambda unit: (staff.remove_staff(unit, user), _staying(unit)))
        await self._settle()
        owed = await house.store.look(lambda unit: {row.purpose: row.why for row in standing(unit) if row.what == "departed" and row.about == user})
        rooms = [{"room": purpose, "out": purpose not in owed, "why": owed.get(purpose, "")} for purpose in hers]
        return {**_person(left.person), "moved": _moved(left), "rooms": rooms, "stay": stay}

    async def staff_show(self, args: Mapping[str, Any]) -> Any:
        """One person, the rooms she is in, what would move and who would stay if she left; nothing changes."""
        user, look = str(args["user_id"]), self._house.store.look
        left, rooms, stay = await look(lambda unit: (staff.foresee_departure(unit, user), _rooms_of(unit, user), _staying(unit, without=user)))
        return {**_person(left.person), "would_move": _moved(left), "rooms": [{"room": purpose} for purpose in rooms], "stay": stay}

    async def staff_list(self, _: Mapping[str, Any]) -> Any:
        """Everybody enrolled."""
        return await self._house.store.look(lambda unit: [_person(p) for p in unit.staff.all(removed_at=None, order="added_at")])

    async def staff_duty(self, args: Mapping[str, Any]) -> Any:
        """On or off duty."""
        return _person(await self._house.store.run(lambda unit: staff.set_duty(unit, str(args["user_id"]), on=bool(args["on_duty"]))))

    async def peer_manifest(self, _: Mapping[str, Any]) -> Any:
        """Our own manifest, to hand over."""
        manifest = self._house.store.given.hand.manifest
        shown = manifest.profile
        return {
            "institution": shown.institution, "kind": shown.kind, "name": shown.display_name, "version": shown.version,
            "expires": shown.expires.date().isoformat(), "matrix_user": shown.matrix_user, "device_id": shown.device_id,
            "fingerprint": shown.master_fingerprint, "threshold": f"{shown.threshold}/{len(shown.roots)}", "digest": manifest.digest.hex()[:16],
            "manifest": base64.b64encode(manifest.raw).decode(),
        }  # fmt: skip

    async def peer_add(self, args: Mapping[str, Any]) -> Any:
        """Keep a manifest; the code is still to be compared."""
        try:
            data = base64.b64decode(str(args["manifest"]), validate=True)
        except (binascii.Error, KeyError):
            raise Refused("peer_manifest_refused", why="base64") from None
        peer = await self._house.store.run(peers.add_peer, data)
        self._house.keeper.poke()
        return {"institution": peer.id, "state": peer.state}

    async def peer_code(self, args: Mapping[str, Any]) -> Any:
        """The short code over both manifests."""
        name = str(args["institution"])
        code = await self._house.store.run(lambda unit: peers.short_code_with(unit, name), quiet=True)
        return {"code": code, "listed": await self._house.store.look(lambda unit: standing_on(unit, unit.peers.get(name)))}

    async def peer_confirm(self, args: Mapping[str, Any]) -> Any:
        """The people compared it: make the link."""
        name = str(args["institution"])
        link = await self._house.store.run(lambda unit: peers.confirm_peer(unit, "administrator", name, str(args["code"])))
        self._house.keeper.poke()
        return {"institution": name, "link": link.id}

    async def peer_stop(self, args: Mapping[str, Any]) -> Any:
        """Nothing goes in or out of this link until people open it; in force before this answers."""
        name = str(args["institution"])
        link = await self._house.store.run(peers.stop_link, "administrator", name)
        return {"institution": name, "link": link.id, "frozen": link.frozen}

    async def peer_thaw(self, args: Mapping[str, Any]) -> Any:
        """Open a frozen link again; a room that a stranger entered is replaced, never repaired."""
        name = str(args["institution"])
        link = await self._house.store.run(lambda unit: peers.thaw_link(unit, "administrator", name, str(args["code"])))
        if link.room:
            self._house.matrix.thaw(link.room)
        self._house.keeper.look_again(f"link:{name}")
        return {"institution": name, "link": link.id}

    async def peer_owns(self, args: Mapping[str, Any]) -> Any:
        """People decided whose the device is that two institutions say to have; in force before this answers."""
        owner, other = str(args["institution"]), str(args["other"])
        keys = await self._house.store.run(lambda unit: decide_owner(unit, "administrator", owner, other))
        await self._house.keeper.trust()
        return {"institution": owner, "other": other, "keys": list(keys)}

    async def peer_list(self, _: Mapping[str, Any]) -> Any:
        """Everybody we know and the state of each link."""
        return await self._house.store.look(lambda unit: [_peer(unit, p.id) for p in unit.peers.all(order="id")])

    async def hold_place(self, args: Mapping[str, Any]) -> Any:
        """What we hold of a referral is kept by law until a day."""
        try:
            until = date.fromisoformat(str(args["until"]))
        except ValueError:
            raise Refused("bad_date") from None
        code, basis = str(args["code"]), str(args["basis"])
        await self._house.store.run(lambda unit: legal_hold.place_hold(unit, "administrator", code, basis, until))
        return await self.hold_list({})

    async def hold_lift(self, args: Mapping[str, Any]) -> Any:
        """The hold ends now."""
        await self._house.store.run(lambda unit: legal_hold.lift_hold(unit, "administrator", str(args["code"])))
        return await self.hold_list({})

    async def hold_list(self, _: Mapping[str, Any]) -> Any:
        """Every hold, by code; no person in it."""
        return await self._house.store.look(lambda unit: [_hold(unit, h) for h in unit.holds.all(order="until")])

    async def guard_show(self, _: Mapping[str, Any]) -> Any:
        """What the language guard does in each class of rooms, and how often it saw each class: no text, no person."""
        return await self._house.store.look(_guard)

    async def guard_set(self, args: Mapping[str, Any]) -> Any:
        """Change it for a class of rooms."""
        await self._house.store.run(guard.set_mode, "administrator", str(args.get("room", "")), str(args.get("mode", "")))
        return await self.guard_show({})

    async def servers_list(self, _: Mapping[str, Any]) -> Any:
        """The servers of this hub, their Matrix devices, and which of them run and lead; empty for one that is alone."""
        servers = self._house.servers
        if servers is None:
            return []
        rows = await self._house.store.look(lambda unit: unit.hub_devices.all(order="id"))
        return await servers.shown(rows)

    async def servers_drop(self, args: Mapping[str, Any]) -> Any:
        """A server that is gone for good: its device is out at once."""
        await self._house.store.run(lambda unit: drop_device(unit, str(args["server"])))
        return await self.servers_list({})

    async def status(self, _: Mapping[str, Any]) -> Any:
        """A glance: counts, never values."""
        house = self._house
        facts = await self._watch.facts()
        counts = await self._house.store.look(
            lambda unit: {
                "cases": unit.cases.count(state="open"), "referrals": unit.referrals.count(), "staff": unit.staff.count(removed_at=None),
                "peers": unit.peers.count(state="confirmed"), "ledger": unit.ledger.next("id") - 1,
                "posts_waiting": unit.posts.count(state__in=("ready", "sending")),
            }
        )  # fmt: skip
        return {"institution": house.config.institution.id, "sync_age_seconds": facts.sync_age_seconds, "unacked": facts.unacked, **counts,
                "server": house.servers.name if house.servers else "", "role": facts.role}  # fmt: skip

    async def doctor(self, _: Mapping[str, Any]) -> Any:
        """Live facts for `tinkuy doctor`."""
        house = self._house
        facts = await self._watch.facts()
        live = await house.store.look(lambda unit: _living(unit, root_here=house.identity.root is not None))
        return {
            **{name: value for name, value in vars(facts).items() if name != "outbox"},
            "cross_signing": await self._cross_signing(), "fingerprint": house.matrix.fingerprint,
            "rooms": await room_commands.RoomCommands(house).drift_of_rooms(),
            "servers": await self.servers_list({}), "backup_settings": backup_settings(house.config), **live,
            "unsigned_writers": await house.store.look(lambda unit: list(house.rows.unsigned_writers(unit.connection))),
        }  # fmt: skip

    async def _cross_signing(self) -> str:
        """As the homeserver serves it right now; a vanished signature is put back on the way."""
        try:
            await self._house.matrix.look_at_cross_signing()
        except IdentityConflict:
            return "foreign"
        except MatrixError:
            return "absent"
        return "ok"

    async def _settle(self, user: str | None = None) -> None:
        """Bring trust and rooms up to date now, so that the answer shows the result."""
        await self._house.keeper.turn()
        if user:
            await self._house.matrix.refresh(user)
            await self._house.keeper.turn()


def _living(unit: Unit, *, root_here: bool) -> dict[str, Any]:
    def days(manifest: Manifest) -> float:
        return round((manifest.profile.expires - unit.now).total_seconds() / 86400, 1)

    known = [(p.id, Manifest.from_bytes(p.manifest)) for p in unit.peers.all(state="confirmed", order="id")]
    links = {link.peer: link for link in unit.links.all()}
    listed = {peer.id: standing_on(unit, peer) for peer in unit.peers.all(state="confirmed")}
    findings = [{"protocol": p.id, "code": "not_in_force"} for p in unit.pack.protocols.values() if not p.in_force(unit.now.date())]
    findings += protocol_findings(unit)
    return {
        "manifest_days": days(unit.hand.manifest),
        "root_here": root_here, "signing_days": (signing_due(unit) - unit.now).days,
        "peers": [{"institution": name, "days": days(m), "listed": listed[name], **_standing(links.get(name))} for name, m in known],
        "networks": [{"table": n.table, "days": round((n.roll.expires - unit.now).total_seconds() / 86400, 1)} for n in held_lists(unit)],
        "gate": wanted(unit).digests() if held_lists(unit) else None,
        "protocols": findings, "staff_blocked": unit.staff.count(removed_at=None, refused_master__not=None), **_staying(unit),
    }  # fmt: skip


def _standing(link: Link | None) -> dict[str, Any]:
    """Why nothing goes over this link, if so: it stands (`stopped`: the reason), or our restore has not been answered."""
    return {"stopped": link.frozen if link else None, "unanswered": bool(link and link.awaited)}


def _rooms_of(unit: Unit, user: str) -> list[str]:
    return [one.purpose for one in wanted_rooms(unit) if one.room and user in one.spec.members]


def _moved(left: staff.Departure) -> dict[str, Any]:
    return {"to": left.to, "cases": list(left.cases), "referrals": list(left.referrals), "check_ins": left.check_ins, "unnamed": left.unnamed}


def _staying(unit: Unit, *, without: str = "") -> dict[str, int]:
    """How many can work here, their keys seen and not blocked, and how many of them supervise; `without`: as if that person had left."""
    here = [person for person in unit.staff.all(removed_at=None) if person.id != without and fit(person)]
    return {"staff": len(here), "supervisors": sum(person.role == "supervisor" for person in here)}


def _person(person: Staff | None) -> dict[str, Any]:
    if person is None:
        return {}
    return {
        "user_id": person.id, "display": person.display, "role": person.role, "language": person.language, "on_duty": person.on_duty,
        "pin": _pin(person), "blocked": person.refused_master is not None,
        "fingerprint": person.master or "", "removed": person.removed_at is not None,
    }  # fmt: skip


def _pin(person: Staff) -> str:
    """How far her key is known: `blocked`, `unseen`, or the level of the pin."""
    if person.refused_master is not None:
        return "blocked"
    return person.level if person.master else "unseen"


def _hold(unit: Unit, hold: LegalHold) -> dict[str, Any]:
    referral = unit.referrals.get(hold.id)
    return {"code": referral.code if referral else "", "basis": hold.basis, "until": last_day(unit, hold).isoformat()}


def _guard(unit: Unit) -> dict[str, Any]:
    rooms = [{"room": name, "mode": guard.mode_of(unit, name)} for name in guard.DEFAULTS]
    return {"rooms": rooms, "seen": [{"class": row.id, "count": row.seen} for row in unit.guard_counts.all(order="id")]}


def _peer(unit: Unit, institution: str) -> dict[str, Any]:
    peer, link = unit.peers.get(institution), unit.links.one(peer=institution)
    assert peer is not None
    manifest = Manifest.from_bytes(peer.manifest)
    state = "frozen" if link and link.frozen else ("linked" if link and link.room else peer.state)
    return {
        "institution": institution, "name": manifest.profile.display_name, "kind": manifest.profile.kind, "state": state,
        "version": manifest.version, "expires": manifest.profile.expires.date().isoformat(), "room": link.room if link else None,
        "unacked": unit.outbox.count(state="dispatched", link=link.id) if link else 0, "frozen": link.frozen if link else None,
        "fingerprint": manifest.profile.master_fingerprint, "digest": manifest.digest.hex()[:16],
    }  # fmt: skip
