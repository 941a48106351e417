"""Pairing with another institution: its manifest, the short code that people compare aloud, then the link (`design.md` §4)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.claims import check_claims
from hub.actions.common import SYSTEM, intend, link_to, note
from hub.actions.devices import own_devices
from hub.actions.facts import freeze
from hub.actions.manifest_versions import keep_version, still_stated
from hub.actions.ports import Unit
from hub.actions.protocol_spread import peer_confirmed
from hub.actions.share_list import share_with
from hub.base.errors import Refused
from hub.exchange.records import Link, Peer
from keys.errors import KeysError
from keys.manifest import Manifest, accept, accept_one
from keys.primitives import sha256
from keys.shortcode import pairing_code, same_code

PEOPLE = "people"
"""Why a link stands that people stopped."""


def add_peer(unit: Unit, data: bytes) -> Peer:
    """Keep a manifest that was handed over. Nothing is trusted yet. A newer version of a known peer must follow python-tuf's rules.

    Raises Refused `peer_manifest_refused`, `manifest_own`.
    """
    try:
        known = unit.peers.get(accept_one(None, data, unit.now).institution)
        previous = Manifest.from_bytes(known.manifest) if known else None
        manifest = accept(previous, data, unit.now)
        if manifest.institution == unit.me.id:
            raise Refused("manifest_own")
        check_claims(unit, manifest, own_devices(unit), known)
    except KeysError as error:
        raise Refused("peer_manifest_refused", why=error.code) from None
    if known:
        peer = replace(known, manifest=data, opening=still_stated(known, manifest))
        if previous and manifest.profile.matrix_user != previous.profile.matrix_user:  # another account: nothing goes to it before people compare
            peer = replace(peer, state="added", confirmed_at=None, confirmed_by=None, devices=b"")
        unit.peers.put(peer)
        link = unit.links.one(peer=peer.id)
        if link:  # it is told what we hold, so that its newer key may speak
            unit.links.put(replace(link, owes_key=True, behind=False, asked_key=0, asked_key_at=None, spoke=0))
    else:
        peer = Peer(id=manifest.institution, manifest=data, state="added", added_at=unit.now)
        unit.peers.add(peer)
    keep_version(unit, manifest)
    note(unit, peer.id, SYSTEM, "peer.manifest", version=manifest.version)
    return peer


def short_code_with(unit: Unit, institution: str) -> str:
    """The 80-bit code over both manifests that both sides read aloud. Raises Refused `unknown_institution`."""
    return pairing_code(unit.hand.manifest, manifest_of(unit, institution))


def confirm_peer(unit: Unit, by: str, institution: str, code: str) -> Link:
    """The people compared the code: from here on there is a link. Raises Refused `wrong_pairing_code`, `unknown_institution`."""
    if not same_code(short_code_with(unit, institution), code):
        raise Refused("wrong_pairing_code", institution=institution)
    peer = unit.peers.get(institution)
    assert peer is not None
    unit.peers.put(replace(peer, state="confirmed", confirmed_at=unit.now, confirmed_by=by))
    note(unit, institution, by, "peer.confirmed")
    link = unit.links.one(peer=institution)
    if link is None:
        link = Link(id=link_id(unit.me.id, institution), peer=institution, holds=unit.hand.manifest.version)  # the code covered it
        unit.links.add(link)
        intend(unit, institution, "profile")
        share_with(unit, institution)
    peer_confirmed(unit, institution)
    return link


def stop_link(unit: Unit, by: str, institution: str) -> Link:
    """People stop a link: a root or an account over there was stolen, or nobody answers for it. Only people open it again (`thaw_link`).

    Raises Refused `not_paired`, `link_frozen` (it stands already).
    """
    link = link_to(unit, institution)
    freeze(unit, link, PEOPLE)
    note(unit, institution, by, "link.stopped")
    return replace(link, frozen=PEOPLE)


def thaw_link(unit: Unit, by: str, institution: str, code: str) -> Link:
    """Open a frozen link again, after people compared the code once more. Raises Refused `wrong_pairing_code`, `not_frozen`."""
    if not same_code(short_code_with(unit, institution), code):
        raise Refused("wrong_pairing_code", institution=institution)
    link = unit.links.one(peer=institution)
    if link is None or not link.frozen:
        raise Refused("not_frozen", institution=institution)
    link = replace(link, frozen=None)
    unit.links.put(link)
    note(unit, institution, by, "link.thawed")
    return link


def open_link_room(unit: Unit, institution: str, room: str) -> None:
    """The link has a room now (or a new one: its identity and sequence outlive rooms)."""
    link = unit.links.one(peer=institution)
    if link:
        unit.links.put(replace(link, room=room))


def manifest_of(unit: Unit, institution: str) -> Manifest:
    """A peer's manifest. Raises Refused `unknown_institution`."""
    peer = unit.peers.get(institution)
    if peer is None:
        raise Refused("unknown_institution", institution=institution[:60])
    return Manifest.from_bytes(peer.manifest)


def tell_profile(unit: Unit) -> None:
    """Tell every confirmed peer about our services and duty, once, however often it changes before it leaves."""
    for peer in unit.peers.all(state="confirmed"):
        link = unit.links.one(peer=peer.id)
        if link and not unit.outbox.count(link=link.id, kind="profile", state="ready"):
            intend(unit, peer.id, "profile")


def link_id(ours: str, theirs: str) -> str:
    """The link's own id: both sides compute the same."""
    first, second = sorted((ours, theirs))
    return "lnk-" + sha256(b"TINKUY-v1 link", first.encode(), second.encode()).hex()[:32]
