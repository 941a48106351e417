"""One verification by emoji (`m.sas.v1` of the Matrix specification), in a room and started by a person. Pure: a message in, the answers out.

What it proves: whoever sees the same seven emoji as we do holds the keys that she MACs, and reads ours. The hub cannot see, so nothing is
MACed by us before `confirm`, which an administrator causes. The messages themselves may come in clear (Element Web sends them so, see
ADR 0017) and through a hostile homeserver: everything they say is bound into the emoji or into the MACs. vodozemac does the mathematics;
nio's own `Sas` speaks the to-device form and the retired MAC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import vodozemac

from hub.matrix.errors import CannotRead
from hub.matrix.machine import guarded
from keys import matrixjson
from keys.errors import KeysError

PREFIX = "m.key.verification."
REQUEST = "m.key.verification.request"
"""The `msgtype` of the message that asks; its event id names the whole exchange."""
KINDS = tuple(PREFIX + kind for kind in ("ready", "start", "accept", "key", "mac", "done", "cancel"))
METHOD, AGREEMENT, HASH, MAC, STRING = "m.sas.v1", "curve25519-hkdf-sha256", "sha256", "hkdf-hmac-sha256.v2", "emoji"
MOST_MACS = 20
MOST_TEXT = 4096

Said = tuple[str, dict[str, Any]]
"""An event type without `PREFIX`, and its content without the relation."""


class Broken(Exception):
    """the exchange cannot go on; `code` is the specification's reason for cancelling."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Party:
    """One side by its keys, from our own records: never as the messages of the exchange say."""

    user_id: str
    device_id: str
    ed25519: str
    master: str


def is_verification(event_type: str, content: Mapping[str, Any]) -> bool:
    """Whether an event belongs to a verification in a room."""
    return event_type in KINDS or (event_type == "m.room.message" and content.get("msgtype") == REQUEST)


def offers_sas(content: Mapping[str, Any]) -> bool:
    """Whether a request says that its sender can compare emoji."""
    methods = content.get("methods")
    return isinstance(methods, list) and METHOD in methods


def relation(transaction: str) -> dict[str, str]:
    """`m.relates_to` of every message after the request."""
    return {"rel_type": "m.reference", "event_id": transaction}


