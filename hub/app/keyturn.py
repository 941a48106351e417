"""Turning the institution's own keys while the hub runs: signing, opening and root keys, each by a next version of the manifest.

A turn has three steps, and a crash between any two leaves a hub that speaks: the successor is made and kept; the manifest that names it is
signed (here, when the root is here, else by the roots' own machines) and written; the successor takes its place. Peers learn the version
through the link, and each is spoken to with a key that the version it holds names (`hub/actions/manifest_versions.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hub.actions.devices import own_devices, state_devices
from hub.actions.manifest_versions import signing_due
from hub.actions.opening_keys import turn_keys
from hub.actions.own_manifest import OPENING as LONG
from hub.actions.own_manifest import SIGNING, lacking, newer_own, say_fork, say_lacking, tell_again
from hub.actions.ports import Hand, Unit
from hub.app.manifest import adopt, draft_path, take_back, write
from hub.base.errors import Refused
from keys.errors import KeysError, ManifestRefused
from keys.identity import HUB_SIGNING, OPENING, ROOT, Identity, forget_root, load_identity, predecessors, successor_of
from keys.keyring import Keyring
from keys.manifest import Manifest
from keys.primitives import OpeningKey, SigningKey, VerifyKey
from keys.succession import Missing, draft, joined, missing, read_public_root, successor

if TYPE_CHECKING:
    from hub.app.house import House


def hand_of(identity: Identity, keyring: Keyring, manifest: Manifest) -> Hand:
    """What the hub signs and opens with: present keys, and those before them for peers that have not heard yet."""
    return Hand(
        signer=identity.hub_signing,
        opening=identity.opening,
        manifest=manifest,
        older=tuple(SigningKey(secret) for secret in predecessors(keyring, HUB_SIGNING)),
        older_openings=tuple(OpeningKey(secret) for secret in predecessors(keyring, OPENING)),
    )


class KeyTurner:
    """Turns keys of a running hub. Every method answers {state: "active" | "waiting", version, …}."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._keyring = house.keyring

    async def rotate_signing(self) -> dict[str, Any]:
        """A new signing key; the present one stays listed, so that what it signed still verifies and is still accepted."""
        return await self._turn(hub_signing=self._signers())

    async def revoke_signing(self) -> dict[str, Any]:
        """The present signing key was stolen: a new one alone. Peers refuse the old one from that version on."""
        return await self._turn(hub_signing=(SigningKey(successor_of(self._keyring, HUB_SIGNING)).public,))

    async def rotate_opening(self) -> dict[str, Any]:
        """A new long opening key; the one before goes on opening what is on the road."""
        return await self._turn(opening=OpeningKey(successor_of(self._keyring, OPENING)).public)

    async def take_back(self) -> bool:
        """Put a newer manifest of ours in force that peers gave back after a restore; whether there was one. Never while keys turn."""
        async with self._house.turning:
            return await self.catch_up()

    async def catch_up(self) -> bool:
        """As `take_back`, for who holds `turning` already. What does not follow ours is told to people, and stops neither a start nor a turn."""
        house, chain = self._house, await self._house.store.look(newer_own)
        if not chain:
            return False
        try:
            manifest = await asyncio.to_thread(take_back, house.config, self._keyring, self._manifest, chain, house.clock.now())
        except ManifestRefused as error:
            await house.store.run(say_fork, error.code)
            return False
        await self._in_force(manifest)
        await house.store.run(_told_back)
        return True

    async def replace_roots(self, public: list[bytes], threshold: int) -> dict[str, Any]:
        """Other roots: signed by enough of the present ones and enough of the new ones. Raises Refused `roots_refused`."""
        try:
            return await self._turn(roots=tuple(read_public_root(each) for each in public), threshold=threshold)
        except KeysError as error:
            raise Refused("roots_refused", why=error.code) from None

    async def activate(self, files: list[bytes]) -> dict[str, Any]:
        """Join signatures; when enough are there, the manifest is in force. Raises Refused `manifest_refused`."""
        waiting = draft_path(self._house.config)
        try:
            known = [waiting.read_bytes()] if waiting.exists() else []
            statement = joined([*known, *files])
        except KeysError as error:
            raise Refused("manifest_refused", why=error.code) from None
        return await self._finish(statement.to_bytes(), missing(self._manifest, statement))

    async def status(self) -> dict[str, Any]:
        """Every key by name: age, when it is due, where it is. Never a key."""
        profile = self._manifest.profile
        known = await self._house.store.run(_ages, quiet=True)
        waiting = draft_path(self._house.config)
        return {
            "manifest_version": profile.version, "expires": profile.expires.date().isoformat(), "kek": self._house.kek.name,
            "roots": f"{profile.threshold}/{len(profile.roots)}", "root_here": self._keyring.has(ROOT),
            "signing_keys": [key.keyid for key in profile.hub_signing], "draft": str(waiting) if waiting.exists() else None, **known,
        }  # fmt: skip

    @property
    def _manifest(self) -> Manifest:
        return self._house.store.given.hand.manifest

    def _signers(self) -> tuple[VerifyKey, ...]:
        """The next signing key, and the present one if the manifest lists it. Not another that it lists: a restore may have lost that one."""
        present = self._house.identity.hub_signing.public
        listed = (present,) if present in self._manifest.profile.hub_signing else ()
        return (SigningKey(successor_of(self._keyring, HUB_SIGNING)).public, *listed)

    def _found_again(self) -> dict[str, Any]:
        """New keys in place of those that the manifest names and a restore has lost, whatever is turned."""
        lost, changes = lacking(self._house.store.given.hand), dict[str, Any]()
        if SIGNING in lost:
            changes["hub_signing"] = self._signers()
        if LONG in lost:
            changes["opening"] = OpeningKey(successor_of(self._keyring, OPENING)).public
        return changes

    async def _turn(self, **changes: Any) -> dict[str, Any]:
        device = (await self._house.store.look(own_devices))[0]  # the one that the manifest names may be lost: nobody shall fall back to it
        changes = self._found_again() | changes
        shown = {"device_id": device.device_id, "device_ed25519": device.ed25519, "device_curve25519": device.curve25519}
        profile = successor(self._manifest, self._house.clock.now(), **shown, **changes)
        root = self._house.identity.root
        listed = {*profile.roots, *self._manifest.profile.roots}
        statement = draft(profile, [root] if root is not None and root.public in listed else [])
        return await self._finish(statement.to_bytes(), missing(self._manifest, statement))

    async def _finish(self, data: bytes, lacking: tuple[Missing, ...]) -> dict[str, Any]:
        if lacking:
            write(draft_path(self._house.config), data)
            told = [{"whose": each.whose, "count": each.count, "of": list(each.of)} for each in lacking]
            return {"state": "waiting", "file": str(draft_path(self._house.config)), "missing": told}
        try:
            manifest = adopt(self._house.config, self._keyring, self._manifest, data, self._house.clock.now())
        except KeysError as error:
            raise Refused("manifest_refused", why=error.code) from None
        await self._in_force(manifest)
        return {"state": "active", "version": manifest.version, "signing_keys": [key.keyid for key in manifest.profile.hub_signing]}

    async def _in_force(self, manifest: Manifest) -> None:
        house = self._house
        if self._keyring.has(ROOT) and SigningKey(self._keyring.get(ROOT)).public not in manifest.profile.roots:
            forget_root(self._keyring)
        house.identity = load_identity(self._keyring)
        if house.servers:
            await asyncio.to_thread(house.servers.share_manifest, manifest, house.clock.now(), self._keyring)
        house.store.given = replace(house.store.given, hand=hand_of(house.identity, self._keyring, manifest))

        def announce(unit: Unit) -> None:
            turn_keys(unit)
            state_devices(unit)  # what the former key stated of our devices is stated anew, if it does not count any more

        await house.store.run(announce)


def _told_back(unit: Unit) -> None:
    tell_again(unit)
    say_lacking(unit)


def _ages(unit: Unit) -> Mapping[str, Any]:
    peers = [
        {"institution": link.peer, "holds": link.holds or unit.hand.manifest.version, "fresh": _fresh(unit, link.peer)}
        for link in unit.links.all(order="peer")
    ]
    lost = {"lost": ", ".join(lacking(unit.hand))} if lacking(unit.hand) else {}
    return lost | {"signing_due": signing_due(unit).date().isoformat(), "opening_today": unit.daily.made(unit.now), "peers": peers}


def _fresh(unit: Unit, institution: str) -> str | None:
    peer = unit.peers.get(institution)
    return peer.fresh_at.isoformat(timespec="minutes") if peer and peer.fresh_at else None


