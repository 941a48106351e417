"""X25, N8: who claims what somebody else is, does not enter."""

from typing import Any

import pytest

from keys.directory import Directory
from keys.errors import DirectoryConflict
from keys.manifest import Manifest, make_manifest
from keys.vectors.generate import sample_profile, signer


def sample(name: str, **changes: Any) -> Manifest:
    return Manifest.from_bytes(make_manifest(sample_profile(name, **changes), [signer(f"{name} root")]))


OWN, PEER = sample("cem-lima"), sample("csmc-comas")


def test_lookup() -> None:
    directory = Directory(OWN, [PEER])
    assert directory.by_institution("csmc-comas") is PEER
    assert directory.by_user(PEER.profile.matrix_user) is PEER
    assert directory.by_institution("cem-lima") is None
    assert directory.by_user("@nobody:sample.invalid") is None
    assert [each.institution for each in directory] == ["csmc-comas"]
    assert directory.own is OWN


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("matrix_user", "matrix_user"),
        ("device_id", "device_id"),
        ("device_ed25519", "device_key"),
        ("device_curve25519", "device_key"),
        ("master_fingerprint", "master_key"),
        ("hub_signing", "hub_key"),
        ("opening", "opening_key"),
    ],
)
@pytest.mark.parametrize("victim", [OWN, PEER])
def test_a_claim_of_ours_or_a_peers_is_refused(victim: Manifest, field: str, code: str) -> None:
    thief = sample("thief", **{field: getattr(victim.profile, field)})
    with pytest.raises(DirectoryConflict) as caught:
        Directory(OWN, [PEER]).with_peer(thief)
    assert caught.value.code == f"directory.{code}"


def test_our_own_name_is_refused() -> None:
    with pytest.raises(DirectoryConflict):
        Directory(OWN, [OWN])
    with pytest.raises(DirectoryConflict):
        Directory(OWN, [PEER, PEER])


def test_changes_make_a_new_directory() -> None:
    first = Directory(OWN, [PEER])
    renewed = sample("csmc-comas", contact="new")
    assert first.with_peer(renewed).by_institution("csmc-comas") is renewed
    assert first.by_institution("csmc-comas") is PEER
    assert len(first.without("csmc-comas")) == 0
    assert len(first.with_own(sample("cem-lima", contact="new"))) == 1
    with pytest.raises(DirectoryConflict):
        first.with_own(sample("other", device_id=PEER.profile.device_id))