class Exchange:
    """Our side of one verification. She starts, we accept; so she commits to nothing that we have not fixed before (our key, by its hash)."""

    def __init__(self, *, transaction: str, own: Party, theirs: Party) -> None:
        self.transaction, self.own, self.theirs = transaction, own, theirs
        self.stage: Literal["ready", "accepted", "keyed"] = "ready"
        self.emoji: tuple[int, ...] | None = None
        """Seven indices into the specification's table, once the keys are exchanged."""
        self.proven = False
        """Whether she has MACed the master key that we pinned."""
        self.confirmed = False
        self._sas = vodozemac.Sas()
        self._own_key: str = self._sas.public_key.to_base64()
        self._established: Any = None
        self._taken: dict[str, Mapping[str, Any]] = {}

    def ready(self) -> Said:
        """Say that we take part, by emoji only."""
        return "ready", {"from_device": self.own.device_id, "methods": [METHOD]}

    def take(self, kind: str, content: Mapping[str, Any]) -> list[Said]:
        """Go on with a message of hers and return what answers it. The same message again changes nothing. Raises Broken."""
        if self._taken.get(kind) == content:
            return []
        if kind == "start" and self.stage == "ready":
            answer = self._start(content)
        elif kind == "key" and self.stage == "accepted":
            answer = self._key(content)
        elif kind == "mac" and self.stage == "keyed" and not self.proven:
            answer = self._mac(content)
        elif kind == "done" and self.proven:
            answer = []
        else:
            raise Broken("m.unexpected_message")
        self._taken[kind] = content
        return answer

    def confirm(self) -> list[Said]:
        """Somebody compared the emoji and they are the same: MAC our device key and our master key, once. Raises Broken before there are any."""
        if self._established is None:
            raise Broken("m.unexpected_message")
        if self.confirmed:
            return []
        self.confirmed = True
        keys = {f"ed25519:{self.own.device_id}": self.own.ed25519, f"ed25519:{self.own.master}": self.own.master}
        macs = {name: self._established.calculate_mac(key, self._info(self.own, self.theirs, name)) for name, key in keys.items()}
        names = self._established.calculate_mac(_listed(keys), self._info(self.own, self.theirs, "KEY_IDS"))
        return [("mac", {"mac": macs, "keys": names})]

    def _start(self, content: Mapping[str, Any]) -> list[Said]:
        wanted = {"key_agreement_protocols": AGREEMENT, "hashes": HASH, "message_authentication_codes": MAC, "short_authentication_string": STRING}
        if content.get("method") != METHOD or not all(_offers(content, name, value) for name, value in wanted.items()):
            raise Broken("m.unknown_method")
        if content.get("from_device") != self.theirs.device_id:
            raise Broken("m.invalid_message")
        # Our key is fixed before we see hers: with the hash she can hold us to it, so nobody between us can search for equal emoji.
        committed = hashlib.sha256(self._own_key.encode() + _canonical({**content, "m.relates_to": relation(self.transaction)})).digest()
        self.stage = "accepted"
        return [
            (
                "accept",
                {
                    "method": METHOD,
                    "key_agreement_protocol": AGREEMENT,
                    "hash": HASH,
                    "message_authentication_code": MAC,
                    "short_authentication_string": [STRING],
                    "commitment": matrixjson.unpadded(committed),
                },
            )
        ]

    def _key(self, content: Mapping[str, Any]) -> list[Said]:
        given = _text(content, "key")

        def agree() -> Any:
            matrixjson.from_unpadded(given)  # one spelling of a key: it goes into the emoji as text
            return self._sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(given))

        try:
            self._established = guarded(agree)
        except CannotRead:
            raise Broken("m.invalid_message") from None
        sides = (self.theirs, given), (self.own, self._own_key)
        info = "|".join(part for party, key in sides for part in (party.user_id, party.device_id, key))
        self.emoji = tuple(self._established.bytes(f"MATRIX_KEY_VERIFICATION_SAS|{info}|{self.transaction}").emoji_indices)
        self.stage = "keyed"
        return [("key", {"key": self._own_key})]

    def _mac(self, content: Mapping[str, Any]) -> list[Said]:
        macs = content.get("mac")
        if not isinstance(macs, dict) or not 0 < len(macs) <= MOST_MACS or not all(isinstance(one, str) for one in macs.values()):
            raise Broken("m.invalid_message")
        # 1. Nothing was added to or taken from the list of keys.
        self._check(_listed(macs), "KEY_IDS", _text(content, "keys"))
        # 2. The master key that we pinned is among them: a verification of a device alone proves nothing about her other ones.
        self._check(self.theirs.master, f"ed25519:{self.theirs.master}", macs.get(f"ed25519:{self.theirs.master}"))
        # 3. So is the device she does it from, when it is named.
        if (device := f"ed25519:{self.theirs.device_id}") in macs:
            self._check(self.theirs.ed25519, device, macs[device])
        self.proven = True
        return []

    def _check(self, what: str, name: str, mac: str | None) -> None:
        def verify() -> None:
            self._established.verify_mac(what, self._info(self.theirs, self.own, name), mac)

        try:
            guarded(verify)
        except CannotRead:
            raise Broken("m.key_mismatch") from None

    def _info(self, sender: Party, receiver: Party, name: str) -> str:
        ids = sender.user_id + sender.device_id + receiver.user_id + receiver.device_id
        return f"MATRIX_KEY_VERIFICATION_MAC{ids}{self.transaction}{name}"


def _listed(keys: Mapping[str, str]) -> str:
    return ",".join(sorted(keys))


def _offers(content: Mapping[str, Any], name: str, wanted: str) -> bool:
    offered = content.get(name)
    return isinstance(offered, list) and wanted in offered


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise Broken("m.invalid_message")
    return value


def _canonical(content: Mapping[str, Any]) -> bytes:
    try:
        return matrixjson.canonical(content)
    except KeysError:
        raise Broken("m.invalid_message") from None
