"""A Synapse module that keeps strangers out at the homeserver, by the signed network list (ADR 0025).

It stands alone: this one file and what every Synapse has. Its configuration is what `tinkuy network synapse` wrote, and pins the
stewards' keys: a list is believed for their signatures, never for the disk it lies on, so the file may be replaced by anybody's hand
and is read again as soon as it changes. What cannot be verified lets nobody in; who is inside already goes on talking.

Documented module callbacks only (Synapse ≥ 1.130): spam checker, third-party rules, web resource.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey
from synapse.module_api import NOT_SPAM, ModuleApi
from synapse.module_api.errors import Codes, ConfigError, SynapseError
from twisted.web.resource import Resource

logger = logging.getLogger("tinkuy_gate")
PATH = "/_synapse/client/tinkuy/gate"
MEGOLM = "m.megolm.v1.aes-sha2"
CLEAR = frozenset({"m.room.encrypted", "m.room.redaction", "m.reaction"})
"""Events without a state key that may be sent: encrypted ones, and what no client encrypts. Whatever else is clear text stays home."""
OURS = frozenset(
    {"m.room.name", "m.room.topic", "m.room.avatar", "m.room.power_levels", "m.room.tombstone", "m.room.server_acl", "m.room.encryption"}
)
"""What only a hub sets in a room that a hub made."""
SAYS = {
    "invite_out": "Solo se invita a personas de este servidor. Para trabajar con otra institución, use el centro (Tinkuy). · "
    "Only people of this server can be invited. To work with another institution, use the hub (Tinkuy).",
    "invite_unlisted": "Esa cuenta es de un servidor que no está en la lista de la mesa. · That account's server is not on the table's list.",
    "invite_in": "Solo los centros (hubs) de la lista de la mesa pueden invitar aquí. · Only hubs on the table's list may invite here.",
    "invite_clear": "Esa sala no está cifrada: aquí no se entra en salas sin cifrado. · That room is not encrypted, so nobody here may enter it.",
    "join": "A una sala se entra solo con invitación. · A room is entered by invitation only.",
    "join_remote": "Ese servidor no está en la lista de la mesa. · That server is not on the table's list.",
    "public": "Aquí no hay salas públicas, ni con dirección, ni abiertas a invitados: cree una sala privada. · "
    "There are no public rooms, room addresses or guests here: make a private room.",
    "encryption": "Toda sala debe estar cifrada desde el principio: active el cifrado al crearla. · "
    "Every room must be encrypted from the start: turn encryption on when you make it.",
    "clear": "Este mensaje iba sin cifrar y no salió. Use una sala cifrada. · "
    "This message was not encrypted and was not sent. Use an encrypted room.",
    "ours": "El nombre, el tema y los permisos de esta sala los pone el centro (Tinkuy): se ven sin cifrar. · "
    "The hub (Tinkuy) sets this room's name, topic and permissions: they are visible unencrypted.",
    "fault": "El control de entrada no pudo decidir; por seguridad no se hizo. Avise a quien administra el servidor. · "
    "The gate could not decide, so nothing was done. Tell whoever runs the server.",
}


class Refused(Exception):
    """A rule says no; the first argument is a key of SAYS."""


class NotBelieved(Exception):
    """A list file that does not hold: unreadable, unsigned, older, of another table."""


@dataclass(frozen=True)
class Pin:
    """What homeserver.yaml says about one list: where it lies, and whose signatures make it true."""

    file: str
    table: str
    version: int
    """The version at the time of writing: an older one is never believed, so nobody brings an expelled server back with yesterday's file."""
    threshold: int
    community_signs: bool
    stewards: tuple[tuple[tuple[bytes, ...], int, bool], ...]
    """Per steward: root keys, how many of them must sign, whether it holds a community seat."""

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Pin:
        stewards = tuple(
            (tuple(base64.b64decode(key, validate=True) for key in each["roots"]), int(each["threshold"]), each["community"] is True)
            for each in found["stewards"]
        )
        if not stewards or int(found["threshold"]) < 1 or any(least < 1 for _, least, _ in stewards):
            raise ValueError("a pin without stewards would believe anything")
        return cls(
            file=str(found["file"]), table=str(found["table"]), version=int(found["version"]), threshold=int(found["threshold"]),
            community_signs=found["community_signs"] is True, stewards=stewards,
        )  # fmt: skip


