"""The pinned peers: an immutable set of manifests, asked by institution or by Matrix user (design.md 4, Peers).

A peer is exactly what its manifest says. Two institutions that claim one identity, one device or one key cannot be told
apart afterwards, so the second never enters (X25, N8: nio keys its device store by id, and equal ids swap keys).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from keys.errors import DirectoryConflict
from keys.manifest import Manifest


class Directory:
    """Ours and our peers' manifests. `with_peer` and `without` return a new directory."""

    def __init__(self, own: Manifest, peers: Iterable[Manifest] = ()) -> None:
        self._own = own
        self._peers: dict[str, Manifest] = {}
        for peer in peers:
            self._check(peer)
            self._peers[peer.institution] = peer

    @property
    def own(self) -> Manifest:
        return self._own

    def __iter__(self) -> Iterator[Manifest]:
        return iter(sorted(self._peers.values(), key=lambda each: each.institution))

    def __len__(self) -> int:
        return len(self._peers)

    def by_institution(self, institution: str) -> Manifest | None:
        """The pinned peer, or None: then nothing from or to it is handled."""
        return self._peers.get(institution)

    def by_user(self, matrix_user: str) -> Manifest | None:
        """The pinned peer whose hub is this Matrix user, or None."""
        return next((peer for peer in self._peers.values() if peer.profile.matrix_user == matrix_user), None)

    def with_peer(self, peer: Manifest) -> Directory:
        """This directory with `peer` added or, for a known institution, replaced; `accept` must have allowed it before."""
        others = (each for each in self._peers.values() if each.institution != peer.institution)
        return Directory(self._own, (*others, peer))

    def with_own(self, own: Manifest) -> Directory:
        return Directory(own, self._peers.values())

    def without(self, institution: str) -> Directory:
        return Directory(self._own, (each for each in self._peers.values() if each.institution != institution))

    def _check(self, peer: Manifest) -> None:
        """Raise `DirectoryConflict` with the code of the first claim that someone else made already."""
        for other in (self._own, *self._peers.values()):
            claim = _shared_claim(peer, other)
            if claim is not None:
                text = f"`{peer.institution}` and `{other.institution}` claim the same {claim}; one of them must make a new one"
                raise DirectoryConflict(text, code=f"directory.{claim.replace(' ', '_')}")


def _shared_claim(a: Manifest, b: Manifest) -> str | None:
    one, two = a.profile, b.profile
    claims = (
        ("institution", one.institution == two.institution),
        ("matrix user", one.matrix_user == two.matrix_user),
        ("device id", one.device_id == two.device_id),
        ("device key", bool(_device_keys(a) & _device_keys(b))),
        ("master key", one.master_fingerprint == two.master_fingerprint),
        ("hub key", bool({*one.hub_signing, *one.roots} & {*two.hub_signing, *two.roots})),
        ("opening key", one.opening == two.opening),
    )
    return next((name for name, shared in claims if shared), None)


def _device_keys(manifest: Manifest) -> set[str]:
    return {manifest.profile.device_ed25519, manifest.profile.device_curve25519}
