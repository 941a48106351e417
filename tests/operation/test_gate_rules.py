"""The gate's rules without a homeserver: whose list it believes, when it reads again, and that doubt is always a no."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from synapse.module_api import NOT_SPAM
from synapse.module_api.errors import Codes, ConfigError, SynapseError

from hub.actions.homeserver import Wanted, pin
from hub.doctor import Level, judge_gate
from keys.network import KIND, NetworkList, Roll, make_list
from keys.statement import sign
from keys.vectors import generate
from keys.vectors.generate import sample_roll, signer

ROOT = Path(__file__).parents[2]
OWN = "cem-lima.example"
HUB, PEER, LINKED = f"@tinkuy:{OWN}", "@tinkuy:csmc-comas.example", "@tinkuy:vieja.example"


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("tinkuy_gate", ROOT / "deploy/synapse/tinkuy_gate.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["tinkuy_gate"] = made
    spec.loader.exec_module(made)
    return made


gate = _module()


class Api:
    """What the module asks of Synapse when it starts."""

    server_name = OWN

    def __init__(self) -> None:
        self.callbacks: dict[str, Any] = {}
        allowed = SimpleNamespace(federation=SimpleNamespace(federation_domain_whitelist={OWN: True, "csmc-comas.example": True}))
        self._hs = SimpleNamespace(config=allowed)

    def register_spam_checker_callbacks(self, **callbacks: Any) -> None:
        self.callbacks |= callbacks

    register_third_party_rules_callbacks = register_spam_checker_callbacks

    def register_web_resource(self, path: str, resource: Any) -> None:
        self.shown = resource


def current(**changes: Any) -> Roll:
    now = datetime.now(UTC).replace(microsecond=0)
    return sample_roll(**({"issued": now - timedelta(days=1), "expires": now + timedelta(days=300)} | changes))


def signed(roll: Roll, *names: str) -> bytes:
    return make_list(roll, [signer(f"{name} root") for name in names or ("cem-lima", "colectiva-miluska")])


def later(version: int, **changes: Any) -> Roll:
    return current(version=version, previous=b"\0" * 32, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "network-mesa-lima.json"
    path.write_bytes(signed(current()))
    return path


def standing(path: Path, roll: Roll | None = None) -> Api:
    """A gate in place, whose configuration pins this list."""
    api = Api()
    config = {"hubs": [HUB, LINKED], "lists": [pin(NetworkList.from_bytes(signed(roll or current())), str(path))]}
    gate.TinkuyGate(gate.TinkuyGate.parse_config(json.loads(json.dumps(config))), api)
    return api


async def invites(api: Api, inviter: str, invitee: str) -> Any:
    return await api.callbacks["user_may_invite"](inviter, invitee, "!r")


def replaced(path: Path, data: bytes) -> None:
    """Another file in its place, as `tinkuy network synapse` does it."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def test_the_module_believes_exactly_the_lists_that_hubs_believe() -> None:
    """The published vectors, read by the module's own few lines: a second reader of the format that shares no code with the first."""
    cases = [case for case in json.loads((ROOT / "keys/vectors/network.json").read_bytes())["cases"] if case["previous"] is None]
    known = pin(NetworkList.from_bytes(generate.signed_list(sample_roll(), "cem-lima", "colectiva-miluska")), "x")
    clocked = {"network.expired", "network.future"}  # the module looks at the end when somebody knocks, and needs no clock to read
    strict = {"no community seat asked for"}  # that table is another one, with another rule: here the pin asks for a seat
    seen = 0
    for case in cases:
        if case["expect"] in clocked or case["name"] in strict:
            continue
        seen += 1
        try:
            gate.read_list(case["candidate"].encode(), gate.Pin.read(known))
        except gate.NotBelieved:
            assert case["expect"] != "ok", case["name"]
        else:
            assert case["expect"] == "ok", case["name"]
    assert seen >= 6


