"""Our own manifest, when this hub came back from a copy that is older than it (D11): peers hold the newer one, and give it back.

Nothing is believed for who brings it: it follows the one we have, by our own roots' signatures, or it is refused. What no peer can give back is
a private key that was made after the copy. Then the hub says so, offers nothing new, and waits for a turn of its keys, whose version is
the next after the one that peers hold.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.common import SYSTEM, note
from hub.actions.manifest_versions import keep_version
from hub.actions.ports import Hand, Unit
from hub.cases.events import Alarm
from hub.exchange.records import Link
from keys.errors import KeysError
from keys.manifest import KIND, Manifest, accept_one
from keys.statement import Statement, verify

REMIND = timedelta(days=1)
SIGNING, OPENING = "signing", "opening"


def lacking(hand: Hand) -> tuple[str, ...]:
    """Which keys our manifest names and this hub does not have: a copy was restored that is older than their turn."""
    profile = hand.manifest.profile
    named = ((SIGNING, profile.hub_signing[0] == hand.signer.public), (OPENING, profile.opening == hand.opening.public))
    return tuple(name for name, here in named if not here)


def newest_own(unit: Unit) -> Manifest:
    """The newest version of ours that we know, in force here or not yet."""
    row = unit.manifests.one(institution=unit.me.id, order="-version")
    known = Manifest.from_bytes(row.data) if row else unit.hand.manifest
    return known if known.version > unit.hand.manifest.version else unit.hand.manifest


def newer_own(unit: Unit) -> list[bytes]:
    """The versions of ours that we know and that are not in force here yet, in order."""
    rows = unit.manifests.all(institution=unit.me.id, version__ge=unit.hand.manifest.version + 1, order="version")
    return [row.data for row in rows]


def hear_own(unit: Unit, link: Link, data: bytes) -> None:
    """A peer gives us a manifest of ours. A newer one is kept, and put in force by whoever has the keyring (`hub/app/keyturn.py`)."""
    known = newest_own(unit)
    try:
        found = accept_one(known, data, unit.now)
    except KeysError as error:
        if error.code not in ("manifest.rollback", "manifest.gap"):  # an old one that came late; or one too far ahead: the next ones follow
            word = "manifest_refused" if _signed_by_ours(known, data) else "manifest_forged"
            say_refused(unit, link, f"own_{word}", f"own.{word}", error.code)
        return
    if found.version == known.version:
        return
    keep_version(unit, found)
    note(unit, unit.me.id, link.peer, "own.manifest_back", version=found.version)
    unit.announce(Alarm(code="own_manifest_back", params=(("institution", link.peer), ("number", str(found.version)))))


def _signed_by_ours(known: Manifest, data: bytes) -> bool:
    """Whether it is more than a word: only our own roots can have signed it. What anybody can forge must keep nobody from turning a key."""
    try:
        verify(KIND, Statement.from_bytes(data), known.profile.roots, threshold=known.profile.threshold)
    except KeysError:
        return False
    return True


def say_refused(unit: Unit, link: Link, code: str, what: str, why: str) -> None:
    """Once a day for each reason: a peer may send the same, or ever new forged ones, without end."""
    if _was_told(unit, link.id, what, why):
        return
    note(unit, link.id, link.peer, what, why=why)
    unit.announce(Alarm(code=code, params=(("institution", link.peer), ("why", why))))


def _was_told(unit: Unit, about: str, what: str, why: str) -> bool:
    return any(line.detail.get("why") == why for line in unit.log.all(about=about, what=what, at__ge=unit.now - REMIND))


def hear_holds(unit: Unit, link: Link, holds: int) -> None:
    """A peer says in a signed envelope that it holds a version of ours which we do not know: once a day people are told what that means."""
    known = newest_own(unit).version
    if holds <= known or unit.log.count(about=link.id, what="own.manifest_ahead", at__ge=unit.now - REMIND):
        return
    note(unit, link.id, link.peer, "own.manifest_ahead", holds=holds, known=known)
    params = (("institution", link.peer), ("number", str(holds)), ("detail", str(known)))
    unit.announce(Alarm(code="own_manifest_ahead", params=params))


def say_fork(unit: Unit, why: str) -> None:
    """What peers gave back does not follow what is in force here: once a day people are told that there are two."""
    if _was_told(unit, unit.me.id, "own.manifest_fork", why):
        return
    note(unit, unit.me.id, SYSTEM, "own.manifest_fork", why=why)
    params = (("why", why), ("number", str(unit.hand.manifest.version)), ("detail", str(newest_own(unit).version)))
    unit.announce(Alarm(code="own_manifest_fork", params=params))


def say_lacking(unit: Unit) -> None:
    """At each start, and when such a manifest is put in force: what the hub cannot do and what makes it able again."""
    lost = lacking(unit.hand)
    if lost:
        note(unit, unit.me.id, SYSTEM, "own.keys_lost", keys=list(lost), version=unit.hand.manifest.version)
        unit.announce(Alarm(code="own_keys_lost", params=(("detail", ", ".join(lost)), ("number", str(unit.hand.manifest.version)))))


def tell_again(unit: Unit) -> None:
    """Every peer hears our word on the manifest that is in force now."""
    for link in unit.links.all(frozen=None):
        unit.links.put(replace(link, owes_key=True))