@dataclass(frozen=True)
class Believed:
    """What a verified list says, as far as a homeserver needs it."""

    table: str
    version: int
    digest: str
    expires: datetime
    users: frozenset[str]


def read_list(data: bytes, pin: Pin) -> Believed:
    """The list, once enough of the pinned stewards signed exactly these bytes. Raises NotBelieved."""
    try:
        outer = json.loads(data)
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [base64.b64decode(each["sig"], validate=True) for each in outer["sigs"]][:16]
        said = json.loads(payload, object_pairs_hook=_once)
        expires = datetime.strptime(said["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        users = frozenset(str(each["matrix_user"]) for each in said["members"] if each["matrix_user"])
        table, version = str(said["table"]), int(said["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotBelieved(f"unreadable ({type(error).__name__})") from None
    kind = b"network-list"
    covered = b"TINKUY-v1" + bytes([len(kind)]) + kind + len(payload).to_bytes(8, "big") + payload  # keys/statement.py
    signed = [seat for roots, least, seat in pin.stewards if sum(_signed(root, covered, signatures) for root in set(roots)) >= least]
    if len(signed) < pin.threshold or (pin.community_signs and not any(signed)):
        raise NotBelieved(f"{len(signed)} of {pin.threshold} pinned stewards signed it")
    if table != pin.table or version < pin.version:
        raise NotBelieved(f"table {table!r} version {version}, expected {pin.table!r} from version {pin.version}")
    return Believed(table, version, _digest(b"TINKUY-v1 network list digest", payload), expires, users)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """One meaning for each file: a key that stands twice is read by one reader as the first and by another as the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _signed(root: bytes, covered: bytes, signatures: list[bytes]) -> bool:
    for signature in signatures:
        try:
            VerifyKey(root).verify(covered, signature)
        except (CryptoError, ValueError, TypeError):
            continue
        return True
    return False


def _digest(domain: bytes, *parts: bytes) -> str:
    """As `keys.primitives.sha256`: each part behind its length."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in (domain, *parts))).hexdigest()


@dataclass
class Book:
    """The lists of this homeserver. A file is looked at when somebody knocks, and read again when it changed."""

    pins: tuple[Pin, ...]
    extra: frozenset[str]
    """Hub accounts that need no list: our own, and linked institutions that people decided to keep."""
    _held: dict[str, Believed] = field(default_factory=dict)
    _seen: dict[str, tuple[int, int, int] | None] = field(default_factory=dict)

    def hubs(self) -> frozenset[str]:
        """Every hub account that counts now. An expired list counts no more: nobody new is let in on its word."""
        now = datetime.now(UTC)
        return self.extra.union(*(held.users for held in self.lists() if held.expires > now))

    def servers(self) -> frozenset[str]:
        return frozenset(user.partition(":")[2] for user in self.hubs())

    def lists(self) -> list[Believed]:
        for pin in self.pins:
            self._look(pin)
        return [self._held[pin.file] for pin in self.pins if pin.file in self._held]

    def _look(self, pin: Pin) -> None:
        try:
            found = os.stat(pin.file)
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            stamp = None
        if pin.file in self._seen and self._seen[pin.file] == stamp:
            return
        self._seen[pin.file] = stamp
        try:
            with open(pin.file, "rb") as file:
                fresh = read_list(file.read(65_537), pin)
            if pin.file in self._held and fresh.version < self._held[pin.file].version:
                raise NotBelieved(f"version {fresh.version} is older than what was read before")
        except (OSError, NotBelieved) as error:  # what was verified before is still true; with nothing before it nobody is let in
            logger.error("network list of %s not believed: %s", pin.table, error)
            return
        self._held[pin.file] = fresh
        logger.warning("network list of %s: version %d, %d hubs", fresh.table, fresh.version, len(fresh.users))


def _closed(rule: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[Any]]:
    """A spam-checker callback from a rule: silence is consent, `Refused` is a sentence, and a fault of ours is a no (S22: doubt stops)."""

    @wraps(rule)
    async def callback(*given: Any) -> Any:
        try:
            await rule(*given)
        except Refused as refusal:
            return Codes.FORBIDDEN, {"error": SAYS[refusal.args[0]]}
        except Exception as error:
            logger.error("%s failed: %s", rule.__name__, type(error).__name__)
            return Codes.FORBIDDEN, {"error": SAYS["fault"]}
        return NOT_SPAM

    return callback


class TinkuyGate:
    """The module: registers its callbacks and answers by the rules below."""

    def __init__(self, config: tuple[Book, str], api: ModuleApi) -> None:
        self._book = config[0]
        self._own = api.server_name
        self._api = api
        self._book.lists()
        api.register_spam_checker_callbacks(
            user_may_invite=_closed(self.user_may_invite),
            federated_user_may_invite=_closed(self.federated_user_may_invite),
            user_may_join_room=_closed(self.user_may_join_room),
            user_may_create_room_alias=_closed(self.user_may_create_room_alias),
            user_may_publish_room=_closed(self.user_may_publish_room),
            user_may_send_3pid_invite=_closed(self.user_may_send_3pid_invite),
        )
        api.register_third_party_rules_callbacks(
            on_create_room=self.on_create_room,
            check_event_allowed=self.check_event_allowed,
            check_visibility_can_be_modified=self.check_visibility_can_be_modified,
        )
        api.register_web_resource(PATH, _Shown(self))

    @staticmethod
    def parse_config(config: dict[str, Any]) -> tuple[Book, str]:
        """Raises ConfigError: a homeserver with a gate that cannot be read does not start."""
        try:
            pins = tuple(Pin.read(each) for each in config["lists"])
            return Book(pins, frozenset(str(user) for user in config["hubs"])), ""
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"tinkuy_gate: make its configuration anew with `tinkuy network synapse` ({type(error).__name__})") from None

    # ---- who may come in ------------------------------------------------------------------------------------------------------

    async def user_may_invite(self, inviter: str, invitee: str, room: str) -> None:
        self._may_invite(inviter, invitee)

    def _may_invite(self, inviter: str, invitee: str) -> None:
        """Inside the house everybody may; across its border only a hub, and only to servers of the list."""
        if self._is_mine(invitee):
            return
        if inviter not in self._book.hubs():
            raise Refused("invite_out")
        if invitee.partition(":")[2] not in self._book.servers():
            raise Refused("invite_unlisted")

    async def federated_user_may_invite(self, event: Any) -> None:
        if event.sender not in self._book.hubs():
            raise Refused("invite_in")
        shown = event.unsigned.get("invite_room_state", [])
        if not any(each.get("type") == "m.room.encryption" and each.get("content", {}).get("algorithm") == MEGOLM for each in shown):
            raise Refused("invite_clear")

    async def user_may_join_room(self, user: str, room: str, is_invited: bool) -> None:
        if not is_invited:
            raise Refused("join")

    async def user_may_create_room_alias(self, user: str, alias: Any) -> None:
        raise Refused("public")

    async def user_may_publish_room(self, user: str, room: str) -> None:
        raise Refused("public")

    async def user_may_send_3pid_invite(self, inviter: str, medium: str, address: str, room: str) -> None:
        raise Refused("invite_out")

    async def check_visibility_can_be_modified(self, room: str, state: Any, visibility: str) -> bool:
        return visibility == "private"

    # ---- what rooms may be ----------------------------------------------------------------------------------------------------

    async def on_create_room(self, requester: Any, config: dict[str, Any], is_admin: bool) -> None:
        """A room is private, encrypted from its first event, and without guests; server administrators are no exception."""
        try:
            self._may_create(requester.user.to_string(), config)
        except Refused as refusal:
            raise SynapseError(403, SAYS[refusal.args[0]], Codes.FORBIDDEN) from None

    def _may_create(self, user: str, config: dict[str, Any]) -> None:
        if config.get("visibility", "private") != "private" or config.get("preset") == "public_chat" or config.get("room_alias_name"):
            raise Refused("public")
        if config.get("invite_3pid"):
            raise Refused("invite_out")
        for invitee in config.get("invite", []):
            self._may_invite(user, str(invitee))
        state = {each.get("type"): each.get("content", {}) for each in config.get("initial_state", [])}
        for kind, content in state.items():
            self._may_stand(kind, content)
        if "m.room.encryption" not in state:
            raise Refused("encryption")
        if "m.room.guest_access" not in state:  # every private preset would let guests in
            closed = {"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "forbidden"}}
            config["initial_state"] = [*config["initial_state"], closed]

    def _may_stand(self, kind: str | None, content: Mapping[str, Any]) -> None:
        """State that no room may have, whoever sets it."""
        open_to = {
            "m.room.join_rules": content.get("join_rule", "invite") != "invite",
            "m.room.history_visibility": content.get("history_visibility") == "world_readable",
            "m.room.guest_access": content.get("guest_access", "forbidden") != "forbidden",
            "m.room.canonical_alias": bool(content.get("alias") or content.get("alt_aliases")),
            "m.room.third_party_invite": bool(content),
        }
        if open_to.get(kind or "", False):
            raise Refused("public")
        if kind == "m.room.encryption" and content.get("algorithm") != MEGOLM:
            raise Refused("encryption")

    async def check_event_allowed(self, event: Any, state: Mapping[tuple[str, str], Any]) -> tuple[bool, dict[str, Any] | None]:
        """Every event that this server is about to make: of its own users, and the blanks of joins that other servers ask for."""
        try:
            self._may_send(event, state)
        except Refused as refusal:
            raise SynapseError(403, SAYS[refusal.args[0]], Codes.FORBIDDEN) from None
        return True, None

    def _may_send(self, event: Any, state: Mapping[tuple[str, str], Any]) -> None:
        kind = event.type
        if kind == "m.room.encrypted":  # first: this is nearly all there is
            return
        if not event.is_state():
            if kind not in CLEAR:
                raise Refused("clear")
        elif kind == "m.room.member":
            self._may_be_member(event.sender, event.state_key, event.content.get("membership"))
        else:
            self._may_stand(kind, event.content)
            made = state.get(("m.room.create", ""))
            if kind in OURS and made is not None and not self._may_name(event.sender, made.sender):
                raise Refused("ours")

    def _may_be_member(self, sender: str, whom: str, membership: Any) -> None:
        if membership == "invite":
            self._may_invite(sender, whom)
        elif membership in ("join", "knock") and not self._is_mine(sender) and sender.partition(":")[2] not in self._book.servers():
            raise Refused("join_remote")

    def _may_name(self, user: str, maker: str) -> bool:
        hubs = self._book.hubs()
        return maker not in hubs or user in hubs

    def _is_mine(self, user: str) -> bool:
        return user.partition(":")[2] == self._own


class _Shown(Resource):
    """What stands here, for `tinkuy doctor`: versions and digests, never names; nobody learns from it who sits at a table."""

    isLeaf = True

    def __init__(self, gate: TinkuyGate) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self._gate = gate

    def render_GET(self, request: Any) -> bytes:
        allowed = getattr(self._gate._api._hs.config.federation, "federation_domain_whitelist", None)
        servers = None if allowed is None else _digest(b"TINKUY-v1 allowed servers", *(name.encode() for name in sorted(allowed)))
        book = self._gate._book
        hubs = _digest(b"TINKUY-v1 hub accounts", *(user.encode() for user in sorted(book.hubs())))
        lists = [{"table": each.table, "version": each.version, "digest": each.digest} for each in book.lists()]
        request.setHeader(b"Content-Type", b"application/json")
        return json.dumps({"servers": servers, "hubs": hubs, "lists": lists}).encode()