async def test_across_the_border_only_hubs_and_only_to_the_list(path: Path) -> None:
    api = standing(path)
    assert await invites(api, f"@ana:{OWN}", f"@sofia:{OWN}") is NOT_SPAM
    assert await invites(api, HUB, PEER) is NOT_SPAM
    assert await invites(api, HUB, "@bea:csmc-comas.example") is NOT_SPAM
    evil, near = "@x:evil.example", "@x:csmc-comas.example.evil"
    for inviter, invitee in ((f"@ana:{OWN}", PEER), (f"@ana:{OWN}", evil), (HUB, evil), (HUB, near)):
        code, told = await invites(api, inviter, invitee)
        assert code is Codes.FORBIDDEN
        assert " · " in told["error"]


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("nothing", None),
        ("not a list", b"{}"),
        ("one steward alone", sign(KIND, current().to_payload(), signer("cem-lima root")).to_bytes()),
        ("the community seat alone", sign(KIND, current().to_payload(), signer("colectiva-miluska root")).to_bytes()),
        ("no community seat", sign(KIND, current().to_payload(), signer("cem-lima root"), signer("csmc-comas root")).to_bytes()),
        ("signed as something else", sign("manifest", current().to_payload(), signer("cem-lima root"), signer("colectiva-miluska root")).to_bytes()),
        ("expired", signed(current(expires=datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)))),
        ("another table", signed(current(table="otra"))),
    ],
)
async def test_what_cannot_be_believed_lets_nobody_in_and_keeps_who_is_linked(path: Path, what: str, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    api = standing(path)
    assert (await invites(api, HUB, PEER))[0] is Codes.FORBIDDEN, what
    assert await invites(api, HUB, LINKED) is NOT_SPAM  # people decided that one, and no file takes it away
    assert await invites(api, f"@ana:{OWN}", f"@sofia:{OWN}") is NOT_SPAM  # the house itself works on


async def test_a_newer_list_counts_at_once_and_an_older_or_broken_one_never(path: Path) -> None:
    api = standing(path)
    without = later(2, members=tuple(m for m in current().members if m.institution != "csmc-comas"), stewards=current().stewards[:2])
    replaced(path, signed(without))
    assert (await invites(api, HUB, PEER))[0] is Codes.FORBIDDEN
    replaced(path, signed(current()))  # yesterday's file
    assert (await invites(api, HUB, PEER))[0] is Codes.FORBIDDEN
    replaced(path, b"broken")
    assert (await invites(api, HUB, "@tinkuy:colectiva-miluska.example")) is NOT_SPAM  # what was verified stays true
    again = standing(path, without)
    replaced(path, signed(current()))
    assert (await invites(again, HUB, PEER))[0] is Codes.FORBIDDEN  # nor after a restart: the floor is in homeserver.yaml


async def test_an_invitation_from_outside_comes_from_a_listed_hub_into_an_encrypted_room(path: Path) -> None:
    api = standing(path)
    sealed = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}

    async def ask(sender: str, *shown: Any) -> Any:
        return await api.callbacks["federated_user_may_invite"](SimpleNamespace(sender=sender, unsigned={"invite_room_state": list(shown)}))

    assert await ask(PEER, sealed) is NOT_SPAM
    plain = {"type": "m.room.encryption"}
    for sender, shown in ((PEER, ()), ("@bea:csmc-comas.example", (sealed,)), ("@x:evil.example", (sealed,)), (PEER, (plain,))):
        assert (await ask(sender, *shown))[0] is Codes.FORBIDDEN, sender
    assert (await ask(PEER, "not even a mapping"))[0] is Codes.FORBIDDEN  # a fault is a no


async def test_a_blank_join_is_only_made_out_for_listed_servers(path: Path) -> None:
    api = standing(path)

    def member(user: str, membership: str = "join") -> Any:
        return SimpleNamespace(type="m.room.member", sender=user, state_key=user, content={"membership": membership}, is_state=lambda: True)

    assert await api.callbacks["check_event_allowed"](member("@bea:csmc-comas.example"), {}) == (True, None)
    assert await api.callbacks["check_event_allowed"](member("@x:evil.example", "leave"), {}) == (True, None)
    for membership in ("join", "knock"):
        with pytest.raises(SynapseError, match="no está en la lista"):
            await api.callbacks["check_event_allowed"](member("@x:evil.example", membership), {})


@pytest.mark.parametrize("kind", ["m.room.message", "m.sticker", "org.tinkuy.envelope.v1", "m.call.invite", "m.poll.start"])
async def test_what_is_clear_stays_home(path: Path, kind: str) -> None:
    api = standing(path)
    with pytest.raises(SynapseError, match="sin cifrar"):
        await api.callbacks["check_event_allowed"](SimpleNamespace(type=kind, sender=HUB, content={}, is_state=lambda: False), {})
    for fine in ("m.room.encrypted", "m.room.redaction", "m.reaction"):
        event = SimpleNamespace(type=fine, sender=HUB, content={}, is_state=lambda: False)
        assert await api.callbacks["check_event_allowed"](event, {}) == (True, None)


@pytest.mark.parametrize("config", [{}, {"hubs": [], "lists": [{"file": "x"}]}, {"lists": []}, {"hubs": [], "lists": [{"stewards": []}]}])
def test_a_gate_that_cannot_be_read_does_not_start(config: Any) -> None:
    with pytest.raises(ConfigError):
        gate.TinkuyGate.parse_config(config)


def test_a_pin_without_stewards_or_with_none_needed_is_no_pin() -> None:
    known = pin(NetworkList.from_bytes(signed(current())), "x")
    for broken in ({"stewards": []}, {"threshold": 0}):
        with pytest.raises(ConfigError):
            gate.TinkuyGate.parse_config({"hubs": [], "lists": [known | broken]})
    loose = [each | {"threshold": 0} for each in known["stewards"]]
    with pytest.raises(ConfigError):
        gate.TinkuyGate.parse_config({"hubs": [], "lists": [known | {"stewards": loose}]})


def test_doctor_sees_when_the_homeserver_has_other_lists_than_the_hub(path: Path) -> None:
    api = standing(path)
    request = SimpleNamespace(setHeader=lambda *_: None)
    shown = json.loads(api.shown.render_GET(request))
    held = NetworkList.from_bytes(path.read_bytes())
    told = Wanted(servers=tuple(sorted((OWN, "csmc-comas.example"))), hubs=(HUB, LINKED), kept=(), lists=(held,)).digests()
    assert judge_gate(told, shown).level is Level.OK
    replaced(path, signed(later(2)))
    stale = judge_gate(told, json.loads(api.shown.render_GET(request)))
    assert (stale.level, "listas" in stale.sentences()[0]) == (Level.FAIL, True)
    fewer = Wanted(servers=(OWN,), hubs=(HUB, LINKED), kept=(), lists=(held,)).digests()
    assert "servidores" in judge_gate(fewer, shown).sentences()[0]
    assert judge_gate(told, None).id == "gate"
