"""A cross-signing identity for a device of ours: publish it once, check at every start what is served (`matrix-facts.md` §6).

Works with any nio `AsyncClient` that has logged in and uploaded its device keys: the hub's own, and a person's in the demo.
A foreign master key is never replaced silently: clients would shout "identity reset", and whoever put it there would not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hub.matrix import http, signatures
from hub.matrix.errors import IdentityConflict, MatrixError
from keys import matrixjson

ALGORITHMS = ("m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2")
Outcome = Literal["kept", "signed", "published"]


@dataclass(frozen=True, kw_only=True, repr=False)
class CrossSigningSeeds:
    """Three Ed25519 seeds of 32 bytes. Losing them means that every person is warned of a new identity."""

    master: bytes
    self_signing: bytes
    user_signing: bytes


def fingerprint(seeds: CrossSigningSeeds) -> str:
    """The public master key, unpadded base64: what people pin and compare. From our seeds, never from an answer."""
    return signatures.public_key(seeds.master)


async def ensure_cross_signed(client: http.SendsHttp, seeds: CrossSigningSeeds, password: str | None = None, *, replace: bool = False) -> Outcome:
    """Make what the homeserver serves for `client`'s device a chain of our own keys.

    Returns "kept" when it already was, "signed" when only the device's signature had to be put (back), "published" when the
    identity itself was uploaded. `password` answers the homeserver's question when it asks for one. Idempotent.

    Raises:
        IdentityConflict: another master key is published and `replace` was not given.
        HomeserverRefused: the upload was refused (`errcode` M_FORBIDDEN: wrong or missing password).
        MatrixError: what is served afterwards is still not our chain.
    """
    served = await _query(client)
    outcome: Outcome = "kept"
    if not _identity_is_ours(client.user_id, served, seeds):
        if served.get("master_keys", {}).get(client.user_id) and not replace and not _master_is_ours(client.user_id, served, seeds):
            raise IdentityConflict(
                "matrix.identity_conflict",
                "the account already has another cross-signing identity; find out who made it, then replace it by command",
            )
        await _publish(client, seeds, password)
        outcome = "published"
    if not served_chain_is_ours(client, served, seeds):
        await _sign_device(client, seeds)
        outcome = outcome if outcome == "published" else "signed"
        if not served_chain_is_ours(client, await _query(client), seeds):
            raise MatrixError("matrix.cross_signing_not_served", "the homeserver accepted our cross-signing but does not serve it")
    return outcome


async def is_cross_signed(client: http.SendsHttp, seeds: CrossSigningSeeds) -> bool:
    """Whether others are served our chain right now: device <- self-signing <- master, by our own seeds."""
    return served_chain_is_ours(client, await _query(client), seeds)


def served_chain_is_ours(client: http.SendsHttp, served: dict[str, Any], seeds: CrossSigningSeeds) -> bool:
    """Compare a raw /keys/query answer with our keys. The device's keys are ours from the Olm account, never the served ones."""
    user = client.user_id
    device = served.get("device_keys", {}).get(user, {}).get(client.device_id, {})
    return (
        _identity_is_ours(user, served, seeds)
        and device.get("keys") == device_keys(client)["keys"]
        and signatures.signed_by(device, user_id=user, key=signatures.public_key(seeds.self_signing))
    )


def device_keys(client: http.SendsHttp) -> dict[str, Any]:
    """Our device key object, built from nio's own keys and unsigned."""
    identity = client.olm.account.identity_keys
    keys = {f"{kind}:{client.device_id}": identity[kind] for kind in ("curve25519", "ed25519")}
    return {"user_id": client.user_id, "device_id": client.device_id, "algorithms": list(ALGORITHMS), "keys": keys}


def key_object(user_id: str, usage: str, seed: bytes, *, signed_with: bytes | None = None) -> dict[str, Any]:
    """A cross-signing key as it is published; the two lower ones carry the master's signature."""
    public = signatures.public_key(seed)
    value: dict[str, Any] = {"user_id": user_id, "usage": [usage], "keys": {f"ed25519:{public}": public}}
    return value if signed_with is None else signatures.sign(value, user_id, signed_with)


async def sign_person(client: http.SendsHttp, seeds: CrossSigningSeeds, user_id: str, master: str) -> None:
    """Publish our user-signing key's signature over the master key of a person whom we verified. Idempotent.

    Raises:
        MatrixError: the homeserver does not take it (it serves another key for her, or is away).
    """
    value = {"user_id": user_id, "usage": ["master"], "keys": {f"ed25519:{master}": master}}
    body = {user_id: {master: signatures.sign(value, client.user_id, seeds.user_signing)}}
    answer = await http.request(client, "POST", "/_matrix/client/v3/keys/signatures/upload", body)
    if answer.get("failures"):  # 200 can hide errors
        raise MatrixError("matrix.signature_refused", "the homeserver refused the signature over a verified person's key")


async def _query(client: http.SendsHttp) -> dict[str, Any]:
    return await http.request(client, "POST", "/_matrix/client/v3/keys/query", {"device_keys": {client.user_id: []}})


async def _publish(client: http.SendsHttp, seeds: CrossSigningSeeds, password: str | None) -> None:
    """All three keys in one request: the master alone would count as the first upload, and the rest would need the password."""
    master = key_object(client.user_id, "master", seeds.master)
    # SDKs also sign the master with the device, so that a client with the device's key can find the identity.
    master["signatures"] = {client.user_id: {f"ed25519:{client.device_id}": client.olm.account.sign(matrixjson.signable(master).decode())}}
    body = {
        "master_key": master,
        "self_signing_key": key_object(client.user_id, "self_signing", seeds.self_signing, signed_with=seeds.master),
        "user_signing_key": key_object(client.user_id, "user_signing", seeds.user_signing, signed_with=seeds.master),
    }
    refused = "the homeserver refused our cross-signing keys"
    await http.post_as_owner(client, "/_matrix/client/v3/keys/device_signing/upload", body, password, refused=refused)


async def _sign_device(client: http.SendsHttp, seeds: CrossSigningSeeds) -> None:
    body = {client.user_id: {client.device_id: signatures.sign(device_keys(client), client.user_id, seeds.self_signing)}}
    answer = await http.request(client, "POST", "/_matrix/client/v3/keys/signatures/upload", body)
    if answer.get("failures"):  # 200 can hide errors
        raise MatrixError("matrix.signature_refused", "the homeserver refused the signature over our device")


def _master_is_ours(user: str, served: dict[str, Any], seeds: CrossSigningSeeds) -> bool:
    public = signatures.public_key(seeds.master)
    return bool(served.get("master_keys", {}).get(user, {}).get("keys") == {f"ed25519:{public}": public})


def _identity_is_ours(user: str, served: dict[str, Any], seeds: CrossSigningSeeds) -> bool:
    """Both public keys are ours and the lower one carries our master's signature."""
    signer, public = served.get("self_signing_keys", {}).get(user, {}), signatures.public_key(seeds.self_signing)
    return (
        _master_is_ours(user, served, seeds)
        and signer.get("keys") == {f"ed25519:{public}": public}
        and signatures.signed_by(signer, user_id=user, key=fingerprint(seeds))
    )
