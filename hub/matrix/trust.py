"""Who may read and who is believed: pure verdicts over what the homeserver serves and what we have pinned (`design.md` §4).

People: device <- self-signing key <- master key, and the master is the pinned one. Peers: exactly the devices of the manifest;
the homeserver is not asked, only compared. Verdicts bind *keys*: a device id is a name that the server may give to anybody.
Nothing here does I/O, and nothing here raises on hostile input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.matrix import signatures
from hub.matrix.ports import Device, Report, StaffPin, Standing, TrustList

MAX_DEVICES = 100
"""Served devices of one person that are looked at; a homeserver could list millions."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """What the homeserver served for one user, untrusted, as it came."""

    devices: Mapping[str, Any]
    master: Any = None
    self_signing: Any = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The judgement over one user."""

    user_id: str
    standing: Standing | None
    devices: frozenset[Device]
    """Those that get room keys and are believed."""
    refused: frozenset[str] = frozenset()
    """Served device ids that get nothing."""
    first_sight: str | None = None
    """The master key that is trusted from now on because it is the first one seen."""
    reports: tuple[Report, ...] = ()


def read_answer(answer: Mapping[str, Any], asked: Iterable[str]) -> dict[str, Served]:
    """Cut a raw /keys/query answer by user. A user of a server that failed to answer is left out: no news is not bad news."""
    failed = set(_dict(answer.get("failures")))
    devices, masters, signers = (_dict(answer.get(key)) for key in ("device_keys", "master_keys", "self_signing_keys"))
    return {
        user: Served(devices=_dict(devices.get(user)), master=masters.get(user), self_signing=signers.get(user))
        for user in asked
        if user in devices or user.partition(":")[2] not in failed
    }


def judge_staff(pin: StaffPin, served: Served) -> Verdict:
    """Device by device, by the numbered checks; every failed check leaves the device outside."""
    # 1. The served master key has the shape of one, of this very user.
    master = _key_of(served.master, pin.user_id, "master")
    # 2. It is the pinned one. A person who was never seen is pinned now, in the open.
    if pin.master_key is not None and master is not None and master != pin.master_key:
        changed = Report(kind="master_changed", user_id=pin.user_id, detail=master)
        return Verdict(user_id=pin.user_id, standing="staff", devices=frozenset(), refused=frozenset(served.devices), reports=(changed,))
    # 3. The self-signing key is signed by it.
    signer = _key_of(served.self_signing, pin.user_id, "self_signing")
    if master is None or signer is None or not signatures.signed_by(served.self_signing, user_id=pin.user_id, key=master):
        return _all_unsigned(pin, served)
    # 4. The device is signed by that, and by itself.
    good = frozenset(device for device in read_devices(pin.user_id, served) if _signed(served, device, signer))
    refused = frozenset(served.devices) - {device.device_id for device in good}
    reports = tuple(Report(kind="unverified_device", user_id=pin.user_id, device_id=name) for name in sorted(refused))
    first = master if pin.master_key is None and good else None
    return Verdict(user_id=pin.user_id, standing="staff", devices=good, refused=refused, first_sight=first, reports=reports)


def judge_peer(pinned: frozenset[Device], served: Served | None) -> Verdict:
    """The manifest's devices, whatever the homeserver serves; what it serves otherwise is worth an alarm."""
    user = next(iter(pinned)).user_id
    reports: list[Report] = []
    if served is not None:
        shown = frozenset(read_devices(user, served))
        for device in sorted(pinned - shown, key=lambda one: one.device_id):
            report = Report(kind="hidden_device", user_id=user, device_id=device.device_id)
            reports.append(replace(report, kind="peer_differs") if device.device_id in served.devices else report)
        for name in sorted(set(served.devices) - {one.device_id for one in pinned})[:MAX_DEVICES]:
            reports.append(Report(kind="peer_differs", user_id=user, device_id=name))
    return Verdict(user_id=user, standing="peer", devices=pinned, reports=tuple(reports))


def judge_self(own: Device, served: Served, others: frozenset[Device] = frozenset()) -> Verdict:
    """Our own account: one that is neither us nor one of the `others` that we know to be ours, by its keys, is an alarm (X02)."""
    known = read_devices(own.user_id, served)
    ghosts = sorted(set(served.devices) - {own.device_id} - {device.device_id for device in known if device in others})
    shown = {device for device in known if device.device_id == own.device_id}
    reports = [Report(kind="own_ghost", user_id=own.user_id, device_id=name) for name in ghosts]
    if shown != {own}:
        reports.append(Report(kind="hidden_device", user_id=own.user_id, device_id=own.device_id))
    return Verdict(user_id=own.user_id, standing=None, devices=frozenset(), refused=frozenset(ghosts), reports=tuple(reports))


def read_devices(user_id: str, served: Served) -> list[Device]:
    """The served devices that are well formed and signed by themselves."""
    found = []
    for name, keys in list(served.devices.items())[:MAX_DEVICES]:
        parts = _dict(_dict(keys).get("keys"))
        ed25519, curve25519 = parts.get(f"ed25519:{name}"), parts.get(f"curve25519:{name}")
        if not isinstance(ed25519, str) or not isinstance(curve25519, str):
            continue
        if keys.get("user_id") != user_id or keys.get("device_id") != name:
            continue
        if signatures.verifies(keys, user_id=user_id, key_id=name, key=ed25519):
            found.append(Device(user_id=user_id, device_id=name, ed25519=ed25519, curve25519=curve25519))
    return found


def served_master(user_id: str, served: Served | None) -> str | None:
    """The master key as served, when it has the shape of one; nobody has vouched for it."""
    return None if served is None else _key_of(served.master, user_id, "master")


class TrustBook:
    """The trust list and the latest verdicts. The one place that is asked who is who."""

    def __init__(self, own: Device, trust: TrustList) -> None:
        self.own = own
        self.trust = trust
        self._served: dict[str, Served] = {}
        self._shown: dict[str, frozenset[str]] = {}
        self._since: dict[tuple[str, str], int] = {}
        """In which round of answers an account first showed a key, as long as it shows it."""
        self._rounds = 0
        self._verdicts: dict[str, Verdict] = {}
        self.pending: set[str] = set()
        """Users whose keys must be queried before anything is shared or decided."""
        self.set_trust(trust)

    def set_trust(self, trust: TrustList) -> list[Report]:
        """Exchange the list; everybody is judged again, who is new is queried first.

        A pin that was made at first sight is not unmade by a list that does not know it yet: see `forget_pin`. Whoever is ours, the hub itself or one
        of our people, is nobody's peer, whatever a peer's manifest says (X25).
        """
        known = {pin.user_id: pin.master_key for pin in self.trust.staff}
        staff = tuple(pin if pin.master_key else replace(pin, master_key=known.get(pin.user_id)) for pin in trust.staff)
        ours = {self.own.user_id, *(pin.user_id for pin in staff)}
        peers = tuple(pin for pin in trust.peers if pin.user_id not in ours)
        # Nor is anybody who is ours, or a hub, somebody else's person, whatever a roster says.
        guests = tuple(pin for pin in trust.guests if pin.user_id not in ours | {one.user_id for one in peers})
        self.trust = trust = replace(trust, staff=staff, peers=peers, guests=guests)
        self._verdicts = {user: verdict for user, verdict in self._verdicts.items() if user in self.users and verdict.standing == self.standing(user)}
        self._served = {user: served for user, served in self._served.items() if user in self.users}
        self._since = {known: since for known, since in self._since.items() if known[0] in self.users}
        self.pending &= self.users
        self.pending |= self.users - self._served.keys()
        for user in {pin.user_id for pin in trust.peers}:
            self._verdicts[user] = self._judge(user, self._served.get(user))
        return self.apply(self._served)

    def forget_pin(self, user_id: str) -> None:
        """Pin this person anew at the next sight of her keys. An administrator's decision, never ours."""
        staff = tuple(replace(pin, master_key=None) if pin.user_id == user_id else pin for pin in self.trust.staff)
        self.trust = replace(self.trust, staff=staff)
        self.pending |= {user_id} & self.users

    @property
    def users(self) -> frozenset[str]:
        """Everybody whose keys we follow: the pinned ones and ourselves."""
        return self.trust.users | {self.own.user_id}

    def changed(self, users: Iterable[str]) -> None:
        """The homeserver says that devices of these users changed."""
        self.pending |= self.users & set(users)

    def judge(self, served: Mapping[str, Served]) -> dict[str, Verdict]:
        """Verdicts over fresh answers, not yet in force: first-sight pins are stored by the application before they are."""
        return {user: self._judge(user, answer) for user, answer in served.items() if user in self.users}

    def apply(self, served: Mapping[str, Served]) -> list[Report]:
        """Put the verdicts over these answers into force and return what is new to say."""
        said: list[Report] = []
        self._rounds += 1
        for user, verdict in self.judge(served).items():
            before = self._verdicts.get(user)
            self._served[user] = served[user]
            self._show(user, frozenset(device.curve25519 for device in read_devices(user, served[user])))
            self._verdicts[user] = verdict
            said.extend(self._news(before, verdict))
            if verdict.first_sight:
                self._pin(user, verdict.first_sight)
        return said

    def standing_reports(self) -> list[Report]:
        """Everything that the verdicts in force have to say, also what was said before."""
        return [report for verdict in self._verdicts.values() for report in verdict.reports]

    @property
    def peers(self) -> frozenset[str]:
        """Accounts whose devices come from manifests; the homeserver need not be asked for them."""
        return frozenset(pin.user_id for pin in self.trust.peers)

    def shown_first(self) -> dict[str, str]:
        """By curve key, the account that showed it before any other, as far as this process saw it; not where two came in one answer."""
        first: dict[str, tuple[int, str | None]] = {}
        for (user, key), since in self._since.items():
            known = first.get(key)
            if known is None or since < known[0]:
                first[key] = (since, user)
            elif since == known[0]:
                first[key] = (since, None)
        return {key: user for key, (_, user) in first.items() if user is not None}

    def devices(self, user_id: str) -> frozenset[Device]:
        verdict = self._verdicts.get(user_id)
        return verdict.devices if verdict else frozenset()

    def refused(self, user_id: str) -> frozenset[str]:
        """Served device ids of this user that get nothing."""
        verdict = self._verdicts.get(user_id)
        return verdict.refused if verdict else frozenset()

    def standing(self, user_id: str) -> Standing | None:
        """What kind of pinned account this is; None for everybody else."""
        if any(pin.user_id == user_id for pin in self.trust.peers):
            return "peer"
        if any(pin.user_id == user_id for pin in self.trust.staff):
            return "staff"
        return "guest" if any(pin.user_id == user_id for pin in self.trust.guests) else None

    def standing_in(self, room_id: str, user_id: str) -> Standing | None:
        """The same, in this room: a guest is nobody outside the rooms that her hub's roster names."""
        standing = self.standing(user_id)
        if standing != "guest":
            return standing
        return "guest" if any(pin.user_id == user_id and room_id in pin.rooms for pin in self.trust.guests) else None

    def device(self, user_id: str, curve25519: str, ed25519: str | None = None) -> Device | None:
        """The trusted device of this user with exactly these keys."""
        for device in self.devices(user_id):
            if device.curve25519 == curve25519 and ed25519 in (None, device.ed25519):
                return device
        return None

    def knows(self, user_id: str, curve25519: str) -> bool:
        """Whether a device with this key was served before, trusted or not."""
        return self.device(user_id, curve25519) is not None or curve25519 in self._shown.get(user_id, ())

    def _show(self, user: str, keys: frozenset[str]) -> None:
        gone = self._shown.get(user, frozenset()) - keys
        self._since = {known: since for known, since in self._since.items() if known[0] != user or known[1] not in gone}
        for key in keys:
            self._since.setdefault((user, key), self._rounds)
        self._shown[user] = keys

    def _judge(self, user: str, served: Served | None) -> Verdict:
        peers = frozenset(pin.device for pin in self.trust.peers if pin.user_id == user)
        if peers:
            return judge_peer(peers, served)
        if served is None:
            return Verdict(user_id=user, standing=self.standing(user), devices=frozenset())
        if user == self.own.user_id:
            return judge_self(self.own, served, self.trust.own)
        pin = next((pin for pin in self.trust.staff if pin.user_id == user), None)
        return judge_staff(pin, served) if pin else self._judge_guest(user, served)

    def _judge_guest(self, user: str, served: Served) -> Verdict:
        """As one of ours, by the master key that her hub's roster states; there is no first sight. Two rosters that differ trust nobody."""
        keys = {pin.master_key for pin in self.trust.guests if pin.user_id == user}
        if len(keys) != 1:
            return Verdict(user_id=user, standing="guest", devices=frozenset(), refused=frozenset(served.devices))
        verdict = judge_staff(StaffPin(user_id=user, master_key=keys.pop()), served)
        return replace(verdict, standing="guest")

    def _news(self, before: Verdict | None, now: Verdict) -> list[Report]:
        old = before.reports if before else ()
        said = [report for report in now.reports if report not in old]
        if before and now.standing in ("staff", "guest"):
            gone = {one.device_id for one in before.devices} - {one.device_id for one in now.devices} - now.refused
            said.extend(Report(kind="hidden_device", user_id=now.user_id, device_id=name) for name in sorted(gone))
        return said

    def _pin(self, user: str, master: str) -> None:
        staff = tuple(replace(pin, master_key=master) if pin.user_id == user else pin for pin in self.trust.staff)
        self.trust = replace(self.trust, staff=staff)


def _signed(served: Served, device: Device, signer: str) -> bool:
    return signatures.signed_by(served.devices[device.device_id], user_id=device.user_id, key=signer)


def _all_unsigned(pin: StaffPin, served: Served) -> Verdict:
    reports = tuple(Report(kind="unverified_device", user_id=pin.user_id, device_id=name) for name in sorted(served.devices))
    return Verdict(user_id=pin.user_id, standing="staff", devices=frozenset(), refused=frozenset(served.devices), reports=reports)


def _key_of(value: Any, user_id: str, usage: str) -> str | None:
    """The one Ed25519 key of a cross-signing key object, or None when anything about it is odd."""
    found = _dict(value)
    keys = _dict(found.get("keys"))
    if found.get("user_id") != user_id or found.get("usage") != [usage] or len(keys) != 1:
        return None
    name, key = next(iter(keys.items()))
    return key if isinstance(key, str) and name == f"ed25519:{key}" else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
